//! The only place that writes to standard output and standard error.

use std::io::{self, Write};

use dray::error::{Error, ErrorKind, Result};
use dray::secret::Scrubber;

/// Writes what the program says, without the secrets it knows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Printer {
    scrubber: Scrubber,
}

impl Printer {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// What takes secrets out of texts; secrets that become known later are added to it.
    pub(crate) fn scrubber(&self) -> &Scrubber {
        &self.scrubber
    }

    /// Data, to standard output. A reader that has gone away (`| head`) is no error.
    pub(crate) fn out(&self, text: &str) -> Result<()> {
        let written = io::stdout().lock().write_all(self.scrubber.scrub(text).as_bytes());
        match written {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(Error::new(ErrorKind::Bug, "cannot write to standard output").caused_by(error))
            }
            _ => Ok(()),
        }
    }

    /// Talk, to standard error. If nobody can be told, the program goes on.
    pub(crate) fn err(&self, text: &str) {
        let line = format!("{}\n", self.scrubber.scrub(text));
        if io::stderr().lock().write_all(line.as_bytes()).is_err() {
            // There is no other place to say it.
        }
    }

    /// An error with its causes and what to do about it.
    pub(crate) fn error(&self, error: &Error) {
        self.err(&format!("error: {}", error.chain()));
        if let Some(advice) = error.advice() {
            self.err(&format!("help: {advice}"));
        }
    }
}
