//! R17: bytes thrown at everything that reads what others wrote. The machine is in `fuzz`.

use std::time::Duration;

use crate::fuzz::{all, watch};
use crate::suite::{Bench, Outcome, Scale, Suite};

/// The suite.
pub(super) const SUITE: Suite = Suite {
    id: "R17",
    name: "fuzz",
    criterion: "mutated pages, configurations, JSONPaths, headers, compressed bodies, stored states and damaged datasets: no crash, no panic, no overflow, nothing over 1 s of computing or 512 MB, and what is read twice is read alike",
    dlt: "",
    run,
};

fn run(bench: &Bench) -> Outcome {
    let mut outcome = Outcome::default();
    let time = bench.time.unwrap_or(Duration::from_secs(if bench.scale == Scale::Full { 20 } else { 1 }));
    let folder = bench.program.with_file_name("fuzz");
    for target in all() {
        let watched = watch::run(&bench.program, target, (bench.from, time), &folder);
        let result = watched.as_ref().map_err(Clone::clone).and_then(|watched| match &*watched.findings {
            [] => Ok(()),
            findings => Err(findings.join("\n       ")),
        });
        outcome.case(target.name, result);
        if let Ok(watch::Watched { inputs, anew, .. }) = watched {
            outcome.figure(target.name, format!("{inputs} inputs, {} processes", anew + 1));
        }
    }
    outcome
}
