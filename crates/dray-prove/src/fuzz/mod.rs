//! Bytes thrown at everything that reads what others wrote. Runs on the stable toolchain and needs no network.
//!
//! An input is a function of its target and its number: `dray-prove fuzz TARGET NUMBER` makes and runs it again. A target
//! runs in a process of its own (`child`), which may use a bounded amount of memory more than it begins with and tells the
//! number of each input before it runs it, so that whatever ends it has a name (`watch`).

mod bound;
pub mod child;
mod mutate;
mod shrink;
mod targets;
pub mod watch;

use fastrand::Rng;

/// Runs one input; `Err` says what is wrong with what came of it.
type Check = Box<dyn FnMut(&[u8]) -> Result<(), String>>;

/// A reader of what others wrote.
pub struct Target {
    /// Its name.
    pub name: &'static str,
    /// Inputs of real shape, and edge cases.
    seeds: fn() -> Vec<Vec<u8>>,
    /// Words that mean something to it.
    words: &'static [&'static str],
    /// What else is done to a mutated input: for bytes that no mutation makes sound.
    finish: fn(&mut Rng, Vec<u8>) -> Vec<u8>,
    /// Makes what runs its inputs.
    start: fn() -> Result<Check, String>,
}

impl std::fmt::Debug for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Target").field("name", &self.name).finish_non_exhaustive()
    }
}

/// All targets.
#[must_use]
pub fn all() -> [&'static Target; 8] {
    targets::ALL
}

/// The target of this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Target> {
    all().into_iter().find(|target| target.name == name)
}

/// Stands between the parts of an input: no key and no text that is read has a reason to hold it.
const BETWEEN: u8 = 0x1E;

/// An input as its parts; those that are missing are empty.
fn parts<const N: usize>(input: &[u8]) -> [&[u8]; N] {
    let mut parts = [&[][..]; N];
    for (part, found) in parts.iter_mut().zip(input.splitn(N, |byte| *byte == BETWEEN)) {
        *part = found;
    }
    parts
}

/// Parts as an input.
fn joined(parts: &[&[u8]]) -> Vec<u8> {
    parts.join(&BETWEEN)
}

/// The inputs of a target.
struct Inputs {
    target: &'static Target,
    seeds: Vec<Vec<u8>>,
}

impl Inputs {
    fn of(target: &'static Target) -> Self {
        Self { target, seeds: (target.seeds)() }
    }

    /// The input of a number. The first ones are the seeds as they are.
    fn number(&self, number: u64) -> Vec<u8> {
        if let Some(seed) = usize::try_from(number).ok().and_then(|number| self.seeds.get(number)) {
            return seed.clone();
        }
        let salt = self.target.name.bytes().fold(0_u64, |salt, byte| salt.wrapping_mul(31) + u64::from(byte));
        let mut random = Rng::with_seed(number.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ salt);
        let mutated = mutate::mutated(&mut random, &self.seeds, self.target.words);
        (self.target.finish)(&mut random, mutated)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_input_is_a_function_of_its_number() {
        for target in all() {
            let (one, other) = (Inputs::of(target), Inputs::of(target));
            assert!(one.seeds.len() > 3, "{} has too few seeds", target.name);
            for number in [0, 1, 1000, 1001, u64::MAX] {
                assert_eq!(one.number(number), other.number(number), "{} {number}", target.name);
            }
            assert_ne!(one.number(1000), one.number(1001), "{}", target.name);
        }
    }

    #[test]
    fn parts_come_apart_as_they_were_joined() {
        let input = joined(&[b"a", b"", b"b\x1ec"]);
        assert_eq!(parts::<3>(&input), [&b"a"[..], b"", b"b\x1ec"]);
        assert_eq!(parts::<3>(b"a"), [&b"a"[..], b"", b""]);
    }
}
