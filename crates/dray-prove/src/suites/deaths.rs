//! R1, R2, R15: a run dies, is refused something or is not told of its commit, at one step after the other, until it
//! passes; the next run makes good.

use std::fs;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use dray::steps::{Steps, Verdict};

use crate::child::{Died, Dying};
use crate::load::{DATASET, Folder, failure, load_into, plan};
use crate::scenario::{Kind, World};
use crate::suite::{Bench, Outcome, Scale, Suite};

/// Killed.
pub(super) const KILLS: Suite = Suite {
    id: "R1",
    name: "kill sweep",
    criterion: "killed with SIGKILL at every second numbered step (of an append at every one), a load loses nothing, doubles nothing, shows nothing torn, and the next run succeeds, reading at most one loaded page a chain again",
    dlt: "119 of 601 kill points end in duplicates (82) or a pipeline that never runs again by itself (37); merge with the folder kept: 0 of 74",
    run: |bench| run(bench, Death::Killed),
};

/// Refused.
pub(super) const REFUSALS: Suite = Suite {
    id: "R2",
    name: "refused statements",
    criterion: "a statement, an ingest or a page that fails at every numbered step leaves a clear error or nothing, and the next run succeeds with exact rows",
    dlt: "disk full: recovers once there is space (2 of 2); the rest was not measured",
    run: |bench| run(bench, Death::Refused),
};

/// Not told.
pub(super) const LOST_ANSWERS: Suite = Suite {
    id: "R15",
    name: "lost answers of a commit",
    criterion: "a commit that happened but was answered with an error is recognised by its sequence number: the run goes on, nothing doubles",
    dlt: "",
    run: |bench| run(bench, Death::NotTold),
};

/// What happens at the step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Death {
    /// The process is gone.
    Killed,
    /// The step fails.
    Refused,
    /// A commit is done and answered with an error.
    NotTold,
}

/// The step that [`Death::NotTold`] is about.
const AFTER_COMMIT: &str = "after a commit";

/// Steps that one sweep may have at the most: it must end.
const MOST: u64 = 5000;

/// What went on over all points.
#[derive(Debug, Default)]
struct Tally {
    points: AtomicUsize,
    again: AtomicUsize,
}

fn run(bench: &Bench, death: Death) -> Outcome {
    let outcome = Mutex::new(Outcome::default());
    let tally = Tally::default();
    for kind in Kind::ALL {
        sweep(bench, kind, death, &outcome, &tally);
    }
    let mut outcome = outcome.into_inner().unwrap_or_default();
    outcome.figure("points", tally.points.load(Ordering::Relaxed));
    outcome.figure("loaded pages read again, over all points", tally.again.load(Ordering::Relaxed));
    outcome
}

/// The kill sweep of one more kind of load.
pub(super) fn kills(bench: &Bench, kind: Kind, outcome: &mut Outcome) {
    let swept = Mutex::new(Outcome::default());
    sweep(bench, kind, Death::Killed, &swept, &Tally::default());
    let swept = swept.into_inner().unwrap_or_default();
    outcome.cases += swept.cases;
    outcome.failures.extend(swept.failures);
}

/// All points of one kind of load, by two workers, each with an API of its own.
fn sweep(bench: &Bench, kind: Kind, death: Death, outcome: &Mutex<Outcome>, tally: &Tally) {
    let stride = match (bench.scale, death) {
        // Commits are few.
        (Scale::Full, Death::NotTold) => 1,
        (Scale::Share, Death::NotTold) => 7,
        (Scale::Full, Death::Killed) if kind == Kind::Append => 1,
        (Scale::Full, Death::Killed) => 2,
        (Scale::Full, Death::Refused) => 3,
        (Scale::Share, _) => 71,
    };
    let next = AtomicU64::new(1);
    let over = AtomicU64::new(MOST);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let worker = match Worker::new(bench, kind, death) {
                    Ok(worker) => worker,
                    Err(problem) => return note(outcome, kind.name(), Err(problem)),
                };
                loop {
                    let at = next.fetch_add(stride, Ordering::Relaxed);
                    if at >= over.load(Ordering::Relaxed) {
                        return;
                    }
                    match worker.point(at, tally) {
                        Ok(Died::Survived) => over.store(at, Ordering::Relaxed),
                        Ok(Died::Killed) => note(outcome, &format!("{} at step {at}", kind.name()), Ok(())),
                        Err(problem) => note(outcome, &format!("{} at step {at}", kind.name()), Err(problem)),
                    }
                }
            });
        }
    });
    if over.load(Ordering::Relaxed) == MOST {
        note(outcome, kind.name(), Err("the sweep did not come to the end of the run".to_owned()));
    }
}

fn note(outcome: &Mutex<Outcome>, name: &str, result: Result<(), String>) {
    if let Ok(mut outcome) = outcome.lock() {
        outcome.case(name, result);
    }
}

struct Worker<'b> {
    bench: &'b Bench,
    death: Death,
    world: World,
    /// A folder with the database as it is before the load.
    before: Option<Folder>,
}

impl<'b> Worker<'b> {
    fn new(bench: &'b Bench, kind: Kind, death: Death) -> Result<Self, String> {
        let world = World::start(kind).map_err(|error| error.to_string())?;
        let folder = Folder::new().map_err(|error| error.to_string())?;
        let before = world.before(&folder)?.map(|_| folder);
        world.state(true);
        Ok(Self { bench, death, world, before })
    }

    /// Kills at one step, looks, runs again, looks, and runs once more.
    fn point(&self, at: u64, tally: &Tally) -> Result<Died, String> {
        let folder = Folder::new().map_err(|error| error.to_string())?;
        if let Some(before) = &self.before {
            fs::copy(before.database(), folder.database()).map_err(|error| error.to_string())?;
        }
        let world = &self.world;
        world.sim.clear_requests();
        // A run that was only refused something, or not told, may have come to its end all the same.
        let (died, mut went_on) = match self.death {
            Death::Killed => {
                let base = world.sim.base_url().to_owned();
                let dying = Dying { kind: world.kind, base, database: folder.database(), at };
                (dying.run(&self.bench.program)?, false)
            }
            Death::Refused | Death::NotTold => self.fail(&folder, at)?,
        };
        if died == Died::Survived {
            return Ok(died);
        }
        // So may one that was killed after its last commit.
        went_on |= self.is_over(&folder)?;
        if went_on {
            // It was a run like any other.
            self.complete(&folder, "after the run", 1)?;
        }
        tally.points.fetch_add(1, Ordering::Relaxed);
        let loaded = self.look(&folder)?;
        world.sim.clear_requests();
        world.load(&folder.database()).map_err(|problem| format!("the next run failed: {problem}"))?;
        if !went_on {
            tally.again.fetch_add(self.read_again(&loaded)?, Ordering::Relaxed);
        }
        let runs = usize::from(went_on);
        self.complete(&folder, "after the next run", 1 + runs)?;
        world.load(&folder.database()).map_err(|problem| format!("the run after it failed: {problem}"))?;
        self.complete(&folder, "after one more run", 2 + runs)?;
        let open =
            folder.column("SELECT resource FROM data._dray_positions").map_err(|error| error.chain())?;
        if !open.is_empty() {
            return Err("a position is left over".to_owned());
        }
        Ok(died)
    }

    /// Lets one step fail, in this process.
    fn fail(&self, folder: &Folder, at: u64) -> Result<(Died, bool), String> {
        let commits = self.death == Death::NotTold;
        let reached = std::sync::Arc::new(AtomicU64::new(0));
        let seen = std::sync::Arc::clone(&reached);
        let steps = Steps::watched(move |number, name| {
            let own = match (commits, name == AFTER_COMMIT) {
                (true, false) => return Verdict::GoOn,
                (true, true) => seen.fetch_add(1, Ordering::SeqCst) + 1,
                (false, _) => {
                    seen.store(number, Ordering::SeqCst);
                    number
                }
            };
            if own == at { Verdict::Fail } else { Verdict::GoOn }
        });
        let plan = plan(&self.world.config(), &[]).map_err(|error| error.chain())?;
        let ran = load_into(&folder.database(), plan, self.world.kind.checkpointing(), steps);
        let survived = reached.load(Ordering::SeqCst) < at;
        let failure = failure(&ran);
        let went_on = failure.is_none();
        match failure {
            // The first commit only takes the epoch: a run that does not know it begins anew.
            Some(problem) if survived || commits && at > 1 => Err(format!("the run failed: {problem}")),
            _ if survived => Ok((Died::Survived, went_on)),
            _ => Ok((Died::Killed, went_on)),
        }
    }

    /// Whether the load is complete: dlt's table of loads has a row of it.
    fn is_over(&self, folder: &Folder) -> Result<bool, String> {
        let loads = format!("SELECT count(*) FROM {DATASET}._dlt_loads");
        // Killed before its first commit, the run has not even made that table.
        let Ok(loads) = folder.column(&loads) else { return Ok(false) };
        let before = usize::from(self.before.is_some());
        Ok(loads != [before.to_string()])
    }

    /// What a reader sees after the kill: nothing torn, and a replace is old or new.
    fn look(&self, folder: &Folder) -> Result<Vec<String>, String> {
        let found = self.world.found(folder)?;
        let items = found.get("items").cloned().unwrap_or_default();
        let tags = found.get("items__tags").cloned().unwrap_or_default();
        if tags.iter().any(|row| row == "torn") || tags.len() != 2 * items.len() {
            return Err(format!("torn: {} rows with {} nested rows", items.len(), tags.len()));
        }
        if self.world.kind == Kind::Replace {
            let whole = [false, true].map(|second| self.world.expected(second));
            if !whole.iter().any(|whole| whole.get("items") == Some(&items)) {
                return Err(format!("torn: a reader sees {} rows of a replace", items.len()));
            }
        }
        Ok(items)
    }

    /// Loaded pages that the next run read again; more than one a chain is an error. Where rows tell what is loaded.
    fn read_again(&self, loaded: &[String]) -> Result<usize, String> {
        if !matches!(
            self.world.kind,
            Kind::Append | Kind::AppendPlain | Kind::Ahead | Kind::Evolve | Kind::Family
        ) {
            return Ok(0);
        }
        let requests = self.world.sim.requests();
        let lists = requests.iter().filter(|request| request.path == "/items");
        let from = |text: Option<&str>| text.and_then(|text| text.parse::<usize>().ok()).unwrap_or(0);
        let again = lists
            .filter(|request| {
                // Counted pages begin with the last record of the page before.
                let at = match request.param("offset") {
                    Some(offset) => from(Some(offset)) + 1,
                    None => from(request.param("cursor")),
                };
                at < loaded.len()
            })
            .count();
        // A run that had loaded everything but its last commit reads nothing, or its last page.
        if again > 1 { Err(format!("{again} loaded pages were read again")) } else { Ok(again) }
    }

    /// Everything is there once. Without key and cursor each run appends everything: `runs` complete runs leave it so
    /// many times.
    fn complete(&self, folder: &Folder, when: &str, runs: usize) -> Result<(), String> {
        let found = self.world.found(folder)?;
        for (table, mut expected) in self.world.expected(true) {
            let appends =
                self.world.kind.appends_all() || (self.world.kind == Kind::Family && table == "children");
            if appends {
                expected = expected.iter().flat_map(|row| std::iter::repeat_n(row.clone(), runs)).collect();
            }
            let found = found.get(table).cloned().unwrap_or_default();
            if found != expected {
                let lost = expected.iter().filter(|row| !found.contains(row)).count();
                return Err(format!(
                    "{when}: {table} has {} rows instead of {}, {lost} are lost",
                    found.len(),
                    expected.len()
                ));
            }
        }
        Ok(())
    }
}
