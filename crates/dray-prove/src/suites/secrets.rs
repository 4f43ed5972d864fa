//! R12: the hunt for secrets in everything that a run leaves, however it ends.
//!
//! The program runs as people run it, against an API that repeats every secret in every encoding. Then all that was
//! printed and every file that was left is searched, the database included.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use dray_sim::{Api, Fault, Options, Request, Sim};
use tempfile::TempDir;

use super::failures::{FAILURES, Failure, Moment};
use crate::credentials::{ALL, Credential, found, token_answer};
use crate::suite::{Bench, Outcome, Suite};

/// The suite.
pub(super) const SUITE: Suite = Suite {
    id: "R12",
    name: "secrets in what is left",
    criterion: "no secret in any encoding in output, logs, report, panic or any file, however a run ends",
    dlt: "10 of 18 cases print a secret, 6 of them into a file that others can read",
    run,
};

/// How the log is written.
const LOGS: [&[&str]; 2] = [&["-vvv"], &["-vv", "--log-format", "json"]];

/// Runs side by side.
const WORKERS: usize = 4;

/// A file that holds the secret itself, on purpose.
const CONFIG: &str = "shop.yaml";

fn run(bench: &Bench) -> Outcome {
    let mut pairs = Vec::new();
    for (at, failure) in FAILURES.iter().enumerate() {
        for (number, credential) in ALL.iter().enumerate() {
            // A share takes each failure with one kind of credential that it fits.
            let fits: Vec<usize> =
                (0..ALL.len()).filter(|at| ALL.get(*at).is_some_and(|own| failure.fits(own))).collect();
            let turn = fits.get(at % fits.len().max(1)).copied();
            if failure.fits(credential) && bench.of(usize::from(turn == Some(number)), 1) == 1 {
                pairs.push((failure, credential, (at + number) % LOGS.len()));
            }
        }
    }
    let (bytes, masks) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let hunt = &|(failure, credential, log): &(&Failure, &Credential, usize)| {
        let name = format!("{} with {}, {}", failure.name, credential.name, LOGS[*log].join(" "));
        let result = hunted(bench, failure, credential, LOGS[*log]).map(|left| {
            bytes.fetch_add(left.bytes, Ordering::Relaxed);
            masks.fetch_add(left.masks, Ordering::Relaxed);
        });
        (name, result)
    };
    // A few at a time: a run mostly waits for its API and its disk.
    let results: Vec<_> = std::thread::scope(|scope| {
        let part = pairs.len().div_ceil(WORKERS).max(1);
        let workers: Vec<_> = pairs
            .chunks(part)
            .map(|part| scope.spawn(move || part.iter().map(hunt).collect::<Vec<_>>()))
            .collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap_or_default()).collect()
    });
    let mut outcome = Outcome::default();
    let lost = pairs.len() - results.len();
    for (name, result) in results {
        outcome.case(name, result);
    }
    if lost > 0 {
        outcome.case("the hunt itself", Err(format!("{lost} cases did not end")));
    }
    for credential in ALL {
        outcome.case(format!("panic with {}", credential.name), panics(bench, credential));
    }
    outcome.figure("ways to end", FAILURES.len() + 1);
    outcome.figure("kinds of credentials", ALL.len());
    outcome.figure("bytes searched", bytes.into_inner());
    outcome.figure("secrets masked in what was printed", masks.into_inner());
    outcome
}

/// How much was searched, and how often a mask was there.
#[derive(Debug, Default)]
struct Left {
    bytes: usize,
    masks: usize,
}

/// Runs the program and searches what it left.
fn hunted(bench: &Bench, failure: &Failure, credential: &Credential, log: &[&str]) -> Result<Left, String> {
    let text = |error: std::io::Error| error.to_string();
    let tokens = failure.at == Moment::Tokens;
    // What the endpoint never gives is no secret of this run.
    let secrets = if tokens { credential.configured() } else { credential.all() };
    let answer = failure.answer;
    let repeated = secrets.clone();
    let api = Api::custom(move |request: &Request| match (request.path.as_str(), tokens) {
        ("/token", false) => token_answer(request),
        _ => answer(request, &repeated),
    });
    let latency = if failure.at == Moment::Slow { Duration::from_millis(400) } else { Duration::ZERO };
    let sim = Sim::start(Options { api, latency, ..Options::default() }).map_err(text)?;
    if failure.at == Moment::Closed {
        sim.fault(Fault::closed().always());
    }
    let origin = match failure.at {
        Moment::NotTls => sim.origin().replace("http://", "https://"),
        Moment::Nobody => {
            // A port where nobody listens: one that was free a moment ago.
            let free = std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
            format!("http://{}", free.map_err(text)?)
        }
        _ => sim.origin().to_owned(),
    };
    let folder = tempfile::tempdir().map_err(text)?;
    let config = failure.config(credential, &origin, &format!("{}/token", sim.origin()));
    std::fs::write(folder.path().join(CONFIG), config).map_err(text)?;
    let mut left = Left::default();
    for arguments in failure.commands {
        let filled: Vec<String> =
            arguments.iter().map(|argument| failure.argument(argument, credential)).collect();
        let mut command = Command::new(&bench.program);
        command.arg("dray").args(&filled).args(log).current_dir(folder.path()).stdin(Stdio::null());
        if failure.at != Moment::Unset {
            for (name, value) in credential.secrets {
                command.env(name, failure.value(value));
            }
        }
        let output = command.output().map_err(text)?;
        if output.status.code() != Some(failure.code) {
            return Err(format!(
                "ended with {:?} instead of {}: {}",
                output.status.code(),
                failure.code,
                String::from_utf8_lossy(&output.stderr)
                    .lines()
                    .filter(|line| line.contains("error"))
                    .collect::<Vec<_>>()
                    .join("; ")
            ));
        }
        for (place, bytes) in [("standard output", &output.stdout), ("standard error", &output.stderr)] {
            left.bytes += bytes.len();
            left.masks += bytes.windows(3).filter(|window| window == b"***").count();
            clean(place, bytes, &secrets)?;
        }
    }
    left.bytes += files(folder.path(), &secrets)?;
    Ok(left)
}

/// Searches all files below a folder; how many bytes they hold.
fn files(folder: &Path, secrets: &[&str]) -> Result<usize, String> {
    let text = |error: std::io::Error| error.to_string();
    let mut searched = 0;
    for entry in std::fs::read_dir(folder).map_err(text)? {
        let path = entry.map_err(text)?.path();
        if path.is_dir() {
            searched += files(&path, secrets)?;
        } else if path.file_name().is_none_or(|name| name != CONFIG) {
            let bytes = std::fs::read(&path).map_err(text)?;
            searched += bytes.len();
            clean(&path.display().to_string(), &bytes, secrets)?;
        }
    }
    Ok(searched)
}

fn clean(place: &str, bytes: &[u8], secrets: &[&str]) -> Result<(), String> {
    match secrets.iter().find_map(|secret| Some((*secret, found(bytes, secret)?))) {
        Some((secret, how)) => Err(format!("`{secret}` is in {place}, as {how}")),
        None => Ok(()),
    }
}

/// A panic of the program, with the secret in its message in every encoding, is printed without it.
fn panics(bench: &Bench, credential: &Credential) -> Result<(), String> {
    let folder = TempDir::new().map_err(|error| error.to_string())?;
    let mut command = Command::new(&bench.program);
    command.arg("panic").args(credential.all()).current_dir(folder.path()).env("RUST_BACKTRACE", "1");
    let output = command.output().map_err(|error| error.to_string())?;
    let told = String::from_utf8_lossy(&output.stderr);
    if output.status.code() != Some(70) || told.matches("this is a bug in dray").count() != 2 {
        return Err(format!("ended with {:?}: {told}", output.status.code()));
    }
    if !told.contains("***") {
        return Err(format!("nothing is masked: {told}"));
    }
    clean("standard error", &output.stderr, &credential.all())?;
    clean("standard output", &output.stdout, &credential.all())
}
