//! A failing input made smaller, by leaving out ever smaller parts.
#![expect(clippy::disallowed_methods, reason = "proofs measure real time, outside any run")]

use std::path::Path;
use std::time::{Duration, Instant};

/// So many inputs are tried: each is a process.
const TRIES: usize = 60;
/// And for so long, since one that hangs takes its time.
const TIME: Duration = Duration::from_secs(20);

/// Whether two findings are of one kind, and panics of one place.
pub(super) fn same(one: &str, other: &str) -> bool {
    let (Some((kind, said)), Some((other_kind, other_said))) = (one.split_once(':'), other.split_once(':'))
    else {
        return false;
    };
    let place =
        |said: &str| said.split(".rs:").nth(1).and_then(|rest| rest.split(':').next().map(str::to_owned));
    kind == other_kind && (kind != "panic" || place(said) == place(other_said))
}

/// Writes the smallest input that was found into `file`; `fails` says whether one still does what `input` does.
pub(super) fn into(
    file: &Path,
    input: &[u8],
    fails: impl FnMut(&[u8]) -> Result<bool, String>,
) -> Result<(), String> {
    let small = smaller(input, fails)?;
    std::fs::write(file, small).map_err(|error| error.to_string())
}

fn smaller(input: &[u8], mut fails: impl FnMut(&[u8]) -> Result<bool, String>) -> Result<Vec<u8>, String> {
    let (began, mut small, mut tries) = (Instant::now(), input.to_vec(), 0);
    let mut more = || {
        tries += 1;
        tries <= TRIES && began.elapsed() < TIME
    };
    let mut part = small.len() / 2;
    while part > 0 {
        let mut at = 0;
        while at < small.len() {
            if !more() {
                return Ok(small);
            }
            let mut candidate = small.clone();
            candidate.drain(at..(at + part).min(candidate.len()));
            if fails(&candidate)? {
                small = candidate;
            } else {
                at += part;
            }
        }
        part /= 2;
    }
    Ok(small)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_matter_is_left_out() {
        let input = [b"a".repeat(100), b"X".to_vec(), b"b".repeat(27)].concat();
        let small = smaller(&input, |candidate| Ok(candidate.contains(&b'X'))).unwrap();
        assert!(small.contains(&b'X') && small.len() < 10, "{}", small.len());
    }

    #[test]
    fn findings_are_the_same_by_kind_and_place() {
        assert!(same("panic: at a.rs:10:5: x", "panic: at a.rs:10:5: y"));
        assert!(!same("panic: at a.rs:10:5: x", "panic: at a.rs:11:5: x"));
        assert!(same("slow: 2 s", "slow: 3 s"));
        assert!(!same("slow: 2 s", ""));
    }
}
