//! How long a program may run, and how deep it may call itself: the interpreter itself has no end to either.
//!
//! It asks for its table before each step that it takes, and that is where the steps are counted. There is no other way
//! out of it than to unwind, which `catch` ends.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use crate::error::{Error, ErrorKind, Result};

/// Steps for one record, whatever its size.
pub(super) const STEPS: u64 = 1_000_000;
/// Further steps for each byte of it: what goes through its lists once or twice needs fewer.
pub(super) const STEPS_A_BYTE: u64 = 50;
/// Stack of the thread that programs run on. What is not used is not taken from memory.
const STACK: usize = 256 << 20;
/// Of which calls may take so much; the rest is for what they leave behind, which is taken apart level by level.
const CALLS: usize = 32 << 20;

/// Why a program was stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stopped {
    /// It took more steps than a record of this size may cost.
    Steps,
    /// It called itself too deep.
    Calls,
    /// The interpreter failed.
    Broken,
}

/// What is left to a program for one record.
#[derive(Debug)]
pub(super) struct Fuel {
    left: Cell<u64>,
    /// Address of something on the stack where it began.
    base: usize,
}

impl Fuel {
    /// For a record of so many bytes.
    #[inline(never)]
    pub(super) fn of(bytes: usize) -> Self {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        let left = STEPS.saturating_add(bytes.saturating_mul(STEPS_A_BYTE));
        Self { left: Cell::new(left), base: here() }
    }

    /// Takes a step; leaves the program if there is none left.
    pub(super) fn burn(&self) {
        let left = self.left.get().checked_sub(1).unwrap_or_else(|| resume_unwind(Box::new(Stopped::Steps)));
        self.left.set(left);
        if self.base.abs_diff(here()) > CALLS {
            resume_unwind(Box::new(Stopped::Calls));
        }
    }
}

/// Where the stack is.
#[inline(never)]
fn here() -> usize {
    let local = 0_u8;
    std::ptr::from_ref(std::hint::black_box(&local)).addr()
}

/// Runs what may be stopped.
pub(super) fn catch<T>(run: impl FnOnce() -> T) -> std::result::Result<T, Stopped> {
    // What was under way is dropped with it.
    catch_unwind(AssertUnwindSafe(run))
        .map_err(|payload| payload.downcast_ref::<Stopped>().copied().unwrap_or(Stopped::Broken))
}

/// Runs something on a stack that is deep enough for programs, and waits for it.
pub(super) fn on_deep_stack<T: Send>(run: impl FnOnce() -> T + Send) -> Result<T> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("records".to_owned()).stack_size(STACK);
        let thread = thread.spawn_scoped(scope, run).map_err(|error| {
            Error::new(ErrorKind::Bug, "cannot start a thread for processing steps").caused_by(error)
        })?;
        thread.join().map_err(|_| Error::new(ErrorKind::Bug, "processing steps ended unexpectedly"))
    })
}
