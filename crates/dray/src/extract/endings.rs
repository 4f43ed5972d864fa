//! How the resources of a run ended: a child is not complete before its parent is.

use std::sync::atomic::{AtomicU8, Ordering};

use super::chain::stopped;
use crate::error::{Error, ErrorKind, Result};

/// Until it is known to be complete a resource counts as failed: its task may end before it tells.
const FAILED: u8 = 0;
const STOPPED: u8 = 1;
const COMPLETE: u8 = 2;

/// One ending for each resource of the plan.
#[derive(Debug)]
pub(super) struct Endings(Vec<AtomicU8>);

impl Endings {
    pub(super) fn new(resources: usize) -> Self {
        Self((0..resources).map(|_| AtomicU8::new(FAILED)).collect())
    }

    pub(super) fn note(&self, resource: usize, outcome: &Result<()>) {
        let ending = match outcome {
            Ok(()) => COMPLETE,
            Err(error) if error.kind() == ErrorKind::Cancelled => STOPPED,
            Err(_) => FAILED,
        };
        if let Some(place) = self.0.get(resource) {
            place.store(ending, Ordering::Release);
        }
    }

    /// What the end of its parent means for a child that has read all it was asked for.
    pub(super) fn of_parent(&self, resource: usize) -> Result<()> {
        match self.0.get(resource).map(|place| place.load(Ordering::Acquire)) {
            Some(STOPPED) => Err(stopped()),
            Some(FAILED) => {
                Err(Error::new(ErrorKind::Request, "its parent failed, so some of it was never asked for"))
            }
            _ => Ok(()),
        }
    }
}
