//! `for_each`, whose items are written out by now, and `include_from_each`.

use super::super::each::to_json;
use super::super::model::EachConfig;
use super::fields::{Fields, Reader};
use super::resource;

pub(super) fn read(reader: &mut Reader<'_>, fields: &mut Fields<'_>) -> Option<EachConfig> {
    let written = fields.take("for_each");
    let include = fields.take("include_from_each");
    let Some((node, at)) = written else {
        if let Some((_, at)) = include {
            reader.problem_with_hint(
                &at,
                "`include_from_each` stands here, but the resource has no `for_each`",
                "write `for_each: {ticker: [AAPL, MSFT]}` beside it",
            );
        }
        return None;
    };
    let Some(items) = node.as_list() else {
        reader.expected(&at, "a mapping of a name to a list", node);
        return None;
    };
    let include = include.and_then(|(node, at)| resource::include(reader, node, &at)).unwrap_or_default();
    Some(EachConfig { at, items: items.iter().map(to_json).collect(), include })
}
