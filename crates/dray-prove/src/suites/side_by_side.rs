//! R22: reading side by side. What comes of a load does not depend on the order in which answers come, on where windows
//! are cut, or on how many requests are under way.

mod borders;
mod late;
mod order;
mod pace;

use std::time::Duration;

use super::deaths;
use crate::deadline::within;
use crate::scenario::Kind;
use crate::suite::{Bench, Outcome, Suite};

/// The suite.
pub(super) const SUITE: Suite = Suite {
    id: "R22",
    name: "side by side",
    criterion: "with 16 requests at once and answers in any order the tables are those of one request after the other, for at most 16 \
                requests more; records on the borders of windows are loaded once; a kill loses and doubles nothing; no resource waits \
                for another; an API that answers slowly is read in at most an eighth of the time",
    dlt: "",
    run,
};

/// The longest that one case may take on a busy machine.
const LIMIT: Duration = Duration::from_secs(120);

fn run(bench: &Bench) -> Outcome {
    let mut outcome = Outcome::default();
    for list in order::ALL {
        for seed in 0..bench.of(1, 10) as u64 {
            let result = within(LIMIT, move || order::same(list, seed));
            outcome.case(format!("{} of seed {seed}", list.name()), result.and_then(|result| result));
        }
    }
    for seed in 0..bench.of(1, 10) as u64 {
        for case in borders::ALL {
            let result = within(LIMIT, move || borders::once(case, seed));
            outcome.case(format!("borders of {case:?} of seed {seed}"), result.and_then(|result| result));
        }
    }
    for kind in Kind::SIDE_BY_SIDE {
        deaths::kills(bench, kind, &mut outcome);
    }
    let result = within(LIMIT, pace::fair);
    outcome.case("a short list beside a thousand parents", result.and_then(|result| result));
    let result = within(LIMIT, pace::asked_for_less);
    outcome.case("an API that takes four requests at once", result.and_then(|result| result));
    let full = bench.of(0, 1) == 1;
    for work in pace::ALL {
        let result = within(LIMIT, move || pace::faster(work, full));
        match result.and_then(|result| result) {
            Ok(found) => {
                outcome.case(work.name(full), Ok(()));
                outcome.figure(work.name(full), found);
            }
            Err(problem) => outcome.case(work.name(full), Err(problem)),
        }
    }
    outcome
}
