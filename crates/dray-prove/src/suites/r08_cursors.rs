//! R8: the order of cursors.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use dray_sim::{Api, Options, Response, Sim};
use serde_json::{Value, json};

use crate::deadline::within;
use crate::load::{Folder, failure};
use crate::suite::{Bench, Outcome, Suite};

/// The suite.
pub(super) const SUITE: Suite = Suite {
    id: "R8",
    name: "the order of cursors",
    criterion: "a newer record is loaded and an older one does not move the cursor back, whatever the cursor is written as; \
                the parsed order counts where that of the text is another",
    dlt: "3 of 4 lose records without a lag (numbers in text, mixed offsets, fractions)",
    run,
};

/// An older and a newer cursor.
fn pairs() -> Vec<(&'static str, Value, Value)> {
    vec![
        ("whole numbers", json!(9), json!(10)),
        ("whole numbers below zero", json!(-10), json!(-9)),
        ("whole numbers across zero", json!(-1), json!(0)),
        ("large whole numbers", json!(9_007_199_254_740_992_i64), json!(9_007_199_254_740_993_i64)),
        ("decimals", json!(9.5), json!(10.25)),
        ("a decimal and a whole number", json!(9.75), json!(10)),
        ("numbers in text", json!("9"), json!("10")),
        ("numbers in text, one longer by far", json!("999"), json!("1000000")),
        ("numbers in text below zero", json!("-10"), json!("-9")),
        ("numbers in text with leading zeros", json!("0009"), json!("0010")),
        ("numbers in text beyond 64 bits", json!("18446744073709551615"), json!("18446744073709551616")),
        ("decimals in text", json!("9.99"), json!("10.01")),
        ("decimals in text, more digits", json!("0.09"), json!("0.1")),
        ("a number in text and a number", json!("9"), json!(10)),
        ("a number and a number in text", json!(9), json!("10")),
        ("RFC 3339", json!("2024-01-01T00:00:00Z"), json!("2024-01-01T00:00:01Z")),
        ("a fraction after none", json!("2024-01-01T00:00:00Z"), json!("2024-01-01T00:00:00.500Z")),
        ("none after a fraction", json!("2024-01-01T00:00:00.500Z"), json!("2024-01-01T00:00:01Z")),
        ("fractions of different length", json!("2024-01-01T00:00:00.09Z"), json!("2024-01-01T00:00:00.1Z")),
        ("nanoseconds", json!("2024-01-01T00:00:00.000000100Z"), json!("2024-01-01T00:00:00.000000200Z")),
        ("an offset east", json!("2024-01-01T01:00:00+02:00"), json!("2024-01-01T00:00:00Z")),
        ("an offset west", json!("2024-01-01T00:00:00Z"), json!("2023-12-31T20:00:00-05:00")),
        ("two offsets", json!("2024-03-31T03:30:00+02:00"), json!("2024-03-31T02:45:00+01:00")),
        ("offsets of half an hour", json!("2024-01-01T05:29:59+05:30"), json!("2024-01-01T00:00:00Z")),
        ("offsets without a colon", json!("2024-01-01T01:00:00+0200"), json!("2023-12-31T23:30:00+0000")),
        ("a space between date and time", json!("2024-01-01 00:00:00"), json!("2024-01-01 00:00:01")),
        ("a space and a T", json!("2024-01-01T00:00:00"), json!("2024-01-01 00:00:01")),
        ("a zone apart", json!("2024-01-01 01:00:00 +0200"), json!("2023-12-31 23:30:00 UTC")),
        ("without a zone is UTC", json!("2024-01-01T00:00:00"), json!("2024-01-01T00:00:01Z")),
        ("dates", json!("2024-01-31"), json!("2024-02-01")),
        ("a date and a time of that day", json!("2024-01-01"), json!("2024-01-01T00:00:01Z")),
        ("a time and the day after", json!("2024-01-01T23:59:59Z"), json!("2024-01-02")),
        ("compact timestamps", json!("20240101T000000Z"), json!("20240101T000001Z")),
        ("compact and extended", json!("20240101T000000Z"), json!("2024-01-01T00:00:01Z")),
        ("unix seconds", json!(999_999_999), json!(1_000_000_000)),
        ("unix seconds in text", json!("999999999"), json!("1000000000")),
        ("unix milliseconds in text", json!("999999999999"), json!("1000000000000")),
        ("unix seconds with a fraction", json!(1_704_067_200.25), json!(1_704_067_200.5)),
        ("unix seconds and a timestamp", json!(1_704_067_199), json!("2024-01-01T00:00:00Z")),
        ("unix milliseconds and a timestamp", json!("1704067199999"), json!("2024-01-01T00:00:00Z")),
        ("a timestamp and unix seconds", json!("2024-01-01T00:00:00Z"), json!(1_704_067_201)),
        ("mail dates", json!("Wed, 31 Jan 2024 00:00:00 GMT"), json!("Thu, 01 Feb 2024 00:00:00 GMT")),
        ("a leap second", json!("2016-12-31T23:59:60Z"), json!("2017-01-01T00:00:00Z")),
        ("before 1970", json!("1969-12-31T23:59:59Z"), json!("1970-01-01T00:00:00Z")),
        ("text", json!("rev-a"), json!("rev-b")),
    ]
}

/// A resource read by its cursor, whose answer can be changed.
struct Feed {
    sim: Sim,
    records: Arc<Mutex<Vec<Value>>>,
    folder: Folder,
}

impl Feed {
    fn new() -> Result<Self, String> {
        let records: Arc<Mutex<Vec<Value>>> = Arc::default();
        let served = Arc::clone(&records);
        let api = Api::custom(move |_| {
            Response::json(&Value::Array(served.lock().unwrap_or_else(PoisonError::into_inner).clone()))
        });
        let sim = Sim::start(Options { api, record: false, ..Options::default() })
            .map_err(|error| error.to_string())?;
        let folder = Folder::new().map_err(|error| error.to_string())?;
        Ok(Self { sim, records, folder })
    }

    /// Loads these records (id and cursor), and gives all ids that are there then.
    fn load(&self, records: Vec<(u64, Value)>) -> Result<BTreeSet<u64>, String> {
        // As text beside it the id needs no type of the cursor's column.
        let answer = records.into_iter().map(|(id, cursor)| json!({"id": id, "at": cursor})).collect();
        *self.records.lock().unwrap_or_else(PoisonError::into_inner) = answer;
        let config = format!(
            "client: {{base_url: \"{}\", retry: {{max_retries: 3, backoff_factor: 0.01}}}}\nresources:\n  - {{name: things, \
             primary_key: id, write_disposition: append, endpoint: {{path: items, data_selector: $, paginator: single_page, \
             incremental: {{cursor_path: at}}}}}}\n",
            self.sim.base_url()
        );
        let loaded = self.folder.load(&config, &[]);
        if let Some(error) = failure(&loaded) {
            return Err(error);
        }
        let ids = self.folder.column("SELECT CAST(id AS VARCHAR) FROM data.things");
        let ids = ids.map_err(|error| error.chain())?;
        let set: BTreeSet<u64> = ids.iter().filter_map(|id| id.parse().ok()).collect();
        if set.len() == ids.len() { Ok(set) } else { Err(format!("rows are doubled: {ids:?}")) }
    }
}

fn expect(what: &str, got: &BTreeSet<u64>, expected: &BTreeSet<u64>) -> Result<(), String> {
    if got == expected { Ok(()) } else { Err(format!("{what}: {got:?} instead of {expected:?}")) }
}

fn pair(older: &Value, newer: &Value) -> Result<(), String> {
    // Nothing is lost: the newer one comes with the next run.
    let feed = Feed::new()?;
    feed.load(vec![(1, older.clone())])?;
    let got = feed.load(vec![(1, older.clone()), (2, newer.clone())])?;
    expect("the newer one", &got, &[1, 2].into())?;
    // Nothing goes back: an older one that comes last does not move the cursor, so what is as old is old.
    let feed = Feed::new()?;
    feed.load(vec![(1, newer.clone()), (2, older.clone())])?;
    let got = feed.load(vec![(3, older.clone()), (1, newer.clone()), (4, newer.clone())])?;
    expect("after an older one", &got, &[1, 2, 4].into())
}

/// Seconds and milliseconds of January 2024, in one of the forms that APIs write.
fn form(millis: u64, form: u32) -> Value {
    const FIRST: u64 = 1_704_067_200;
    let (offset, sign) = [(0, '+'), (2, '+'), (5, '-'), (11, '+')][form as usize / 6 % 4];
    let shift = offset * 3_600_000;
    let local = if sign == '+' { millis + shift } else { millis - shift };
    let (seconds, part) = (local / 1000, local % 1000);
    let (day, hour, minute, second) =
        (seconds / 86_400 + 1, seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    let time = format!("{hour:02}:{minute:02}:{second:02}");
    match form % 6 {
        0 => json!(format!("2024-01-{day:02}T{time}.{part:03}{sign}{offset:02}:00")),
        1 => json!(format!("2024-01-{day:02} {time}.{part:03}000{sign}{offset:02}00")),
        2 => json!(format!("2024-01-{day:02}T{time}.{part:03}000000{sign}{offset:02}")),
        3 => json!(format!("2024-01-{day:02} {time}.{part:03} {sign}{offset:02}00")),
        4 => json!((FIRST * 1000 + millis).to_string()),
        _ if part == 0 => json!(format!("2024-01-{day:02}T{time}{sign}{offset:02}:00")),
        _ => json!(format!("202401{day:02}T{}.{part:03}{sign}{offset:02}00", time.replace(':', ""))),
    }
}

/// A hundred records in two runs; the second must bring those that are not older than the newest of the first.
fn list(seed: u64) -> Result<(), String> {
    let mut random = fastrand::Rng::with_seed(seed);
    let day = 86_400_000;
    // Milliseconds in text have no order among timestamps but as such: a list has them, or the others.
    let in_millis = random.bool();
    let mut records = Vec::new();
    for id in 0..100_u64 {
        let coarse = if random.bool() { 1000 } else { 1 };
        let millis = random.u64(2 * day..3 * day) / coarse * coarse;
        let mut shape = random.u32(0..24);
        if !in_millis && shape % 6 == 4 {
            shape += 1;
        }
        records.push((id, millis, form(millis, shape)));
    }
    let (first, second) = records.split_at(50);
    let newest = first.iter().map(|(_, millis, _)| *millis).max().unwrap_or_default();
    let given =
        |part: &[(u64, u64, Value)]| part.iter().map(|(id, _, at)| (*id, at.clone())).collect::<Vec<_>>();
    let feed = Feed::new()?;
    let got = feed.load(given(first))?;
    expect("the first run", &got, &(0..50).collect())?;
    let late = second.iter().filter(|(_, millis, _)| *millis >= newest).map(|(id, ..)| *id);
    let expected = (0..50).chain(late).collect();
    expect("the second run", &feed.load(given(second))?, &expected)
}

fn run(bench: &Bench) -> Outcome {
    let mut outcome = Outcome::default();
    let limit = Duration::from_secs(30);
    let pairs = pairs();
    let step = pairs.len() / bench.of(15, pairs.len());
    for (name, older, newer) in pairs.into_iter().step_by(step) {
        let result = within(limit, move || pair(&older, &newer));
        outcome.case(name, result.and_then(|result| result));
    }
    let lists = bench.of(10, 100);
    for seed in 0..lists as u64 {
        let result = within(limit, move || list(seed));
        outcome.case(format!("list of seed {seed}"), result.and_then(|result| result));
    }
    outcome.figure("cursors in lists of mixed forms", lists * 100);
    outcome
}
