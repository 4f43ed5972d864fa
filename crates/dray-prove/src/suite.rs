//! What a suite is, and what comes of it.

use std::fmt::Display;
use std::path::PathBuf;
use std::time::Duration;

/// How much of a suite is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// A share that fits into `make test`: every kind of case, few of each.
    Share,
    /// All of it: `make prove`.
    Full,
}

/// Where a suite runs.
#[derive(Clone, Debug)]
pub struct Bench {
    /// How much of it.
    pub scale: Scale,
    /// This program: `dray-prove dray …` is the command line of dray, `dray-prove child …` a run to be killed.
    pub program: PathBuf,
    /// How long, for suites that may go on for any time: a soak, and each target of the fuzzer. None: as the scale says.
    pub time: Option<Duration>,
    /// The number of the fuzzer's first input.
    pub from: u64,
}

impl Bench {
    /// One of two numbers, by scale.
    #[must_use]
    pub fn of(&self, share: usize, full: usize) -> usize {
        match self.scale {
            Scale::Share => share,
            Scale::Full => full,
        }
    }
}

/// One promise and its proof.
#[derive(Clone, Copy, Debug)]
pub struct Suite {
    /// `R1`.
    pub id: &'static str,
    /// A few words.
    pub name: &'static str,
    /// What must hold, in a sentence.
    pub criterion: &'static str,
    /// What dlt 1.31 does in the same cases, where that was measured; else empty.
    pub dlt: &'static str,
    /// Runs it.
    pub run: fn(&Bench) -> Outcome,
}

/// What a suite found.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Cases that were run.
    pub cases: usize,
    /// Cases that failed, each in a line that names the case and says how to run it again.
    pub failures: Vec<String>,
    /// Figures worth showing, in order: name and value.
    pub figures: Vec<(&'static str, String)>,
}

impl Outcome {
    /// Counts a case; `Err` says what is wrong with it.
    pub fn case(&mut self, name: impl Display, result: Result<(), String>) {
        self.cases += 1;
        if let Err(problem) = result {
            self.failures.push(format!("{name}: {problem}"));
        }
    }

    /// Adds a figure.
    pub fn figure(&mut self, name: &'static str, value: impl Display) {
        self.figures.push((name, value.to_string()));
    }

    /// Whether every case held, and there was one at all.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.cases > 0 && self.failures.is_empty()
    }
}
