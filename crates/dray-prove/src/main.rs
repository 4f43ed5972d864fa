//! `dray-prove [SUITE…] [--share] [--write FOLDER] [--seconds N] [--from NUMBER]`: runs the suites and says what held.
#![expect(clippy::disallowed_methods, reason = "proofs measure real time, outside any run")]

use std::ffi::OsString;
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use dray_prove::child::Dying;
use dray_prove::record::{Ran, json, line, markdown};
use dray_prove::suite::{Bench, Scale, Suite};
use dray_prove::{child, fuzz, measured, suites};

fn main() -> ExitCode {
    let mut arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    match arguments.first().and_then(|first| first.to_str()) {
        Some("dray") => ExitCode::from(child::dray(arguments.split_off(1))),
        Some("measured") => ExitCode::from(measured::live(arguments.split_off(1))),
        Some("cost") => ExitCode::from(measured::spend(&arguments[1..])),
        Some("child") => match Dying::of_arguments(&arguments[1..]) {
            Some(dying) => ExitCode::from(dying.live()),
            None => ExitCode::from(2),
        },
        Some("fuzz") => ExitCode::from(fuzz::child::live(&arguments.split_off(1))),
        Some("panic") => ExitCode::from(child::panic(&arguments.split_off(1))),
        _ => match prove(&arguments) {
            Ok(true) => ExitCode::SUCCESS,
            Ok(false) => ExitCode::FAILURE,
            Err(problem) => {
                say(&problem.to_string());
                ExitCode::from(2)
            }
        },
    }
}

/// Runs the suites that are named, or all; whether every one passed.
fn prove(arguments: &[OsString]) -> std::io::Result<bool> {
    let mut scale = Scale::Full;
    let (mut folder, mut time, mut from) = (None, None, 0);
    let mut chosen: Vec<&'static Suite> = Vec::new();
    let mut rest = arguments.iter().map(|argument| argument.to_string_lossy());
    while let Some(argument) = rest.next() {
        let argument = &*argument;
        match argument {
            "--share" => scale = Scale::Share,
            "--seconds" => time = Some(Duration::from_secs(number(argument, rest.next().as_deref())?)),
            "--from" => from = number(argument, rest.next().as_deref())?,
            "--write" => folder = rest.next().map(|folder| folder.into_owned()),
            id => chosen
                .push(suites::find(id).ok_or_else(|| std::io::Error::other(format!("no suite `{id}`")))?),
        }
    }
    if chosen.is_empty() {
        chosen.extend(suites::ALL);
    }
    let bench = Bench { scale, program: std::env::current_exe()?, time, from };
    let mut all = Vec::new();
    for suite in chosen {
        let started = Instant::now();
        let outcome = (suite.run)(&bench);
        let ran = Ran { suite, outcome, took: started.elapsed() };
        say(&line(&ran));
        for failure in &ran.outcome.failures {
            say(&format!("     {failure}"));
        }
        for (name, value) in &ran.outcome.figures {
            say(&format!("     {name}: {value}"));
        }
        all.push(ran);
    }
    if let Some(folder) = folder {
        let folder = Path::new(&folder);
        let file = folder.join("reliability.json");
        let before = std::fs::read_to_string(&file).ok().and_then(|text| serde_json::from_str(&text).ok());
        let record = json(&all, scale, before.as_ref());
        std::fs::write(folder.join("docs/reliability.md"), markdown(&record))?;
        std::fs::write(file, format!("{record:#}\n"))?;
    }
    Ok(all.iter().all(|ran| ran.outcome.passed()))
}

/// The number after an option.
fn number(option: &str, given: Option<&str>) -> std::io::Result<u64> {
    given
        .and_then(|given| given.parse().ok())
        .ok_or_else(|| std::io::Error::other(format!("a number is missing after `{option}`")))
}

/// A line for whoever waits; where nobody reads it, the verdict is in the exit code.
fn say(text: &str) {
    if writeln!(std::io::stdout(), "{text}").is_err() {
        // There is no other place to say it.
    }
}
