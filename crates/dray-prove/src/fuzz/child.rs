//! The process that a target runs in: `dray-prove fuzz TARGET NUMBER|FILE` for one input, `dray-prove fuzz TARGET FROM
//! SECONDS` for one after the other.
#![expect(clippy::disallowed_methods, reason = "proofs measure real time, outside any run")]

use std::ffi::OsString;
use std::io::{Result as IoResult, Write as _};
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::{Check, Inputs, Target, bound, find};

/// Bytes that an input may take beyond what the process has when it begins.
const MEMORY: u64 = 512 << 20;
/// Bytes that earlier inputs may have left behind before a new process goes on. A Python file that nests too deep is never
/// dropped, since that would overflow the stack.
const LEFT_BEHIND: u64 = 64 << 20;
/// How often that is looked at.
const LOOK: u64 = 256;
/// What is said then.
pub(super) const ANEW: &str = "anew";
/// Computing time that an input may take. A build without optimisation is given more.
const LONGEST: Duration = Duration::from_secs(if cfg!(debug_assertions) { 10 } else { 1 });
/// After so many findings the rest tells nothing new.
pub(super) const ENOUGH: usize = 5;

/// What a panic said.
static PANIC: Mutex<Option<String>> = Mutex::new(None);

/// The process.
#[must_use]
pub fn live(arguments: &[OsString]) -> u8 {
    let words: Option<Vec<&str>> = arguments.iter().map(|argument| argument.to_str()).collect();
    let Some((name, rest)) = words.as_ref().and_then(|words| words.split_first()) else { return 2 };
    let Some(target) = find(name) else { return 2 };
    let inputs = Inputs::of(target);
    let ran = match rest {
        [from, seconds] => match (from.parse(), seconds.parse()) {
            (Ok(from), Ok(seconds)) => many(&inputs, from, Duration::from_secs_f64(seconds)),
            _ => return 2,
        },
        [one] => {
            let input = match one.parse() {
                Ok(number) => Ok(inputs.number(number)),
                Err(_) => std::fs::read(one),
            };
            input.and_then(|input| self::one(target, &input))
        }
        _ => return 2,
    };
    match ran {
        Ok(true) => 0,
        Ok(false) => 1,
        // Nobody reads any more.
        Err(_) => 2,
    }
}

/// Makes what runs the inputs, catches panics from now on, and bounds the memory.
fn begin(target: &Target) -> IoResult<Check> {
    let mut check = (target.start)().map_err(std::io::Error::other)?;
    panic::set_hook(Box::new(|info| {
        let said = info.to_string().replace('\n', " ");
        PANIC.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(said);
    }));
    // What is made once, at the first use, is not an input's.
    drop(panic::catch_unwind(AssertUnwindSafe(|| check(b""))));
    PANIC.lock().unwrap_or_else(PoisonError::into_inner).take();
    bound::memory(MEMORY).map_err(std::io::Error::other)?;
    Ok(check)
}

/// Runs an input; what is wrong, in one line that begins with the kind of it.
fn run(check: &mut Check, input: &[u8]) -> Option<String> {
    let before = bound::computed();
    let ran = panic::catch_unwind(AssertUnwindSafe(|| check(input)));
    let took = bound::computed().saturating_sub(before);
    // Of another thread, too.
    if let Some(said) = PANIC.lock().unwrap_or_else(PoisonError::into_inner).take() {
        return Some(format!("panic: {said}"));
    }
    match ran {
        Ok(Err(problem)) => Some(format!("wrong: {}", problem.replace('\n', " "))),
        _ if took > LONGEST => Some(format!("slow: {:.1} s", took.as_secs_f64())),
        _ => None,
    }
}

fn one(target: &Target, input: &[u8]) -> IoResult<bool> {
    let found = run(&mut begin(target)?, input);
    let text = found.as_deref().unwrap_or("nothing wrong");
    writeln!(std::io::stdout(), "{text}")?;
    Ok(found.is_none())
}

/// Tells each number before its input is run, and what was wrong after it.
fn many(inputs: &Inputs, from: u64, time: Duration) -> IoResult<bool> {
    let mut check = begin(inputs.target)?;
    let (began, mut out, mut findings) = (Instant::now(), std::io::stdout(), 0);
    let first = bound::size().unwrap_or_default();
    for number in from.. {
        if number % LOOK == 0 && number > from && bound::size().is_some_and(|size| size > first + LEFT_BEHIND)
        {
            writeln!(out, "{ANEW}")?;
            return Ok(findings == 0);
        }
        if began.elapsed() >= time || findings >= ENOUGH {
            break;
        }
        let input = inputs.number(number);
        writeln!(out, "{number}")?;
        if let Some(found) = run(&mut check, &input) {
            findings += 1;
            writeln!(out, "{number} {found}")?;
        }
    }
    writeln!(out, "end")?;
    Ok(findings == 0)
}
