//! A resource and `resource_defaults`.

use super::super::model::{ColumnConfig, IncludeConfig, Located, ResourceConfig, Spot};
use super::super::node::{Node, Value};
use super::contract;
use super::fields::{Fields, Reader};
use super::{each, endpoint, steps};
use crate::plan::{Disposition, Text};
use crate::schema::{DataType, SortOrder};

/// Formats of tables that are files. A database with tables of its own passes them over, in dlt too.
const TABLE_FORMATS: [&str; 4] = ["iceberg", "delta", "hive", "native"];
const DISPOSITIONS: [&str; 4] = ["append", "replace", "merge", "skip"];

/// A resource: a name, or a mapping.
pub(super) fn read(reader: &mut Reader<'_>, node: &Node, at: &Spot) -> Option<ResourceConfig> {
    if let Value::Text(name) = &node.value {
        let path = Located { value: Text::Plain(name.clone()), at: at.clone() };
        let mut resource = ResourceConfig {
            at: at.clone(),
            name: Some(Located { value: name.clone(), at: at.clone() }),
            ..ResourceConfig::default()
        };
        resource.endpoint.at = at.clone();
        resource.endpoint.path = Some(path);
        return Some(resource);
    }
    let Some(map) = node.as_map() else {
        reader.expected(at, "a resource's name or a mapping", node);
        return None;
    };
    reader.resource = map.get("name").and_then(Node::as_text).map(str::to_owned);
    let mut fields = Fields::open(reader, node, at)?;
    let name = fields.plain(reader, "name");
    if name.is_none() && !map.contains("name") {
        reader.problem(at, "missing key `name`");
    }
    let mut resource = keys(reader, fields);
    resource.name = name;
    reader.resource = None;
    Some(resource)
}

/// Whether a `when` left of a resource nothing but its name.
pub(super) fn is_left_out(node: &Node) -> bool {
    node.as_map().and_then(|map| map.get("when")).is_some_and(|when| when.as_bool() == Some(false))
}

/// The name of a resource that is not looked at any further.
pub(super) fn name_of(node: &Node) -> Option<String> {
    node.as_map()?.get("name")?.as_text().map(str::to_owned)
}

/// `resource_defaults`: a resource without a name.
pub(super) fn read_defaults(reader: &mut Reader<'_>, node: &Node, at: &Spot) -> Option<ResourceConfig> {
    let mut fields = Fields::open(reader, node, at)?;
    for key in ["for_each", "include_from_each"] {
        fields.refuse(reader, key, "stands in the wrong place", "it belongs in a resource");
    }
    Some(keys(reader, fields))
}

fn keys(reader: &mut Reader<'_>, mut fields: Fields<'_>) -> ResourceConfig {
    let mut resource = ResourceConfig { at: fields.at.clone(), ..ResourceConfig::default() };
    resource.endpoint.at = fields.at.clone();
    if let Some((node, at)) = fields.take("endpoint") {
        resource.endpoint = endpoint::read(reader, node, &at);
    }
    resource.primary_key = fields.words(reader, "primary_key");
    resource.merge_key = fields.words(reader, "merge_key");
    if let Some((node, at)) = fields.take("write_disposition") {
        resource.write_disposition =
            disposition(reader, node, &at).map(|value| Located { value, at: at.clone() });
    }
    if let Some((node, at)) = fields.take("columns") {
        resource.columns = columns(reader, node, &at);
    }
    resource.selected = fields.flag(reader, "selected");
    if let Some((node, at)) = fields.take("include_from_parent") {
        resource.include_from_parent =
            include(reader, node, &at).map(|value| Located { value, at: at.clone() });
    }
    resource.each = each::read(reader, &mut fields);
    resource.table_name = fields.plain(reader, "table_name");
    resource.max_table_nesting = fields.count(reader, "max_table_nesting");
    if fields.flag(reader, "parallelized").is_some() {
        reader.note("`parallelized` changes nothing: resources are always read side by side");
    }
    if let Some((node, at)) = fields.take("schema_contract") {
        resource.schema_contract = contract::read(reader, node, &at);
    }
    resource.steps = steps::read(reader, &mut fields);
    if fields.word(reader, "table_format", &TABLE_FORMATS).is_some() {
        reader.note(
            "`table_format` changes nothing: it is of tables in files, and a database has tables of its own",
        );
    }
    for key in ["file_format", "references", "nested_hints"] {
        fields.refuse(reader, key, "is not supported yet", "leave it out: tables are made as by default");
    }
    fields.refuse(reader, "parent_table_name", "is not supported", "dlt accepts and then rejects it");
    fields.refuse(reader, "incremental", "stands in the wrong place", "it belongs in `endpoint`");
    fields.refuse(reader, "hooks", "exists only in Python", "use `endpoint.response_actions`");
    resource.nulls = fields.nulls();
    fields.finish(reader);
    resource
}

fn disposition(reader: &mut Reader<'_>, node: &Node, at: &Spot) -> Option<Disposition> {
    if let Value::Map(_) = &node.value {
        let mut fields = Fields::open(reader, node, at)?;
        let found = fields.word(reader, "disposition", &DISPOSITIONS);
        let strategy = fields.plain(reader, "strategy");
        for key in [
            "boundary_timestamp",
            "active_record_timestamp",
            "validity_column_names",
            "row_version_column_name",
            "skip_unchanged_rows",
            "source_filter",
            "destination_scope",
            "deduplicated",
        ] {
            fields.refuse(reader, key, "is not supported yet", "only `strategy: delete-insert` is");
        }
        fields.finish(reader);
        match strategy.as_ref().map(|strategy| strategy.value.as_str()) {
            None | Some("delete-insert") => {}
            Some("upsert") => {
                reader.note("`strategy: upsert` is done as delete-insert: the rows that stay are the same");
            }
            Some(word) => {
                let at = strategy.as_ref().map_or_else(|| at.clone(), |strategy| strategy.at.clone());
                let known = ["scd2", "insert-only", "cdc"];
                if known.contains(&word) {
                    reader.problem_with_hint(
                        &at,
                        format!("`strategy: {word}` is not supported yet"),
                        "`delete-insert` and `upsert` are",
                    );
                } else {
                    reader.unknown_word(&at, "strategy", word, &["delete-insert", "upsert"]);
                }
            }
        }
        return named(found.or_else(|| {
            reader.problem(at, "missing key `disposition`");
            None
        })?);
    }
    let word = reader.plain(node, at)?;
    if let Some(found) = named(&word.value) {
        return Some(found);
    }
    reader.unknown_word(at, "write disposition", &word.value, &DISPOSITIONS);
    None
}

fn named(word: &str) -> Option<Disposition> {
    Some(match word {
        "append" => Disposition::Append,
        "replace" => Disposition::Replace,
        "merge" => Disposition::Merge,
        "skip" => Disposition::Skip,
        _ => return None,
    })
}

/// A mapping of names to hints, or a list of hints with names.
fn columns(reader: &mut Reader<'_>, node: &Node, at: &Spot) -> Vec<ColumnConfig> {
    let mut columns = Vec::new();
    match &node.value {
        Value::Map(map) => {
            for entry in &map.entries {
                let at = at.key(&entry.key, &entry.value);
                columns.extend(column(reader, &entry.value, &at, Some(&entry.key)));
            }
        }
        Value::List(items) => {
            for (index, item) in items.iter().enumerate() {
                columns.extend(column(reader, item, &at.item(index, item), None));
            }
        }
        _ => reader.expected(at, "a mapping or a list of column hints", node),
    }
    columns
}

fn column(reader: &mut Reader<'_>, node: &Node, at: &Spot, key: Option<&str>) -> Option<ColumnConfig> {
    let mut fields = Fields::open(reader, node, at)?;
    let name = fields.plain(reader, "name").map(|name| name.value).or_else(|| key.map(str::to_owned));
    let data_type = fields.plain(reader, "data_type").and_then(|word| {
        let found = DataType::from_name(&word.value);
        if found.is_none() {
            reader.unknown_word(&word.at, "data type", &word.value, DataType::NAMES);
        }
        found
    });
    let scale = fields.whole(reader, "scale").and_then(|scale| i8::try_from(scale).ok());
    let data_type = match (data_type, scale) {
        (Some(DataType::Decimal { .. }), Some(scale)) => Some(DataType::Decimal { scale }),
        (other, _) => other,
    };
    let nullable = fields.flag(reader, "nullable");
    let primary_key = fields.flag(reader, "primary_key") == Some(true);
    let merge_key = fields.flag(reader, "merge_key") == Some(true);
    let hard_delete = fields.flag(reader, "hard_delete") == Some(true);
    let dedup_sort = fields
        .word(reader, "dedup_sort", &["asc", "desc"])
        .map(|word| if word == "asc" { SortOrder::Asc } else { SortOrder::Desc });
    let values = steps::column_values(reader, &mut fields);
    // Hints that change nothing in the databases that are written to.
    for key in [
        "precision",
        "timezone",
        "unique",
        "sort",
        "partition",
        "cluster",
        "description",
        "parent_key",
        "row_key",
    ] {
        fields.written(key);
    }
    fields.finish(reader);
    let Some(name) = name else {
        reader.problem(at, "missing key `name`");
        return None;
    };
    Some(ColumnConfig {
        at: at.clone(),
        name,
        data_type,
        nullable,
        primary_key,
        merge_key,
        hard_delete,
        dedup_sort,
        values,
    })
}

/// dlt's list of fields, or a mapping of column to field.
pub(super) fn include(reader: &mut Reader<'_>, node: &Node, at: &Spot) -> Option<Vec<IncludeConfig>> {
    let mut include = Vec::new();
    match &node.value {
        Value::List(items) => {
            for (index, item) in items.iter().enumerate() {
                if let Some(field) = reader.plain(item, &at.item(index, item)) {
                    include.push(IncludeConfig { column: None, field });
                }
            }
        }
        Value::Map(map) => {
            for entry in &map.entries {
                if let Some(field) = reader.plain(&entry.value, &at.key(&entry.key, &entry.value)) {
                    include.push(IncludeConfig { column: Some(entry.key.clone()), field });
                }
            }
        }
        _ => {
            reader.expected(at, "a list of the parent's fields, or a mapping of columns to them", node);
            return None;
        }
    }
    Some(include)
}
