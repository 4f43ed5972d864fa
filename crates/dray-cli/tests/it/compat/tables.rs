//! The tables of a dataset in a form that two programs can agree on; the twin of `compat/tables.py`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use dray::destination::duckdb::DuckDb;
use serde_json::{Map, Value, json};

const DATASET: &str = "test_dataset";

/// Columns that stand for ids in a row; what is as it must be is left out.
const IDS: [&str; 5] = ["_dlt_id", "_dlt_parent_id", "_dlt_root_id", "_dlt_list_idx", "_dlt_load_id"];

/// A row as it was read: texts by column.
type Row = BTreeMap<String, Option<String>>;

struct Dataset {
    /// Columns with their types, by table.
    columns: BTreeMap<String, BTreeMap<String, String>>,
    rows: BTreeMap<String, Vec<Row>>,
    /// Rows of nested tables, as (table, index in it), by the id of their parent.
    children: BTreeMap<String, Vec<(String, usize)>>,
    /// The loads of the runs.
    loads: Vec<String>,
}

/// All tables but those of dlt and dray themselves: columns with types, and rows with the nested ones inside.
pub(super) fn read(database: &Path, loads: &[String]) -> Value {
    if !database.exists() {
        return json!({});
    }
    let mut database = DuckDb::open(database, DATASET, None).unwrap();
    let mut query =
        |sql: &str| database.query(sql).unwrap_or_else(|error| panic!("{sql}: {}", error.chain()));
    let mut columns: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    for row in query(&format!(
        "SELECT table_name, column_name, data_type, is_nullable FROM information_schema.columns \
         WHERE table_schema = '{DATASET}' ORDER BY ALL"
    )) {
        let [table, column, kind, nullable] = row.try_into().unwrap();
        let (table, kind) = (table.unwrap(), kind.unwrap());
        if !table.starts_with("_dlt_") && !table.starts_with("_dray_") {
            let kind = if nullable.as_deref() == Some("YES") { kind } else { format!("{kind} NOT NULL") };
            columns.entry(table).or_default().insert(column.unwrap(), kind);
        }
    }
    let mut rows: BTreeMap<String, Vec<Row>> = BTreeMap::new();
    let mut children: BTreeMap<String, Vec<(String, usize)>> = BTreeMap::new();
    for (table, columns) in &columns {
        let listed: Vec<String> = columns.iter().map(|(name, kind)| shown(name, kind)).collect();
        let found = query(&format!("SELECT {} FROM {DATASET}.\"{table}\"", listed.join(", ")));
        let found: Vec<Row> =
            found.into_iter().map(|row| columns.keys().cloned().zip(row).collect()).collect();
        for (index, row) in found.iter().enumerate() {
            if let Some(Some(parent)) = row.get("_dlt_parent_id") {
                children.entry(parent.clone()).or_default().push((table.clone(), index));
            }
        }
        rows.insert(table.clone(), found);
    }
    Dataset { columns, rows, children, loads: loads.to_vec() }.assembled()
}

/// How a column is read: as text that does not depend on the machine.
fn shown(name: &str, kind: &str) -> String {
    let quoted = format!("\"{}\"", name.replace('"', "\"\""));
    let value = match kind.trim_end_matches(" NOT NULL") {
        "TIMESTAMP WITH TIME ZONE" => format!("make_timestamp(epoch_us({quoted}))"),
        "BLOB" => format!("hex({quoted})"),
        _ => quoted,
    };
    format!("CAST({value} AS VARCHAR)")
}

impl Dataset {
    fn assembled(&self) -> Value {
        let nested = |table: &str| self.columns[table].contains_key("_dlt_parent_id");
        let mut used = BTreeSet::new();
        let mut tables = Map::new();
        for (table, columns) in &self.columns {
            let mut entry = json!({ "columns": columns });
            if !nested(table) {
                let rows = self.rows[table].iter();
                entry["rows"] =
                    in_order(rows.map(|row| self.whole(table, row, &row["_dlt_id"], &mut used)).collect());
            }
            tables.insert(table.clone(), entry);
        }
        for (table, rows) in self.rows.iter().filter(|(table, _)| nested(table)) {
            let indexes = (0..rows.len()).filter(|index| !used.contains(&(table.clone(), *index)));
            let lost: Vec<usize> = indexes.collect();
            if !lost.is_empty() {
                let rows =
                    lost.iter().map(|index| self.whole(table, &rows[*index], &None, &mut BTreeSet::new()));
                tables[table]["orphans"] = in_order(rows.collect());
            }
        }
        Value::Object(tables)
    }

    /// A row with the rows below it.
    fn whole(
        &self,
        table: &str,
        row: &Row,
        root: &Option<String>,
        used: &mut BTreeSet<(String, usize)>,
    ) -> Value {
        let mut entry = Map::new();
        for (column, value) in row {
            let Some(value) = value else { continue };
            if IDS.contains(&column.as_str()) {
                continue;
            }
            let is_json = self.columns[table][column].starts_with("JSON");
            entry.insert(column.clone(), if is_json { sorted_json(value) } else { value.clone() }.into());
        }
        if let Some(Some(id)) = row.get("_dlt_root_id")
            && Some(id) != root.as_ref()
        {
            entry.insert("_dlt_root_id".to_owned(), "of another row".into());
        }
        if let Some(Some(load)) = row.get("_dlt_load_id")
            && self.loads.len() > 1
        {
            let run = self.loads.iter().position(|known| known == load);
            let of = run.map_or_else(|| "of no load".to_owned(), |run| (run + 1).to_string());
            entry.insert("_dlt_load_id".to_owned(), of.into());
        }
        let mut below: Vec<(&String, usize, usize)> = Vec::new();
        for (name, index) in
            row["_dlt_id"].as_ref().and_then(|id| self.children.get(id)).into_iter().flatten()
        {
            let place = self.rows[name][*index]["_dlt_list_idx"].as_ref().unwrap().parse().unwrap();
            below.push((name, place, *index));
        }
        below.sort();
        for (name, place, index) in below {
            used.insert((name.clone(), index));
            let mut made = self.whole(name, &self.rows[name][index], root, used);
            let rows = entry.entry(name).or_insert_with(|| json!([])).as_array_mut().unwrap();
            if place != rows.len() {
                made["_dlt_list_idx"] = place.to_string().into();
            }
            rows.push(made);
        }
        Value::Object(entry)
    }
}

fn in_order(mut rows: Vec<Value>) -> Value {
    rows.sort_by_cached_key(sorted);
    Value::Array(rows)
}

/// JSON text with its keys in order.
pub(super) fn sorted(value: &Value) -> String {
    sorted_json(&value.to_string())
}

fn sorted_json(text: &str) -> String {
    fn in_order(value: Value) -> Value {
        match value {
            Value::Object(map) => {
                let entries: BTreeMap<String, Value> = map.into_iter().collect();
                entries.into_iter().map(|(key, item)| (key, in_order(item))).collect()
            }
            Value::Array(items) => items.into_iter().map(in_order).collect(),
            other => other,
        }
    }
    serde_json::from_str(text).map_or_else(|_| text.to_owned(), |value| in_order(value).to_string())
}
