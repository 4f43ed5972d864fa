//! Records on the borders of windows, appended: none is missing and none is there twice.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::late::{Late, Server, json as answer};
use crate::load::{Folder, failure};
use crate::raw::{Answer, Asked};

/// 2024-01-01, in milliseconds.
const FIRST: i64 = 1_704_067_200_000;
const DAY: i64 = 86_400_000;
/// Days that are read.
const DAYS: i64 = 12;

/// How times are sent, and whether the API includes the end of a range.
#[derive(Clone, Copy, Debug)]
pub(super) struct Case {
    format: &'static str,
    window: &'static str,
    end_included: bool,
}

const fn case(format: &'static str, window: &'static str, end_included: bool) -> Case {
    Case { format, window, end_included }
}

pub(super) const ALL: [Case; 8] = [
    case("unix", "1d", false),
    case("unix", "36h", true),
    case("unix_milliseconds", "2d", false),
    case("unix_milliseconds", "1d", true),
    case("iso", "1d", false),
    case("iso", "7h", true),
    case("date", "1d", false),
    case("date", "5d", true),
];

impl Case {
    /// Milliseconds of a parameter as this API reads it.
    fn read(self, text: &str) -> Option<i64> {
        match self.format {
            "unix" => text.parse::<i64>().ok().map(|seconds| seconds * 1000),
            "unix_milliseconds" => text.parse().ok(),
            "date" => instant(&format!("{text}T00:00:00Z")),
            _ => instant(text),
        }
    }

    /// A record's time as this API writes it.
    fn write(self, millis: i64) -> Value {
        match self.format {
            // Finer than what is asked by.
            "unix" if millis % 1000 != 0 => json!(format!("{}.{:03}", millis / 1000, millis % 1000)),
            "unix" => json!(millis / 1000),
            "unix_milliseconds" => json!(millis),
            _ => json!(iso(millis)),
        }
    }

    fn within(self, at: i64, since: i64, until: Option<i64>) -> bool {
        let Some(until) = until else { return at >= since };
        // A day that is included is included whole.
        let until = if self.end_included && self.format == "date" { until + DAY - 1 } else { until };
        at >= since && (at < until || at == until && self.end_included)
    }

    fn page(self, asked: &Asked, times: &[i64]) -> Answer {
        let bound = |name: &str| asked.param(name).map(|text| text.replace("%3A", ":"));
        let Some(since) = bound("since").and_then(|text| self.read(&text)) else {
            return Answer::whole("400 Bad Request", &[], "since");
        };
        let until = match bound("until").map(|text| self.read(&text)) {
            Some(None) => return Answer::whole("400 Bad Request", &[], "until"),
            known => known.flatten(),
        };
        let found: Vec<Value> = (0_u64..)
            .zip(times)
            .filter(|(_, at)| self.within(**at, since, until))
            .map(|(id, at)| json!({"id": id.to_string(), "at": self.write(*at)}))
            .collect();
        let from = super::late::number(asked, "offset").unwrap_or_default();
        let from = usize::try_from(from).unwrap_or(usize::MAX).min(found.len());
        let page = found.get(from..(from + 5).min(found.len())).unwrap_or_default();
        answer(&json!({"data": page, "total": found.len()}))
    }

    fn config(self, server: &Server, end: Option<i64>) -> String {
        let initial = if self.format == "date" { json!("2024-01-01") } else { self.write(FIRST) };
        let closed = if self.end_included { ", range_end: closed" } else { "" };
        let end = end.map(|end| format!(", end_value: {}", self.write(end))).unwrap_or_default();
        format!(
            "{}resources:\n  - {{name: things, write_disposition: append, primary_key: id, endpoint: {{path: items, \
             data_selector: data, paginator: {{type: offset, limit: 5}}, incremental: {{cursor_path: at, start_param: since, \
             end_param: until, format: {}, window: {}, initial_value: {initial}{end}{closed}}}}}}}\n",
            server.client(16),
            self.format,
            self.window
        )
    }
}

fn instant(text: &str) -> Option<i64> {
    text.parse::<Timestamp>().ok().map(Timestamp::as_millisecond)
}

fn iso(millis: i64) -> String {
    Timestamp::from_millisecond(millis).map(|time| time.to_string()).unwrap_or_default()
}

/// Records on every hour that may be a border, beside it, and anywhere.
fn times(seed: u64) -> Vec<i64> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut times = Vec::new();
    for hour in (0..DAYS * 24).filter(|hour| hour % 24 == 0 || hour % 7 == 0 || hour % 36 == 0) {
        let border = FIRST + hour * DAY / 24;
        times.push(border);
        times.extend([border + 1, border + 999, border + 1000].into_iter().filter(|_| random.bool()));
        times.extend(
            [border - 1, border - 500, border - 1000].into_iter().filter(|at| *at > FIRST && random.bool()),
        );
    }
    times.extend((0..50).map(|_| FIRST + random.i64(0..DAYS * DAY)));
    random.shuffle(&mut times);
    times
}

/// Reads a range that ends, into one table, and one that does not, twice, into another.
pub(super) fn once(case: Case, seed: u64) -> Result<(), String> {
    let times = times(seed);
    let end = FIRST + DAYS * DAY;
    let listed = times.clone();
    let server = Server::start(Late::Upto(3), seed, move |asked, _| case.page(asked, &listed))?;
    let before_end = times.iter().filter(|at| **at < end || **at == end && case.end_included).count();
    check(&case.config(&server, Some(end)), 1, before_end, "a range")?;
    // Up to now there are thousands of small windows, and many of a day.
    let few = !case.window.ends_with('h') && (case.window != "1d" || seed == 5);
    if !few || !seed.is_multiple_of(5) {
        return Ok(());
    }
    check(&case.config(&server, None), 2, times.len(), "everything, twice")
}

fn check(config: &str, runs: usize, expected: usize, what: &str) -> Result<(), String> {
    let folder = Folder::new().map_err(|error| error.to_string())?;
    for _ in 0..runs {
        let loaded = folder.load(config, &[]);
        if let Some(error) = failure(&loaded) {
            return Err(format!("{what}: {error}"));
        }
    }
    let ids = folder.column("SELECT id FROM data.things").map_err(|error| error.chain())?;
    let mut different = ids.clone();
    different.sort_unstable();
    different.dedup();
    if ids.len() == expected && different.len() == expected {
        Ok(())
    } else {
        Err(format!("{what}: {} rows, {} of them different, of {expected}", ids.len(), different.len()))
    }
}
