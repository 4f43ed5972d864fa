//! R3 and R14: runs that are killed at any moment, and runs that meet in one database.
#![expect(clippy::disallowed_methods, reason = "proofs measure real time, outside any run")]

use std::process::{Child, Command};
use std::time::{Duration, Instant};

use dray_sim::Fault;

use crate::child::Dying;
use crate::load::Folder;
use crate::scenario::{Kind, World};
use crate::suite::{Bench, Outcome, Suite};

/// Killed at random.
pub(super) const SOAK: Suite = Suite {
    id: "R3",
    name: "random kills",
    criterion: "killed with SIGKILL after a random time, again and again, while its list grows between the runs, a load ends complete: its rows are those of the API, 0 lost, 0 doubled, and nothing is left open (`make soak` goes on for as long as it is told)",
    dlt: "",
    run: soak,
};

/// Two at once.
pub(super) const RIVALS: Suite = Suite {
    id: "R14",
    name: "rivals and sleepers",
    criterion: "of two runs at once one is refused and told who holds the database, or comes after; a run that was stopped in its sleep excludes the other and ends right",
    dlt: "no lease: 1 of 10 processes died on the database's own lock",
    run: rivals,
};

/// How long anything here may take before it counts as hung.
const LONGEST: Duration = Duration::from_secs(60);

/// Times that a list grows and its load is killed until a run comes to its end.
const ROUNDS: usize = 3;

/// What went on in a soak.
#[derive(Debug, Default)]
struct Soaked {
    kills: usize,
    runs: usize,
    /// Records that the API got between runs.
    inserted: usize,
    /// Rows that were held against the API's.
    rows: usize,
}

fn soak(bench: &Bench) -> Outcome {
    let mut outcome = Outcome::default();
    let (began, kills) = (Instant::now(), bench.of(12, 400));
    let mut random = fastrand::Rng::with_seed(7 + bench.from);
    let mut soaked = Soaked::default();
    for (load, kind) in Kind::soaked().cycle().enumerate() {
        let over = bench.time.map_or(soaked.kills >= kills, |time| began.elapsed() >= time);
        if over {
            break;
        }
        let done = soak_one(bench, kind, &mut random, &mut soaked);
        let failed = done.is_err();
        outcome.case(format!("{} (load {})", kind.name(), load + 1), done);
        if failed {
            break;
        }
    }
    outcome.figure("kills", soaked.kills);
    outcome.figure("runs", soaked.runs);
    outcome.figure("records put in between runs", soaked.inserted);
    outcome.figure("rows held against those of the API", soaked.rows);
    outcome
}

/// Kills a load until a run comes to its end; a list that may grow does so after every kill, and is loaded again and again.
fn soak_one(
    bench: &Bench,
    kind: Kind,
    random: &mut fastrand::Rng,
    soaked: &mut Soaked,
) -> Result<(), String> {
    let world = World::start(kind).map_err(|error| error.to_string())?;
    let folder = Folder::new().map_err(|error| error.to_string())?;
    world.before(&folder)?;
    world.state(true);
    for _ in 0..if kind.grows() { bench.of(1, ROUNDS) } else { 1 } {
        let complete = killed_until_complete(bench, &world, &folder, random, soaked)?;
        if kind.grows() {
            // A pass that was open when the list grew may have been past its end.
            world.load(&folder.database())?;
            soaked.runs += 1;
        }
        soaked.rows += exact(&world, &folder, complete)?;
        if !at_rest(&folder)? {
            return Err("a position is left over".to_owned());
        }
    }
    Ok(())
}

/// Gives the number of runs that were complete, the last one included.
fn killed_until_complete(
    bench: &Bench,
    world: &World,
    folder: &Folder,
    random: &mut fastrand::Rng,
    soaked: &mut Soaked,
) -> Result<usize, String> {
    let (mut kills, mut complete) = (0, 0);
    loop {
        soaked.runs += 1;
        let mut child = start(bench, world, folder)?;
        // Later and later, so that some run ends.
        let patience = Duration::from_millis(random.u64(20..200) + 15 * kills);
        if let Some(code) = ended(&mut child, patience)? {
            if code != Some(0) {
                return Err(format!("a run failed: {}", said(child)?));
            }
            return Ok(complete + 1);
        }
        child.kill().and_then(|()| child.wait()).map_err(|error| error.to_string())?;
        kills += 1;
        soaked.kills += 1;
        if world.kind.grows() {
            let more = random.usize(..8);
            world.grow(more);
            soaked.inserted += more;
            continue;
        }
        // Killed between its last commit and its end, a run was complete: what has no cursor is then appended anew.
        if exact(world, folder, complete + 1).is_ok() && at_rest(folder)? {
            complete += 1;
        }
    }
}

fn rivals(bench: &Bench) -> Outcome {
    let mut outcome = Outcome::default();
    for number in 0..bench.of(3, 50) {
        outcome.case(format!("pair {number}"), pair(bench));
    }
    for number in 0..bench.of(2, 20) {
        outcome.case(format!("sleeper {number}"), sleeper(bench));
    }
    outcome
}

/// Two runs of one pipeline at once.
fn pair(bench: &Bench) -> Result<(), String> {
    let (world, folder) = fresh()?;
    let mut both = [start(bench, &world, &folder)?, start(bench, &world, &folder)?];
    let mut succeeded = 0;
    for child in &mut both {
        match ended(child, LONGEST)? {
            None => return Err("a run hangs".to_owned()),
            Some(Some(0)) => succeeded += 1,
            Some(_) => {}
        }
    }
    for child in both {
        let said = said(child)?;
        if !said.is_empty() && !said.contains("another run holds the database file") {
            return Err(format!("a run was refused for another reason: {said}"));
        }
    }
    if succeeded == 0 {
        return Err("both runs were refused".to_owned());
    }
    exact(&world, &folder, 1).map(drop)
}

/// A run is stopped in the middle, another one comes, and the first wakes up.
fn sleeper(bench: &Bench) -> Result<(), String> {
    let (world, folder) = fresh()?;
    world.sim.fault(Fault::delay(Duration::from_millis(300)).on("/items").nth(2));
    let mut first = start(bench, &world, &folder)?;
    let started = Instant::now();
    while world.sim.requests().is_empty() {
        if started.elapsed() > LONGEST {
            return Err("the first run asks nothing".to_owned());
        }
        std::thread::yield_now();
    }
    signal(&first, "-STOP")?;
    let mut second = start(bench, &world, &folder)?;
    let code = ended(&mut second, LONGEST)?.ok_or_else(|| "the second run hangs".to_owned())?;
    let refused = said(second)?;
    signal(&first, "-CONT")?;
    let woken = ended(&mut first, LONGEST)?.ok_or_else(|| "the first run hangs".to_owned())?;
    if code == Some(0) || !refused.contains("another run holds the database file") {
        return Err(format!("the second run was not refused: {refused}"));
    }
    if woken != Some(0) {
        return Err(format!("the first run failed: {}", said(first)?));
    }
    exact(&world, &folder, 1).map(drop)
}

fn fresh() -> Result<(World, Folder), String> {
    let world = World::start(Kind::Append).map_err(|error| error.to_string())?;
    Ok((world, Folder::new().map_err(|error| error.to_string())?))
}

fn start(bench: &Bench, world: &World, folder: &Folder) -> Result<Child, String> {
    let base = world.sim.base_url().to_owned();
    let dying = Dying { kind: world.kind, base, database: folder.database(), at: 0 };
    dying.command(&bench.program).spawn().map_err(|error| error.to_string())
}

/// The exit code of a process that ends within `patience`; none where it goes on.
fn ended(child: &mut Child, patience: Duration) -> Result<Option<Option<i32>>, String> {
    let started = Instant::now();
    loop {
        if let Some(status) = child.try_wait().map_err(|error| error.to_string())? {
            return Ok(Some(status.code()));
        }
        if started.elapsed() >= patience {
            return Ok(None);
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// What a process that has ended wrote to standard error.
fn said(child: Child) -> Result<String, String> {
    let output = child.wait_with_output().map_err(|error| error.to_string())?;
    Ok(String::from_utf8_lossy(&output.stderr).trim().to_owned())
}

fn signal(child: &Child, signal: &str) -> Result<(), String> {
    let sent = Command::new("kill").args([signal, &child.id().to_string()]).status();
    match sent {
        Ok(status) if status.success() => Ok(()),
        _ => Err(format!("cannot send {signal}")),
    }
}

/// Whether no pass is open.
fn at_rest(folder: &Folder) -> Result<bool, String> {
    let open = folder.column("SELECT resource FROM data._dray_positions").map_err(|error| error.chain())?;
    Ok(open.is_empty())
}

/// Everything is there once; where runs append everything anew, once for each of `runs` complete runs. Gives the rows.
fn exact(world: &World, folder: &Folder, runs: usize) -> Result<usize, String> {
    let (found, mut all) = (world.found(folder)?, 0);
    for (table, mut expected) in world.expected(world.kind != Kind::Append) {
        if world.kind.appends_all() || world.kind == Kind::Family && table == "children" {
            expected = expected.iter().flat_map(|row| std::iter::repeat_n(row.clone(), runs)).collect();
        }
        let rows = found.get(table).cloned().unwrap_or_default();
        if rows != expected {
            return Err(format!("{table} has {} rows instead of {}", rows.len(), expected.len()));
        }
        all += rows.len();
    }
    Ok(all)
}
