//! The schema as `_dlt_version.schema` holds it: dlt's own JSON, engine version 11 (dlt.md §3.7), so that dlt can carry
//! on with a dataset of ours and we with one of dlt's. What dlt keeps there and this program does not know is kept.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use sha3::{Digest as _, Sha3_256};

use super::{Column, DataType, Schema, Table};
use crate::error::{Error, ErrorKind, Result};

/// dlt's version of the format.
pub const ENGINE_VERSION: i64 = 11;

/// As many earlier hashes as dlt keeps.
const PREVIOUS_HASHES: usize = 10;

const SOURCE_KEY: &str = "x-dray-source-key";
const EXACT_AS_DOUBLE: &str = "x-dray-exact-as-double";

/// A stored schema with its version.
#[derive(Clone, Debug)]
pub struct StoredSchema {
    /// Grows by one with each change.
    pub version: i64,
    /// dlt's hash of the content.
    pub hash: String,
    value: Map<String, Value>,
}

impl StoredSchema {
    /// Reads dlt's JSON.
    ///
    /// # Errors
    /// [`ErrorKind::State`] where it is not JSON, of a newer version of the format, or no version can follow it.
    pub fn parse(text: &str) -> Result<Self> {
        let value: Map<String, Value> = serde_json::from_str(text).map_err(|cause| {
            Error::new(ErrorKind::State, "the stored schema is not JSON").caused_by(cause)
        })?;
        let engine = value.get("engine_version").and_then(Value::as_i64).unwrap_or(0);
        if engine > ENGINE_VERSION {
            let message =
                format!("the stored schema has engine version {engine}, newer than {ENGINE_VERSION}");
            return Err(
                Error::new(ErrorKind::State, message).hint("use a newer version of dray, or another dataset")
            );
        }
        let version = value.get("version").and_then(Value::as_i64).unwrap_or(1);
        if version == i64::MAX {
            return Err(Error::new(ErrorKind::State, "the stored schema has the last version that there is"));
        }
        let hash = value.get("version_hash").and_then(Value::as_str).unwrap_or_default().to_owned();
        Ok(Self { version, hash, value })
    }

    /// The tables of data; dlt's own are left out, and columns that never had a value.
    #[must_use]
    pub fn schema(&self) -> Schema {
        let name = self.value.get("name").and_then(Value::as_str).unwrap_or_default();
        let mut schema = Schema::new(name);
        let tables = self.value.get("tables").and_then(Value::as_object);
        for (name, table) in tables.into_iter().flatten() {
            if !name.starts_with("_dlt_") {
                schema.put(read_table(name, table));
            }
        }
        schema
    }

    /// The stored form of `schema`, which follows `earlier`: of the same version where nothing has changed.
    #[must_use]
    pub fn render(schema: &Schema, earlier: Option<&Self>) -> Self {
        let mut value = earlier.map_or_else(|| fresh(&schema.name), |earlier| earlier.value.clone());
        value.insert("engine_version".to_owned(), ENGINE_VERSION.into());
        let mut roots = Vec::new();
        if let Some(tables) = value.get_mut("tables").and_then(Value::as_object_mut) {
            for table in schema.tables() {
                let slot = tables.entry(&table.name).or_insert_with(|| json!({"columns": {}}));
                write_table(slot, table);
                if table.parent.is_none() && table.write_disposition.as_deref() == Some("merge") {
                    roots.push(table.name.clone());
                }
            }
        }
        propagate_root_keys(&mut value, roots);
        let hash = content_hash(&value);
        let mut version = earlier.map_or(1, |earlier| earlier.version);
        if let Some(earlier) = earlier.filter(|earlier| earlier.hash != hash) {
            version += 1;
            let mut hashes = vec![Value::from(earlier.hash.clone())];
            hashes.extend(
                value.get("previous_hashes").and_then(Value::as_array).into_iter().flatten().cloned(),
            );
            hashes.truncate(PREVIOUS_HASHES);
            value.insert("previous_hashes".to_owned(), hashes.into());
        }
        value.insert("version".to_owned(), version.into());
        value.insert("version_hash".to_owned(), hash.clone().into());
        Self { version, hash, value }
    }

    /// The JSON text to store.
    #[must_use]
    pub fn text(&self) -> String {
        Value::Object(self.value.clone()).to_string()
    }
}

/// dlt's three tables.
#[must_use]
pub fn system_tables() -> [Table; 3] {
    let table = |name: &str, disposition: &str, columns: &[(&str, DataType, bool)]| Table {
        name: name.to_owned(),
        parent: None,
        resource: Some(name.to_owned()),
        write_disposition: Some(disposition.to_owned()),
        columns: columns
            .iter()
            .map(|(name, data_type, nullable)| Column {
                nullable: *nullable,
                exact_as_double: false,
                ..Column::new(*name, *data_type)
            })
            .collect(),
    };
    let (text, bigint, timestamp) = (DataType::Text, DataType::Bigint, DataType::Timestamp);
    [
        table(
            "_dlt_version",
            "skip",
            &[
                ("version", bigint, false),
                ("engine_version", bigint, false),
                ("inserted_at", timestamp, false),
                ("schema_name", text, false),
                ("version_hash", text, false),
                ("schema", text, false),
            ],
        ),
        table(
            "_dlt_loads",
            "skip",
            &[
                ("load_id", text, false),
                ("schema_name", text, true),
                ("status", bigint, false),
                ("inserted_at", timestamp, false),
                ("schema_version_hash", text, true),
            ],
        ),
        table(
            "_dlt_pipeline_state",
            "append",
            &[
                ("version", bigint, false),
                ("engine_version", bigint, false),
                ("pipeline_name", text, false),
                ("state", text, false),
                ("created_at", timestamp, false),
                ("version_hash", text, true),
                ("_dlt_load_id", text, false),
                ("_dlt_id", text, false),
            ],
        ),
    ]
}

fn fresh(name: &str) -> Map<String, Value> {
    let mut tables = Map::new();
    for table in system_tables() {
        let mut slot = json!({"columns": {}});
        write_table(&mut slot, &table);
        if table.name == "_dlt_pipeline_state"
            && let Some(slot) = slot.as_object_mut()
        {
            slot.insert("file_format".to_owned(), "preferred".into());
        }
        tables.insert(table.name, slot);
    }
    let mut value = Map::new();
    value.insert("version".to_owned(), 1.into());
    value.insert("version_hash".to_owned(), "".into());
    value.insert("engine_version".to_owned(), ENGINE_VERSION.into());
    value.insert("name".to_owned(), name.into());
    value.insert("tables".to_owned(), tables.into());
    value.insert(
        "settings".to_owned(),
        json!({
            "detections": ["iso_timestamp"],
            "default_hints": {
                "not_null": ["_dlt_id", "_dlt_root_id", "_dlt_parent_id", "_dlt_list_idx", "_dlt_load_id"],
                "parent_key": ["_dlt_parent_id"],
                "root_key": ["_dlt_root_id"],
                "unique": ["_dlt_id"],
                "row_key": ["_dlt_id"],
            },
        }),
    );
    value.insert(
        "normalizers".to_owned(),
        json!({"names": "snake_case", "json": {"module": "dlt.common.normalizers.json.relational"}}),
    );
    value.insert("previous_hashes".to_owned(), json!([]));
    value
}

/// dlt gives the rows of nested tables `_dlt_root_id` where the root table is named here.
fn propagate_root_keys(value: &mut Map<String, Value>, roots: Vec<String>) {
    let mut place = value.get_mut("normalizers").and_then(|normalizers| normalizers.get_mut("json"));
    for key in ["config", "propagation", "tables"] {
        if roots.is_empty() {
            return;
        }
        place = place
            .and_then(Value::as_object_mut)
            .map(|object| object.entry(key).or_insert_with(|| Value::Object(Map::new())));
    }
    if let Some(tables) = place.and_then(Value::as_object_mut) {
        for root in roots {
            tables.entry(root).or_insert_with(|| json!({"_dlt_id": "_dlt_root_id"}));
        }
    }
}

fn write_table(slot: &mut Value, table: &Table) {
    let Some(slot) = slot.as_object_mut() else { return };
    slot.insert("name".to_owned(), table.name.clone().into());
    for (key, value) in [
        ("parent", &table.parent),
        ("write_disposition", &table.write_disposition),
        ("resource", &table.resource),
    ] {
        // dlt has disposition and resource with root tables only.
        if let Some(value) = value
            && (key == "parent" || table.parent.is_none())
        {
            slot.insert(key.to_owned(), value.clone().into());
        }
    }
    if !table.name.starts_with("_dlt_") {
        let normalizer = slot.entry("x-normalizer").or_insert_with(|| json!({}));
        if let Some(normalizer) = normalizer.as_object_mut() {
            normalizer.insert("seen-data".to_owned(), true.into());
        }
    }
    let columns = slot.entry("columns").or_insert_with(|| json!({}));
    if let Some(columns) = columns.as_object_mut() {
        for column in &table.columns {
            let slot = columns.entry(&column.name).or_insert_with(|| json!({}));
            write_column(slot, column);
        }
    }
}

fn write_column(slot: &mut Value, column: &Column) {
    let Some(slot) = slot.as_object_mut() else { return };
    slot.insert("name".to_owned(), column.name.clone().into());
    let known = slot.get("data_type").and_then(Value::as_str).and_then(DataType::from_name);
    let same = known.is_some_and(|known| column.data_type == with_scale(known, slot.get("scale")));
    if !same {
        slot.insert("data_type".to_owned(), column.data_type.name().into());
        slot.remove("precision");
        slot.remove("scale");
        match column.data_type {
            DataType::Decimal { scale: 0 } => drop(slot.insert("data_type".to_owned(), "wei".into())),
            DataType::Decimal { scale } if scale != 9 => {
                slot.insert("precision".to_owned(), 38.into());
                slot.insert("scale".to_owned(), scale.into());
            }
            _ => {}
        }
    }
    slot.insert("nullable".to_owned(), column.nullable.into());
    let hints: &[&str] = match column.name.as_str() {
        "_dlt_id" => &["unique", "row_key"],
        "_dlt_parent_id" => &["parent_key"],
        "_dlt_root_id" => &["root_key"],
        _ => &[],
    };
    for hint in hints {
        slot.insert((*hint).to_owned(), true.into());
    }
    if column.variant {
        slot.insert("variant".to_owned(), true.into());
    }
    match &column.source_key {
        Some(key) => drop(slot.insert(SOURCE_KEY.to_owned(), key.clone().into())),
        None => drop(slot.shift_remove(SOURCE_KEY)),
    }
    // dlt says nothing of this, so only what was seen here counts.
    if column.exact_as_double && column.data_type == DataType::Bigint {
        slot.insert(EXACT_AS_DOUBLE.to_owned(), true.into());
    } else {
        slot.shift_remove(EXACT_AS_DOUBLE);
    }
}

fn read_table(name: &str, table: &Value) -> Table {
    let text = |key: &str| table.get(key).and_then(Value::as_str).map(str::to_owned);
    let columns = table.get("columns").and_then(Value::as_object);
    Table {
        name: name.to_owned(),
        parent: text("parent"),
        resource: text("resource"),
        write_disposition: text("write_disposition"),
        columns: columns
            .into_iter()
            .flatten()
            .filter_map(|(name, column)| read_column(name, column))
            .collect(),
    }
}

fn read_column(name: &str, column: &Value) -> Option<Column> {
    let flag = |key: &str| column.get(key).and_then(Value::as_bool);
    let data_type = DataType::from_name(column.get("data_type")?.as_str()?)?;
    Some(Column {
        name: name.to_owned(),
        data_type: with_scale(data_type, column.get("scale")),
        nullable: flag("nullable").unwrap_or(true),
        variant: flag("variant").unwrap_or(false),
        source_key: column.get(SOURCE_KEY).and_then(Value::as_str).map(str::to_owned),
        exact_as_double: flag(EXACT_AS_DOUBLE).unwrap_or(false),
    })
}

fn with_scale(data_type: DataType, scale: Option<&Value>) -> DataType {
    let scale = scale.and_then(Value::as_i64).and_then(|scale| i8::try_from(scale).ok());
    match (data_type, scale) {
        (DataType::Decimal { .. }, Some(scale)) => DataType::Decimal { scale },
        _ => data_type,
    }
}

/// dlt's hash: of the sorted JSON without versions, and of the columns' names in their order.
fn content_hash(value: &Map<String, Value>) -> String {
    let mut content = value.clone();
    for key in ["version", "version_hash", "imported_version_hash", "previous_hashes"] {
        content.remove(key);
    }
    let mut hash = Sha3_256::new();
    hash.update(sorted_json(&Value::Object(content)));
    let tables = value.get("tables").and_then(Value::as_object);
    let mut tables: Vec<(&String, &Value)> = tables.into_iter().flatten().collect();
    tables.sort_by_key(|(name, _)| *name);
    for (name, table) in tables {
        hash.update(name);
        for (column, _) in table.get("columns").and_then(Value::as_object).into_iter().flatten() {
            hash.update(column);
        }
    }
    STANDARD.encode(hash.finalize())
}

/// JSON text with the keys of all objects sorted: what dlt hashes.
pub(crate) fn sorted_json(value: &Value) -> String {
    let mut value = value.clone();
    value.sort_all_objects();
    value.to_string()
}

#[cfg(test)]
mod tests {
    use super::StoredSchema;

    #[test]
    fn a_version_that_none_can_follow_is_refused() {
        let text = format!("{{\"version\": {}, \"name\": \"a\", \"tables\": {{}}}}", i64::MAX);
        assert!(StoredSchema::parse(&text).unwrap_err().chain().contains("the last version"));
    }
}
