//! Exit codes.

use dray::error::{Error, ErrorKind};
use dray::report::Status;

/// How the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// All loaded.
    Success,
    /// A resource failed.
    Failure,
    /// The configuration or the command line is wrong.
    Config,
    /// A promise of the program does not hold.
    Bug,
    /// Stopped by the user.
    Interrupted,
}

impl Exit {
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Failure => 1,
            Self::Config => 2,
            Self::Bug => 70,
            Self::Interrupted => 130,
        }
    }

    pub(crate) fn of(error: &Error) -> Self {
        match error.kind() {
            ErrorKind::Config => Self::Config,
            ErrorKind::Cancelled => Self::Interrupted,
            ErrorKind::Bug => Self::Bug,
            _ => Self::Failure,
        }
    }

    pub(crate) fn of_status(status: Status) -> Self {
        match status {
            Status::Succeeded => Self::Success,
            Status::Failed => Self::Failure,
            Status::Interrupted => Self::Interrupted,
        }
    }
}
