//! R21: what checkpoints cost: the same load with them, and with one commit at its end, by turns.

use std::collections::HashMap;
use std::time::Duration;

use dray_sim::{Api, Options, Sim};
use serde_json::json;

use crate::load::{DATASET, Folder};
use crate::measured::{Commits, Cost, cost};
use crate::raw::{Answer, Asked, Raw};
use crate::suite::{Bench, Outcome, Suite};

/// The suite.
pub(super) const SUITE: Suite = Suite {
    id: "R21",
    name: "price of checkpoints",
    criterion: "50,000 charges with checkpoints take at most 1.15 times what they take with one commit at the end (median of the pairs)",
    dlt: "commits once a table and load; what it fetched before is lost with the working folder",
    run,
};

/// Records of a page.
const PAGE: usize = 100;
/// One load may take so long.
const LONGEST: Duration = Duration::from_secs(120);
/// The most that checkpoints may cost, by wall time.
const MOST: f64 = 1.15;

fn run(bench: &Bench) -> Outcome {
    let mut outcome = Outcome::default();
    let (charges, pairs) = (bench.of(2_000, 50_000), bench.of(1, 7));
    match compare(bench, charges, pairs) {
        Err(problem) => outcome.case(format!("{charges} charges"), Err(problem)),
        Ok(costs) => {
            let wall = median(costs.iter().map(|(many, once)| many.wall / once.wall));
            let cpu = median(costs.iter().map(|(many, once)| many.cpu / once.cpu));
            outcome.figure("with checkpoints, wall", seconds(costs.iter().map(|(many, _)| many.wall)));
            outcome.figure("one commit at the end, wall", seconds(costs.iter().map(|(_, once)| once.wall)));
            outcome.figure("ratio of wall time, median of the pairs", format!("{wall:.2}"));
            outcome.figure("ratio of CPU time, median of the pairs", format!("{cpu:.2}"));
            let peak = |one: fn(&(Cost, Cost)) -> u64| costs.iter().map(one).max().unwrap_or_default();
            outcome.figure("with checkpoints, peak", format!("{} MiB", peak(|(many, _)| many.peak)));
            outcome.figure("one commit at the end, peak", format!("{} MiB", peak(|(_, once)| once.peak)));
            // One pair of small loads says nothing about time: there only the rows are looked at.
            let dear = pairs > 1 && wall > MOST;
            let verdict =
                if dear { Err(format!("{wall:.2} times, at most {MOST} are allowed")) } else { Ok(()) };
            outcome.case(format!("{charges} charges, {pairs} pairs"), verdict);
        }
    }
    outcome
}

/// Pairs of loads: with checkpoints, and with one commit.
fn compare(bench: &Bench, charges: usize, pairs: usize) -> Result<Vec<(Cost, Cost)>, String> {
    let server = serve(charges).map_err(|error| error.to_string())?;
    let config = format!(
        "client: {{base_url: \"{}\"}}\nresources:\n  - name: charges\n    primary_key: id\n    write_disposition: merge\n    \
         endpoint:\n      path: charges\n      data_selector: data\n      paginator: {{type: cursor, cursor_path: \"data[-1].id\", \
         cursor_param: starting_after, has_more_path: has_more}}\n",
        server.base_url()
    );
    let load = |commits: Commits| -> Result<Cost, String> {
        let folder = Folder::new().map_err(|error| error.to_string())?;
        let cost = cost(&bench.program, &folder, &config, commits, LONGEST)?;
        let found = folder.column(&format!("SELECT count(DISTINCT id) FROM {DATASET}.charges"));
        let found = found.map_err(|error| error.chain())?;
        if found != [charges.to_string()] {
            return Err(format!("{found:?} of {charges} rows"));
        }
        Ok(cost)
    };
    // The first load of each kind warms the machine up.
    if pairs > 1 {
        load(Commits::Many)?;
        load(Commits::Once)?;
    }
    (0..pairs).map(|_| Ok((load(Commits::Many)?, load(Commits::Once)?))).collect()
}

/// An API that costs next to nothing: all its pages are ready.
fn serve(charges: usize) -> std::io::Result<Raw> {
    let size = u64::try_from(charges).unwrap_or(u64::MAX);
    let records = Sim::start(Options { api: Api::Stripe, size, ..Options::default() })?.expected("charges");
    let mut pages: HashMap<String, Vec<u8>> = HashMap::new();
    let mut after = String::new();
    for (at, page) in records.chunks(PAGE).enumerate() {
        let more = (at + 1) * PAGE < records.len();
        let body = json!({"object": "list", "has_more": more, "data": page});
        pages.insert(std::mem::take(&mut after), body.to_string().into_bytes());
        after = page.last().and_then(|last| last["id"].as_str()).unwrap_or_default().to_owned();
    }
    Raw::start(move |asked: &Asked| {
        let after = asked.param("starting_after").unwrap_or_default();
        Answer::json(pages.get(after).cloned().unwrap_or_default())
    })
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

fn seconds(values: impl Iterator<Item = f64> + Clone) -> String {
    let least = values.clone().fold(f64::INFINITY, f64::min);
    let most = values.clone().fold(0.0, f64::max);
    format!("{:.2} s ({least:.2} to {most:.2})", median(values))
}
