//! `endpoint.expand`: rows of a list inside each record.

use super::super::model::{CompleteConfig, ExpandConfig, Spot};
use super::super::node::Node;
use super::fields::{Fields, Reader};
use super::{endpoint, paginator};

pub(super) fn read(reader: &mut Reader<'_>, node: &Node, at: &Spot) -> Option<ExpandConfig> {
    let mut fields = Fields::open(reader, node, at)?;
    let path = fields.plain(reader, "path");
    if path.is_none() {
        reader.problem(at, "missing key `path`");
    }
    let mut include = Vec::new();
    if let Some((node, at)) = fields.take("include") {
        match node.as_map() {
            Some(map) => {
                for entry in &map.entries {
                    let at = at.key(&entry.key, &entry.value);
                    include.extend(reader.plain(&entry.value, &at).map(|path| (entry.key.clone(), path)));
                }
            }
            None => reader.expected(&at, "a mapping of columns to fields", node),
        }
    }
    let complete = fields.take("complete").and_then(|(node, at)| complete(reader, node, &at));
    fields.finish(reader);
    path.map(|path| ExpandConfig { path, include, complete })
}

fn complete(reader: &mut Reader<'_>, node: &Node, at: &Spot) -> Option<CompleteConfig> {
    let mut fields = Fields::open(reader, node, at)?;
    let has_more = fields.plain(reader, "has_more");
    if has_more.is_none() {
        reader.problem_with_hint(
            at,
            "missing key `has_more`",
            "name the field of the record that says so, such as `lines.has_more`",
        );
    }
    let url = fields.plain(reader, "url");
    let path = fields.text(reader, "path");
    let params =
        fields.take("params").map(|(node, at)| endpoint::params(reader, node, &at)).unwrap_or_default();
    let data_selector = fields.plain(reader, "data_selector");
    let paginator = fields.take("paginator").and_then(|(node, at)| paginator::read(reader, node, &at));
    fields.finish(reader);
    let has_more = has_more?;
    Some(CompleteConfig { at: at.clone(), has_more, url, path, params, data_selector, paginator })
}
