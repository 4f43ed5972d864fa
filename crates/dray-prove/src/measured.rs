//! The command line of dray in a process of its own: how long it took, and how much memory.
#![expect(clippy::disallowed_methods, reason = "proofs measure real time, outside any run")]

use std::ffi::OsString;
use std::io::Read as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::child;
use crate::load::Folder;

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

/// `dray-prove measured FILE …`: the command line of dray, and its peak in MiB written into a file.
#[must_use]
pub fn live(mut arguments: Vec<OsString>) -> u8 {
    if arguments.is_empty() {
        return 2;
    }
    let file = arguments.remove(0);
    let code = child::dray(arguments);
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak = peak.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    if let Some(peak) = peak
        && std::fs::write(file, (peak / 1024).to_string()).is_err()
    {
        return 2;
    }
    code
}
