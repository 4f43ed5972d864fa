//! The command line of dray in a process of its own: how long it took, and how much memory.
#![expect(clippy::disallowed_methods, reason = "proofs measure real time, outside any run")]

use std::ffi::OsString;
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use serde_json::Value;

use dray::pipeline::Checkpointing;
use dray::steps::Steps;

use crate::child;
use crate::load::{Folder, failure, load_into, plan};

/// A run that came to its end.
#[derive(Debug)]
pub struct Measured {
    /// What `--report` says.
    pub report: Value,
    /// Largest resident memory, in MiB; none where the system does not say.
    pub peak: Option<u64>,
    /// How long it took.
    pub took: Duration,
}

impl Measured {
    /// A fact of a resource from the report, as text; empty where there is none.
    #[must_use]
    pub fn fact(&self, resource: &str, name: &str) -> String {
        match &self.report["resources"][resource][name] {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        }
    }

    /// Refuses a peak above a ceiling.
    ///
    /// # Errors
    /// In words, where it is above.
    pub fn below(&self, ceiling: u64) -> Result<(), String> {
        match self.peak {
            Some(peak) if peak > ceiling => Err(format!("took {peak} MiB, at most {ceiling} are allowed")),
            _ => Ok(()),
        }
    }

    /// The peak for people.
    #[must_use]
    pub fn shown(&self) -> String {
        self.peak.map_or_else(|| "not measured".to_owned(), |peak| format!("{peak} MiB"))
    }
}

/// Runs a configuration in a process of its own; one that takes longer than `most` is ended.
///
/// # Errors
/// In words, where it took longer, or left no report.
pub fn run(program: &Path, folder: &Folder, config: &str, most: Duration) -> Result<Measured, String> {
    let text = |error: std::io::Error| error.to_string();
    let [file, report, peak, log] =
        ["run.yaml", "report.json", "peak.txt", "log.txt"].map(|name| folder.path().join(name));
    std::fs::write(&file, config).map_err(text)?;
    let started = Instant::now();
    let mut child = Command::new(program)
        .arg("measured")
        .arg(&peak)
        .arg("run")
        .arg(&file)
        .args(["--quiet", "--dataset", crate::load::DATASET, "--to"])
        .arg(format!("duckdb:{}", folder.database().display()))
        .arg("--report")
        .arg(&report)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(std::fs::File::create(&log).map_err(text)?)
        .spawn()
        .map_err(text)?;
    // Its output ends when it does.
    let (over, ended) = channel();
    if let Some(mut output) = child.stdout.take() {
        std::thread::spawn(move || {
            let read = output.read_to_end(&mut Vec::new());
            // Nobody waits any more where the time was over first.
            drop(over.send(read));
        });
    }
    let waited = ended.recv_timeout(most);
    if matches!(waited, Err(RecvTimeoutError::Timeout)) {
        child.kill().map_err(text)?;
    }
    child.wait().map_err(text)?;
    let took = started.elapsed();
    if waited.is_err() {
        return Err(format!("did not end within {most:?}"));
    }
    let said = std::fs::read_to_string(&log).unwrap_or_default();
    let report = std::fs::read_to_string(&report)
        .map_err(|error| format!("no report: {error}; it said: {}", said.trim()))?;
    let report = serde_json::from_str(&report).map_err(|error| error.to_string())?;
    let peak = std::fs::read_to_string(&peak).ok().and_then(|text| text.trim().parse().ok());
    Ok(Measured { report, peak, took })
}

/// When a measured load commits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Commits {
    /// As a usual run does.
    Many,
    /// Once, at its end.
    Once,
}

/// What a load cost.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    /// Seconds of wall time, the process's start and end included.
    pub wall: f64,
    /// Seconds of CPU time of all its threads.
    pub cpu: f64,
    /// Largest resident memory, in MiB.
    pub peak: u64,
}

/// Loads a configuration in a process of its own. Linux only: memory and CPU time are what the kernel says of it.
///
/// # Errors
/// In words, where it failed or took longer than `most`.
pub fn cost(
    program: &Path,
    folder: &Folder,
    config: &str,
    commits: Commits,
    most: Duration,
) -> Result<Cost, String> {
    let text = |error: std::io::Error| error.to_string();
    let file = folder.path().join("run.yaml");
    std::fs::write(&file, config).map_err(text)?;
    let started = Instant::now();
    let child = Command::new(program)
        .arg("cost")
        .arg(if commits == Commits::Once { "once" } else { "many" })
        .arg(&file)
        .arg(folder.database())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(text)?;
    let output = child.wait_with_output().map_err(text)?;
    let took = started.elapsed();
    if !output.status.success() || took > most {
        return Err(format!(
            "{} after {took:?}: {}",
            output.status,
            String::from_utf8_lossy(&output.stderr).trim()
        ));
    }
    let said = String::from_utf8_lossy(&output.stdout);
    let mut numbers = said.split_whitespace().map(str::parse::<u64>);
    match (numbers.next(), numbers.next()) {
        // The kernel counts hundredths of a second, wherever it runs.
        (Some(Ok(ticks)), Some(Ok(peak))) => {
            let cpu = Duration::from_millis(ticks * 10).as_secs_f64();
            Ok(Cost { wall: took.as_secs_f64(), cpu, peak: peak / 1024 })
        }
        _ => Err(format!("the system does not say what it cost: {}", said.trim())),
    }
}

/// `dray-prove cost many|once FILE DATABASE`: a load, and on stdout its CPU time in hundredths of a second and its peak
/// in KiB.
#[must_use]
pub fn spend(arguments: &[OsString]) -> u8 {
    let [commits, file, database] = arguments else { return 2 };
    let checkpointing = match commits.to_str() {
        Some("once") => {
            Checkpointing { bytes: usize::MAX, time: Duration::from_secs(3600), ..Checkpointing::default() }
        }
        _ => Checkpointing::default(),
    };
    let ran = std::fs::read_to_string(file)
        .map_err(|error| error.to_string())
        .and_then(|config| plan(&config, &[]).map_err(|error| error.chain()))
        .and_then(|plan| {
            let ran = load_into(Path::new(database), plan, checkpointing, Steps::default());
            failure(&ran).map_or(Ok(()), Err)
        });
    let said = match &ran {
        Ok(()) => {
            writeln!(std::io::stdout(), "{} {}", ticks().unwrap_or_default(), peak().unwrap_or_default())
        }
        Err(problem) => writeln!(std::io::stderr(), "{problem}"),
    };
    u8::from(ran.is_err() || said.is_err())
}

/// User and system time of this process: fields 14 and 15 of `/proc/self/stat`, counted after the name in parentheses.
fn ticks() -> Option<u64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    Some(fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?)
}

/// The largest resident memory of this process, in KiB.
fn peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// `dray-prove measured FILE …`: the command line of dray, and its peak in MiB written into a file.
#[must_use]
pub fn live(mut arguments: Vec<OsString>) -> u8 {
    if arguments.is_empty() {
        return 2;
    }
    let file = arguments.remove(0);
    let code = child::dray(arguments);
    if let Some(peak) = peak()
        && std::fs::write(file, (peak / 1024).to_string()).is_err()
    {
        return 2;
    }
    code
}
