//! Who watches the process of a target: notes what ends it, keeps the input, and starts it again behind it.
#![expect(clippy::disallowed_methods, reason = "proofs measure real time, outside any run")]

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use super::child::{ANEW, ENOUGH};
use super::{Inputs, Target, shrink};

/// An input may be on its way so long, however busy the machine is. What only computes is caught after a second of it.
const PATIENCE: Duration = Duration::from_secs(20);
/// A smaller input may be on its way so long.
const FOR_SMALLER: Duration = Duration::from_secs(4);

/// What came of a target.
#[derive(Debug, Default)]
pub struct Watched {
    /// Inputs that were run.
    pub inputs: u64,
    /// How often a new process took over because much was left behind in the old one.
    pub anew: usize,
    /// In words: the number of the input, what was wrong, and how to run it again.
    pub findings: Vec<String>,
}

/// How a process ended.
enum Ended {
    /// As it should.
    Well,
    /// With much left behind, after this input.
    Anew(u64),
    /// Without a word, at this input.
    Badly(u64, String),
}

/// Runs inputs from number `from` on for so long; kept inputs go into `folder`.
///
/// # Errors
/// In words, where the target's process cannot be started, or ends before its first input.
pub fn run(
    program: &Path,
    target: &'static Target,
    (from, time): (u64, Duration),
    folder: &Path,
) -> Result<Watched, String> {
    let (began, mut watched, mut next) = (Instant::now(), Watched::default(), from);
    let mut found: Vec<(u64, String)> = Vec::new();
    loop {
        let left = time.saturating_sub(began.elapsed());
        let mut reader = Reader::start(program, target, next, left)?;
        match reader.follow(&mut watched.inputs, &mut found)? {
            Ended::Badly(number, how) => {
                found.push((number, how));
                next = number + 1;
            }
            Ended::Anew(number) => {
                watched.anew += 1;
                next = number + 1;
            }
            Ended::Well => break,
        }
        if found.len() >= ENOUGH || began.elapsed() >= time {
            break;
        }
    }
    let inputs = Inputs::of(target);
    for (number, what) in found {
        let kept = keep(program, target, (&inputs.number(number), &what), number, folder)?;
        watched.findings.push(format!(
            "{} {number}: {what}; again: dray-prove fuzz {} {number}; smaller: {}",
            target.name,
            target.name,
            kept.display()
        ));
    }
    Ok(watched)
}

/// Writes an input and a smaller one that does the same into the folder.
fn keep(
    program: &Path,
    target: &Target,
    (input, what): (&[u8], &str),
    number: u64,
    folder: &Path,
) -> Result<PathBuf, String> {
    let text = |error: std::io::Error| error.to_string();
    std::fs::create_dir_all(folder).map_err(text)?;
    let file = folder.join(format!("{}-{number}", target.name));
    std::fs::write(&file, input).map_err(text)?;
    let small = file.with_extension("small");
    shrink::into(&small, input, |candidate| {
        std::fs::write(&small, candidate).map_err(text)?;
        Ok(shrink::same(what, &again(program, target, &small)?))
    })?;
    Ok(small)
}

/// What is wrong with the input in a file; empty where nothing is.
fn again(program: &Path, target: &Target, file: &Path) -> Result<String, String> {
    let mut child = spawn(Command::new(program).args(["fuzz", target.name]).arg(file))?;
    let (lines, said) = listen(&mut child);
    let first = match lines.recv_timeout(FOR_SMALLER) {
        Ok(line) if line == "nothing wrong" => String::new(),
        Ok(line) => line,
        Err(RecvTimeoutError::Timeout) => "hang: ".to_owned(),
        Err(RecvTimeoutError::Disconnected) => format!("died: {}", said.recv().unwrap_or_default()),
    };
    finish(&mut child)?;
    Ok(first)
}

/// A process that is read.
struct Reader {
    child: Child,
    lines: Receiver<String>,
    said: Receiver<String>,
}

impl Reader {
    fn start(program: &Path, target: &Target, from: u64, left: Duration) -> Result<Self, String> {
        let seconds = left.as_secs_f64().to_string();
        let mut child =
            spawn(Command::new(program).args(["fuzz", target.name, &from.to_string(), &seconds]))?;
        let (lines, said) = listen(&mut child);
        Ok(Self { child, lines, said })
    }

    /// Reads it to its end.
    fn follow(&mut self, inputs: &mut u64, found: &mut Vec<(u64, String)>) -> Result<Ended, String> {
        let mut at: Option<u64> = None;
        let ended = loop {
            let line = match self.lines.recv_timeout(PATIENCE) {
                Ok(line) => line,
                Err(RecvTimeoutError::Timeout) => break "hang: it does not come back".to_owned(),
                Err(RecvTimeoutError::Disconnected) => {
                    break format!("died: {}", self.said.recv().unwrap_or_default());
                }
            };
            if line == "end" {
                finish(&mut self.child)?;
                return Ok(Ended::Well);
            }
            if line == ANEW {
                finish(&mut self.child)?;
                return at.map(Ended::Anew).ok_or_else(|| "it began anew before its first input".to_owned());
            }
            match line.split_once(' ') {
                Some((number, what)) => {
                    found.extend(number.parse().ok().map(|number| (number, what.to_owned())));
                }
                None => {
                    at = line.parse().ok();
                    *inputs += 1;
                }
            }
        };
        finish(&mut self.child)?;
        let number = at.ok_or_else(|| format!("before its first input: {ended}"))?;
        Ok(Ended::Badly(number, ended))
    }
}

fn spawn(command: &mut Command) -> Result<Child, String> {
    // Each thread of glibc's allocator keeps address space of its own, which is no input's.
    let command = command.env("MALLOC_ARENA_MAX", "2").env("RUST_BACKTRACE", "0");
    let command = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().map_err(|error| error.to_string())
}

fn finish(child: &mut Child) -> Result<(), String> {
    // One that has ended cannot be killed, which is just as well.
    drop(child.kill());
    child.wait().map(drop).map_err(|error| error.to_string())
}

/// The lines of a process as they come, and, when it has ended, the end of what it said of an error.
fn listen(child: &mut Child) -> (Receiver<String>, Receiver<String>) {
    let (line, lines) = channel();
    if let Some(output) = child.stdout.take() {
        std::thread::spawn(move || {
            for text in BufReader::new(output).lines().map_while(Result::ok) {
                if line.send(text).is_err() {
                    return;
                }
            }
        });
    }
    let (word, said) = channel();
    if let Some(mut errors) = child.stderr.take() {
        std::thread::spawn(move || {
            let mut bytes = Vec::new();
            let read = errors.read_to_end(&mut bytes);
            let text = String::from_utf8_lossy(&bytes);
            let last = text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("without a word");
            // Nobody asks where nothing went wrong.
            drop((read, word.send(last.to_owned())));
        });
    }
    (lines, said)
}
