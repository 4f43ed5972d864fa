//! `schema_contract`.

use super::super::model::Spot;
use super::super::node::{Node, Value};
use super::fields::{Fields, Reader};
use crate::plan::{Contract, ContractMode};

const MODES: [&str; 4] = ["evolve", "freeze", "discard_row", "discard_value"];

/// A word for all, or one for each of tables, columns and types.
pub(super) fn read(reader: &mut Reader<'_>, node: &Node, at: &Spot) -> Option<Contract> {
    if let Value::Map(_) = &node.value {
        let mut fields = Fields::open(reader, node, at)?;
        let mut mode = |reader: &mut Reader<'_>, key| {
            let found = fields.take(key).and_then(|(node, at)| mode(reader, node, &at, key));
            found.unwrap_or_default()
        };
        let contract = Contract {
            tables: mode(reader, "tables"),
            columns: mode(reader, "columns"),
            data_type: mode(reader, "data_type"),
        };
        fields.finish(reader);
        return Some(contract);
    }
    let mode = mode(reader, node, at, "schema_contract")?;
    Some(Contract { tables: mode, columns: mode, data_type: mode })
}

fn mode(reader: &mut Reader<'_>, node: &Node, at: &Spot, key: &str) -> Option<ContractMode> {
    let word = reader.plain(node, at)?;
    match word.value.as_str() {
        "evolve" => Some(ContractMode::Evolve),
        "freeze" => Some(ContractMode::Freeze),
        "discard_value" => Some(ContractMode::Discard),
        // The rows of a table that is not made are left out either way.
        "discard_row" if key == "tables" => Some(ContractMode::Discard),
        "discard_row" => {
            reader.problem_with_hint(
                &word.at,
                format!("`{key}: discard_row` is not supported yet"),
                "`discard_value` leaves out the value and loads the rest of its row, `freeze` fails the resource",
            );
            None
        }
        other => {
            reader.unknown_word(&word.at, "contract", other, &MODES);
            None
        }
    }
}
