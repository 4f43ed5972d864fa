//! R6: lists that change while they are read.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use dray::report::{CompletenessVerdict, Status};
use dray_sim::{Api, Options, Request, Response, Sim};
use serde_json::{Value, json};

use crate::deadline::within;
use crate::load::{Folder, failure, of};
use crate::suite::{Bench, Outcome, Suite};

/// The suite.
pub(super) const SUITE: Suite = Suite {
    id: "R6",
    name: "lists that change while they are read",
    criterion: "every row that is there from the first page to the last is loaded exactly once, by append and by merge, \
                and the report says that the list changed",
    dlt: "loses rows by deletions and doubles them by insertions, in silence (2 of 2 cases)",
    run,
};

/// How the list is paged, and how it is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    OffsetTotal,
    Offset,
    PageTotal,
    /// Without a total a page number needs `drift: verify`.
    Page,
    Cursor,
    Link,
    /// Changes without limit between two pages need it too, total or not.
    OffsetVerified,
    PageVerified,
}

const KINDS: [Kind; 8] = [
    Kind::OffsetTotal,
    Kind::Offset,
    Kind::PageTotal,
    Kind::Page,
    Kind::Cursor,
    Kind::Link,
    Kind::OffsetVerified,
    Kind::PageVerified,
];

impl Kind {
    fn paginator(self, limit: u64) -> String {
        match self {
            Self::OffsetTotal | Self::Offset => format!("{{type: offset, limit: {limit}}}"),
            Self::OffsetVerified => format!("{{type: offset, limit: {limit}, drift: verify}}"),
            Self::PageTotal => format!("{{type: page_number, base_page: 1, limit: {limit}}}"),
            Self::Page | Self::PageVerified => {
                format!("{{type: page_number, base_page: 1, limit: {limit}, drift: verify}}")
            }
            Self::Cursor => {
                format!("{{type: cursor, cursor_path: next, cursor_param: after, limit: {limit}}}")
            }
            Self::Link => "{type: json_link, next_url_path: next}".to_owned(),
        }
    }

    fn has_total(self) -> bool {
        matches!(self, Self::OffsetTotal | Self::PageTotal | Self::OffsetVerified | Self::PageVerified)
    }

    /// Changes between two pages: one where it must show in the total, else several.
    fn at_once(self) -> u32 {
        if matches!(self, Self::OffsetTotal | Self::PageTotal) { 1 } else { 3 }
    }

    /// Rows change their place in the list.
    fn moves(self) -> bool {
        matches!(self, Self::Page | Self::OffsetVerified | Self::PageVerified)
    }
}

/// Requests at once: one, or for half of the lists of each kind and variant several, with pages ahead.
fn at_once(seed: u64) -> u64 {
    if (seed / (3 * KINDS.len() as u64)).is_multiple_of(2) { 1 } else { 8 }
}

/// A row: its place in the order, its id and its version.
#[derive(Clone, Copy, Debug)]
struct Row {
    place: f64,
    id: u64,
    version: u64,
}

/// The server's list and its ledger.
#[derive(Debug)]
struct World {
    rows: Vec<Row>,
    random: fastrand::Rng,
    limit: usize,
    total: bool,
    next: u64,
    budget: u32,
    at_once: u32,
    moves: bool,
    updates: bool,
    requests: u64,
    /// Requests from one change to the next at least: where pages are asked for ahead, so many may lie between two
    /// neighbours.
    apart: u64,
    calm: u64,
    /// Rows that were never deleted since the first page.
    steady: BTreeSet<u64>,
    /// Every row that there ever was.
    ever: BTreeSet<u64>,
    ledger: Vec<String>,
}

impl World {
    fn new(kind: Kind, keyed: bool, seed: u64) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        let size = random.u64(0..60);
        let rows = (0..size).zip(1_u32..).map(|(id, place)| Row { place: f64::from(place), id, version: 0 });
        Self {
            rows: rows.collect(),
            limit: random.usize(3..12),
            total: kind.has_total(),
            next: size,
            budget: random.u32(0..5),
            at_once: kind.at_once(),
            // Without a key a row that changed, or came up elsewhere, is another row.
            moves: kind.moves() && keyed,
            updates: keyed,
            requests: 0,
            apart: if at_once(seed) > 1 { 2 * at_once(seed) } else { 0 },
            calm: 0,
            steady: (0..size).collect(),
            ever: (0..size).collect(),
            ledger: Vec::new(),
            random,
        }
    }

    /// A place in the order before the row at an index.
    fn between(&self, index: usize) -> f64 {
        let place = |index: usize| self.rows.get(index).map(|row| row.place);
        let before = index.checked_sub(1).and_then(place).unwrap_or(0.0);
        let after = place(index).unwrap_or(before + 2.0);
        (before + after) / 2.0
    }

    fn change(&mut self) {
        self.calm = self.calm.saturating_sub(1);
        if self.calm > 0 {
            return;
        }
        let before = self.ledger.len();
        self.changes();
        if self.ledger.len() > before {
            self.calm = self.apart;
        }
    }

    fn changes(&mut self) {
        for _ in 0..self.at_once {
            if self.budget == 0 || self.random.u8(0..10) > 3 {
                continue;
            }
            self.budget -= 1;
            let index = self.random.usize(0..=self.rows.len());
            match self.random.u8(0..4) {
                0 => {
                    let row = Row { place: self.between(index), id: self.next, version: 0 };
                    self.rows.insert(index, row);
                    self.ever.insert(row.id);
                    self.ledger.push(format!("+{}@{index}", row.id));
                    self.next += 1;
                }
                1 if index < self.rows.len() => {
                    let row = self.rows.remove(index);
                    self.steady.remove(&row.id);
                    self.ledger.push(format!("-{}@{index}", row.id));
                }
                2 if self.moves && index < self.rows.len() => {
                    let mut row = self.rows.remove(index);
                    let to = self.random.usize(0..=self.rows.len());
                    row.place = self.between(to);
                    self.rows.insert(to, row);
                    self.ledger.push(format!("{}@{index}->{to}", row.id));
                }
                3 if self.updates => {
                    if let Some(row) = self.rows.get_mut(index) {
                        row.version += 1;
                        self.ledger.push(format!("~{}", row.id));
                    }
                }
                _ => {}
            }
        }
    }

    fn answer(&mut self, kind: Kind, request: &Request) -> Response {
        if self.requests > 0 {
            self.change();
        }
        self.requests += 1;
        let number = |name: &str| request.param(name).and_then(|text| text.parse::<usize>().ok());
        let from = match kind {
            Kind::OffsetTotal | Kind::Offset | Kind::OffsetVerified => number("offset").unwrap_or(0),
            Kind::PageTotal | Kind::Page | Kind::PageVerified => {
                (number("page").unwrap_or(1) - 1) * self.limit
            }
            Kind::Cursor | Kind::Link => {
                let after = request.param("after").and_then(|text| text.parse::<f64>().ok());
                after.map_or(0, |after| self.rows.partition_point(|row| row.place <= after))
            }
        };
        self.ledger.push(format!("read {from}"));
        let page: Vec<Row> = self.rows.iter().skip(from).take(self.limit).copied().collect();
        let data: Vec<Value> = page.iter().map(|row| json!({"id": row.id, "version": row.version})).collect();
        let mut body = json!({ "data": data });
        if self.total {
            body["total"] = json!(self.rows.len());
        }
        let more = from + page.len() < self.rows.len();
        if let Some(last) = page.last().filter(|_| more) {
            body["next"] = match kind {
                Kind::Cursor => json!(last.place.to_string()),
                Kind::Link => json!(format!("/items?after={}", last.place)),
                _ => Value::Null,
            };
        }
        Response::json(&body)
    }
}

/// What a sequence gave, for the figures.
#[derive(Debug, Default)]
struct Gave {
    changed: bool,
    flagged: bool,
    refused: bool,
    requests: u64,
}

fn sequence(kind: Kind, merge: bool, keyed: bool, seed: u64) -> Result<Gave, String> {
    let world = Arc::new(Mutex::new(World::new(kind, keyed, seed)));
    let limit = lock(&world).limit as u64;
    let served = Arc::clone(&world);
    let api = Api::custom(move |request| lock(&served).answer(kind, request));
    let sim = Sim::start(Options { api, record: false, ..Options::default() })
        .map_err(|error| error.to_string())?;
    let disposition = if merge { "merge" } else { "append" };
    let key = if keyed { "primary_key: id, " } else { "" };
    let config = format!(
        "client: {{base_url: \"{}\", concurrency: {}, retry: {{max_retries: 3, backoff_factor: 0.01}}}}\nresources:\n  - {{name: things, \
         write_disposition: {disposition}, {key}endpoint: {{path: items, data_selector: data, paginator: {}}}}}\n",
        sim.base_url(),
        at_once(seed),
        kind.paginator(limit)
    );
    let folder = Folder::new().map_err(|error| error.to_string())?;
    let loaded = folder.load(&config, &[]);
    let world = lock(&world);
    let context = || format!("{:?}", world.ledger);
    let mut gave = Gave {
        changed: world.ledger.iter().any(|line| line.starts_with(['+', '-'])),
        requests: world.requests,
        ..Gave::default()
    };
    if let Some(error) = failure(&loaded) {
        // As many insertions as a page has records look like a server that repeats itself: loud, and rare.
        gave.refused = true;
        return if error.contains("same page again") {
            Ok(gave)
        } else {
            Err(format!("{error}; {}", context()))
        };
    }
    let report = loaded.map_err(|error| error.chain())?;
    let resource = of(&report, "things").ok_or("the report lacks the resource")?;
    gave.flagged = resource.drift.is_some();
    let mut came: BTreeMap<u64, u64> = BTreeMap::new();
    if resource.rows > 0 {
        let ids =
            folder.column("SELECT CAST(id AS VARCHAR) FROM data.things").map_err(|error| error.chain())?;
        for id in ids {
            *came.entry(id.parse().map_err(|_| format!("`{id}` is no id"))?).or_default() += 1;
        }
    }
    for id in &world.steady {
        if !came.contains_key(id) {
            return Err(format!("row {id} is missing; {}", context()));
        }
    }
    if let Some((id, times)) = came.iter().find(|(_, times)| **times > 1) {
        return Err(format!("row {id} is there {times} times; {}", context()));
    }
    if let Some(id) = came.keys().find(|id| !world.ever.contains(id)) {
        return Err(format!("row {id} never was; {}", context()));
    }
    let count = came.len() as u64;
    if resource.records < count || resource.status != Status::Succeeded {
        return Err(format!("the report says {resource:?}"));
    }
    let verdict = resource.completeness.map(|completeness| completeness.verdict);
    if !gave.changed {
        let expected =
            if kind.has_total() { CompletenessVerdict::Complete } else { CompletenessVerdict::Unknown };
        if verdict != Some(expected) {
            return Err(format!(
                "nothing changed, but the report says {:?}; {}",
                resource.completeness,
                context()
            ));
        }
    }
    Ok(gave)
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn run(bench: &Bench) -> Outcome {
    let mut outcome = Outcome::default();
    let sequences = bench.of(96, 2000);
    let workers = 2;
    let threads: Vec<_> = (0..workers)
        .map(|worker| {
            std::thread::spawn(move || (worker..sequences).step_by(workers).map(one).collect::<Vec<_>>())
        })
        .collect();
    let (mut flagged, mut changed, mut refused, mut requests) = (0, 0, 0, 0);
    for thread in threads {
        let Ok(results) = thread.join() else {
            outcome.case("a worker", Err("it panicked".to_owned()));
            continue;
        };
        for (name, result) in results {
            if let Ok(gave) = &result {
                changed += u64::from(gave.changed);
                flagged += u64::from(gave.changed && gave.flagged);
                refused += usize::from(gave.refused);
                requests += gave.requests;
            }
            outcome.case(name, result.map(|_| ()));
        }
    }
    if refused * 50 > sequences {
        outcome.case("refusals", Err(format!("{refused} of {sequences} lists were refused")));
    }
    outcome.figure("lists that changed while they were read", changed);
    outcome.figure("of them reported as such (others changed where nothing was shifted)", flagged);
    outcome.figure("lists refused because they looked like a loop", refused);
    outcome.figure("requests", requests);
    outcome
}

/// A sequence by its seed, which decides everything.
fn one(number: usize) -> (String, Result<Gave, String>) {
    let kind = KINDS[number % KINDS.len()];
    let variant = number / KINDS.len() % 3;
    let seed = number as u64;
    let (merge, keyed) = (variant == 1, variant != 2);
    let name = format!("seed {seed}, {kind:?}, {}", if merge { "merge" } else { "append" });
    let result = within(Duration::from_secs(60), move || sequence(kind, merge, keyed, seed));
    (name, result.and_then(|result| result))
}
