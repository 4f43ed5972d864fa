//! What earlier runs have stored, as text: schemas, states, positions.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dray::extract::{Position, Resume};
use dray::schema::stored::StoredSchema;
use dray::state::{PipelineState, StateNames, StoredCursor, stored};
use fastrand::Rng;

use super::{Target, text};
use crate::fuzz::{joined, parts};

/// The target.
pub(super) const TARGET: Target = Target {
    name: "stored",
    seeds,
    words: &[
        "\"version\":",
        "\"engine_version\":12,",
        "\"tables\":{",
        "\"columns\":{\"a\":{\"data_type\":\"text\"}}",
        "\"parent\":\"a\"",
        "\"x-normalizer\":{\"seen-data\":true}",
        "\"sources\":{\"rest_api\":{\"resources\":{",
        "\"incremental\":{\"updated\":{\"last_value\":",
        "\"dray_partitions\":{\"[1]\":",
        "\"unique_hashes\":[\"a\"]",
        "{\"cursor\":\"a\"}",
        "{\"link\":\"https://a.example\"}",
        "\"memory\":{\"received\":1,\"largest\":1}",
        "\u{1e}",
    ],
    finish,
    start: || Ok(Box::new(check)),
};

const SCHEMAS: &[&str] = &[
    r#"{"version":2,"version_hash":"x","engine_version":11,"name":"rest_api","tables":{"items":{"columns":{"id":{"name":"id","data_type":"bigint","nullable":true,"x-dray-source-key":"id"},"v__v_text":{"name":"v__v_text","data_type":"text","variant":true},"_dlt_id":{"name":"_dlt_id","data_type":"text","nullable":false}},"write_disposition":"merge","resource":"items","name":"items","x-normalizer":{"seen-data":true}},"items__tags":{"columns":{"value":{"name":"value","data_type":"decimal","precision":38,"scale":9}},"parent":"items","name":"items__tags"}},"settings":{},"normalizers":{"names":"snake_case","json":{"module":"m","config":{"propagation":{"tables":{}}}}},"previous_hashes":["a"]}"#,
    r#"{"version":1,"engine_version":11,"name":"x","tables":{}}"#,
];
const STATES: &[&str] = &[
    r#"{"_state_version":1,"_state_engine_version":4,"pipeline_name":"p","dataset_name":"d","default_schema_name":"rest_api","schema_names":["rest_api"],"sources":{"rest_api":{"resources":{"charges":{"incremental":{"updated":{"initial_value":0,"last_value":7,"start_value":0,"unique_hashes":["Tp44cKMYfAuJ"]}},"dray_partitions":{"[1]":{"updated":{"last_value":"2024-01-01"}}}}}}}}"#,
];
const POSITIONS: &[&str] = &[
    r#"{"number":3,"token":{"cursor":"abc"},"records":[1,18446744073709551615],"memory":{"received":30,"largest":10,"total":40},"seen":{"best":{"Int":7},"hashes":["a"]}}"#,
    r#"{"number":1,"token":"first","records":[],"memory":{"received":0,"largest":0},"seen":null}"#,
    r#"{"number":9,"token":{"link":"https://a.example/x?page=2"},"records":[5],"memory":{"received":0,"largest":0},"seen":null}"#,
];

fn seeds() -> Vec<Vec<u8>> {
    let of = |kind: &'static [u8], texts: &'static [&str]| {
        texts.iter().map(move |text| joined(&[kind, text.as_bytes()]))
    };
    of(b"0", SCHEMAS).chain(of(b"1", STATES)).chain(of(b"2", POSITIONS)).collect()
}

/// Some states are packed as they are stored.
fn finish(random: &mut Rng, input: Vec<u8>) -> Vec<u8> {
    let [kind, body] = parts(&input);
    if kind != b"1" || random.bool() {
        return input;
    }
    let packed = {
        use std::io::Write as _;
        let mut writer = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        writer.write_all(body).and_then(|()| writer.finish()).unwrap_or_default()
    };
    joined(&[kind, STANDARD.encode(packed).as_bytes()])
}

fn check(input: &[u8]) -> Result<(), String> {
    let [kind, body] = parts(input);
    let body = text(body);
    match kind.first().copied().unwrap_or_default() % 3 {
        0 => schema(&body),
        1 => state(&body),
        _ => position(&body),
    }
}

/// A schema that is read is written so that it is read as the same.
fn schema(text: &str) -> Result<(), String> {
    let Ok(stored) = StoredSchema::parse(text) else { return Ok(()) };
    let schema = stored.schema();
    let rendered = StoredSchema::render(&schema, Some(&stored));
    let again = StoredSchema::parse(&rendered.text()).map_err(|error| error.chain())?;
    let once_more = StoredSchema::render(&again.schema(), Some(&again));
    if once_more.version != again.version || once_more.hash != again.hash {
        return Err("a schema changes by being stored".to_owned());
    }
    Ok(())
}

fn state(text: &str) -> Result<(), String> {
    let Ok(stored) = stored::parse(text) else { return Ok(()) };
    let names = StateNames { pipeline: "p", dataset: "d", schema: "rest_api", destination: "duckdb" };
    let mut state = PipelineState::new(Some(stored.value.clone()), &names);
    drop(state.cursors("rest_api", "charges", "updated"));
    let cursor = StoredCursor { last_value: 9.into(), ..StoredCursor::default() };
    for partition in [None, Some("[1]")] {
        state.set_cursor("rest_api", "charges", "updated", partition, cursor.clone());
        if state.cursor("rest_api", "charges", "updated", partition).as_ref() != Some(&cursor) {
            return Err("a cursor that was stored is not there".to_owned());
        }
    }
    let sealed = stored::seal(state.value(), Some(&stored));
    let again = stored::text(&sealed).and_then(|text| stored::parse(&text)).map_err(|error| error.chain())?;
    state.forget("rest_api", "charges");
    if again == sealed { Ok(()) } else { Err("a state changes by being stored".to_owned()) }
}

fn position(text: &str) -> Result<(), String> {
    let mut resume = Resume::default();
    // As a key and as what the rows of a partition carry, too.
    drop(resume.partition(0, text, Some(text), None, false));
    let Ok(position) = serde_json::from_str::<Position>(text) else { return Ok(()) };
    let again = serde_json::to_value(&position).and_then(serde_json::from_value::<Position>);
    if again.map_err(|error| error.to_string())? != position {
        return Err("a position changes by being stored".to_owned());
    }
    resume.partition(0, "[1]", None, Some(position), true).map_err(|error| error.chain())
}
