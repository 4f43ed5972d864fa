//! A dataset that somebody damaged: a cell of the tables about loads holds something else, and a run goes on from it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use dray::destination::duckdb::DuckDb;
use dray::pipeline::Checkpointing;
use dray::steps::{Steps, Verdict};
use serde_json::Value;

use super::{Check, Target, as_it_is, text};
use crate::fuzz::{joined, parts};
use crate::load::{DATASET, Folder, every_page, load_into, plan};
use crate::scenario::{Kind, World};

/// The target.
pub(super) const TARGET: Target = Target {
    name: "dataset",
    seeds,
    words: &[
        "@items",
        "@children",
        "@load",
        "\"at\":{\"number\":1,\"token\":\"first\",\"records\":[],\"memory\":{\"received\":0,\"largest\":0},\"seen\":null}",
        "{\"cursor\":\"10\"}",
        "{\"offset\":18446744073709551615}",
        "\"number\":18446744073709551615",
        "\"overlay\":\"{}\"",
        "\"staged\":[\"items\"]",
        "\"route\":\"staging\"",
        "\"finished\":true",
        "\"loads\":[\"'; DROP TABLE x; --\"]",
        "\"tables\":{\"items\":{\"columns\":{}}}",
        "\"data_type\":\"double\"",
        "\u{1e}",
    ],
    finish: as_it_is,
    start,
};

/// The cells, by the first byte of an input.
const CELLS: [(&str, &str); 7] = [
    ("_dlt_version", "schema"),
    ("_dlt_pipeline_state", "state"),
    ("_dray_writers", "ledger"),
    ("_dray_positions", "place"),
    ("_dray_positions", "partition"),
    ("_dray_positions", "resource"),
    ("_dlt_loads", "load_id"),
];

const SEEDS: &[(&[u8], &str)] = &[
    (
        b"0",
        r#"{"version":2,"version_hash":"x","engine_version":11,"name":"rest_api","tables":{"items":{"columns":{"id":{"name":"id","data_type":"text"},"v":{"name":"v","data_type":"bigint"},"new":{"name":"new","data_type":"decimal"}},"write_disposition":"merge","resource":"items","name":"items"},"items__tags":{"columns":{},"parent":"items__tags","name":"items__tags"}}}"#,
    ),
    (
        b"1",
        r#"{"_state_version":1,"_state_engine_version":4,"sources":{"rest_api":{"resources":{"items":[]}}}}"#,
    ),
    (
        b"2",
        r#"{"loads":["@load"],"passes":{"items":{"fingerprint":"@items","table":"items","appends":false,"loads":["@load"],"route":"streaming","staged":[],"replaced":false,"finished":false},"children":{"fingerprint":"@children","table":"children","appends":true,"loads":["@load"],"route":null,"staged":["children"],"replaced":false,"finished":true}}}"#,
    ),
    (
        b"2",
        r#"{"loads":[],"passes":{"gone":{"fingerprint":"","table":"a\"b","appends":true,"loads":["1' OR 1"],"route":"staging","staged":["a","a__b"],"replaced":true,"finished":false}}}"#,
    ),
    (
        b"3",
        r#"{"at":{"number":1,"token":"first","records":[1,2],"memory":{"received":0,"largest":0},"seen":{"best":{"Text":"x"},"hashes":[]}}}"#,
    ),
    (
        b"3",
        r#"{"overlay":"{\"_items_id\":1}","at":{"number":2,"token":{"cursor":"10"},"records":[],"memory":{"received":10,"largest":10,"total":12},"seen":null},"cursor":{"start_value":null,"state":{"initial_value":null,"last_value":{"Int":1},"unique_hashes":[]}}}"#,
    ),
    (
        b"3",
        r#"{"at":{"number":1,"token":{"link":"https://other.example/"},"records":[],"memory":{"received":0,"largest":0},"seen":null}}"#,
    ),
    (b"4", "[1]"),
    (b"4", "[{\"a\":[1,2]},\"../..\",null]"),
    (b"5", "children"),
    (b"5", "nobody"),
    (b"6", "99999999999.5"),
];

fn seeds() -> Vec<Vec<u8>> {
    SEEDS.iter().map(|(cell, text)| joined(&[cell, text.as_bytes()])).collect()
}

/// A dataset that a run has left in its middle.
struct Left {
    world: World,
    folder: Folder,
    /// What stands for a thing of this dataset in an input, and the thing.
    names: Vec<(&'static str, String)>,
}

fn start() -> Result<Check, String> {
    let left = interrupted()?;
    Ok(Box::new(move |input| left.check(input)))
}

/// A load of parents and children that is refused a statement while both are open.
fn interrupted() -> Result<Left, String> {
    let text = |error: dray::error::Error| error.chain();
    let world = World::start(Kind::Family).map_err(|error| error.to_string())?;
    let folder = Folder::new().map_err(|error| error.to_string())?;
    let (stop, pages) = (Arc::new(AtomicBool::new(false)), std::sync::atomic::AtomicU64::new(0));
    let steps = Steps::watched(move |_, name| {
        if name == "a page arrived" && pages.fetch_add(1, Ordering::SeqCst) == 8 {
            stop.store(true, Ordering::SeqCst);
        }
        if stop.load(Ordering::SeqCst) { Verdict::Fail } else { Verdict::GoOn }
    });
    drop(load_into(&folder.database(), plan(&world.config(), &[]).map_err(text)?, every_page(), steps));
    let ledger = folder.column(&format!("SELECT ledger FROM {DATASET}._dray_writers")).map_err(text)?;
    let ledger: Value = serde_json::from_str(&ledger.concat()).map_err(|error| error.to_string())?;
    let open = folder.column(&format!("SELECT resource FROM {DATASET}._dray_positions")).map_err(text)?;
    if !["items", "children"].iter().all(|name| open.iter().any(|open| open == name)) {
        return Err(format!("the run left no open passes behind: {open:?}"));
    }
    let said = |pointer: &str| ledger.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    let names = vec![
        ("@items", said("/passes/items/fingerprint")),
        ("@children", said("/passes/children/fingerprint")),
        ("@load", said("/loads/0")),
    ];
    // The database would refuse what is no JSON; a file from elsewhere may hold it.
    let mut database = DuckDb::open(folder.database(), DATASET, None).map_err(text)?;
    for (table, column) in CELLS {
        let wider = format!("ALTER TABLE {DATASET}.{table} ALTER COLUMN {column} SET DATA TYPE VARCHAR");
        database.execute(&wider).map_err(text)?;
    }
    drop(database);
    Ok(Left { world, folder, names })
}

impl Left {
    /// Only that it comes back: what a run makes of such a dataset depends on what is left of it.
    fn check(&self, input: &[u8]) -> Result<(), String> {
        let [cell, new] = parts(input);
        let mut new = text(new).replace('\'', "''").replace('\0', "");
        for (name, thing) in &self.names {
            new = new.replace(name, thing);
        }
        let (table, column) = CELLS[usize::from(cell.first().copied().unwrap_or(b'0')) % CELLS.len()];
        let folder = Folder::new().map_err(|error| error.to_string())?;
        std::fs::copy(self.folder.database(), folder.database()).map_err(|error| error.to_string())?;
        let mut database = DuckDb::open(folder.database(), DATASET, None).map_err(|error| error.chain())?;
        database
            .execute(&format!("UPDATE {DATASET}.{table} SET {column} = '{new}'"))
            .map_err(|error| error.chain())?;
        drop(database);
        self.world.sim.clear_requests();
        let plan = plan(&self.world.config(), &[]).map_err(|error| error.chain())?;
        match load_into(&folder.database(), plan, Checkpointing::default(), Steps::default()) {
            Err(error) if error.chain().contains("panic") => Err(error.chain()),
            _ => Ok(()),
        }
    }
}
