//! The only place that writes to standard output and standard error.

use std::io::{self, Write};

use dray::error::{Error, ErrorKind, Result};
use dray::report::Report;
use dray::secret::Scrubber;
use indicatif::MultiProgress;
use serde_json::json;

use crate::args::{Global, LogFormat};

/// Writes what the program says, without the secrets it knows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Printer {
    scrubber: Scrubber,
    /// Talk is one JSON document a line.
    json: bool,
    /// Only problems are said.
    quiet: bool,
    /// Progress bars, which make way for lines.
    bars: MultiProgress,
}

impl Printer {
    /// A printer that talks as the command line says.
    pub(crate) fn new(global: &Global) -> Self {
        let json = global.log_format == LogFormat::Json;
        Self { json, quiet: global.quiet, ..Self::default() }
    }

    /// What takes secrets out of texts; secrets that become known later are added to it.
    pub(crate) fn scrubber(&self) -> &Scrubber {
        &self.scrubber
    }

    /// The progress bars that lines are printed above.
    pub(crate) fn bars(&self) -> &MultiProgress {
        &self.bars
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

    /// What is said whether asked for quiet or not: problems.
    pub(crate) fn err(&self, text: &str) {
        if self.json {
            self.log("ERROR", &json!({"message": text}));
        } else {
            self.line(text);
        }
    }

    /// Talk, to standard error.
    pub(crate) fn talk(&self, text: &str) {
        if self.quiet {
        } else if self.json {
            self.log("INFO", &json!({"message": text}));
        } else {
            self.line(text);
        }
    }

    /// The end of a run: a summary for people, the report for programs that read the log.
    pub(crate) fn ended(&self, summary: &str, report: &Report) {
        if self.quiet {
            // What failed in a resource has been logged when it did.
            if let Some(error) = &report.error {
                self.err(&format!("error: {error}"));
            }
        } else if self.json {
            self.log("INFO", &json!({"message": "run ended", "report": report}));
        } else {
            self.line(summary);
        }
    }

    fn log(&self, level: &str, fields: &serde_json::Value) {
        self.line(&json!({"level": level, "fields": fields}).to_string());
    }

    /// A line as it is, to standard error. If nobody can be told, the program goes on.
    pub(crate) fn line(&self, text: &str) {
        let line = format!("{}\n", self.scrubber.scrub(text));
        if self.bars.suspend(|| io::stderr().lock().write_all(line.as_bytes())).is_err() {
            // There is no other place to say it.
        }
    }

    /// An error with its causes and what to do about it.
    pub(crate) fn error(&self, error: &Error) {
        if self.json {
            self.log("ERROR", &json!({"message": error.chain(), "help": error.advice()}));
            return;
        }
        self.line(&format!("error: {}", error.chain()));
        if let Some(advice) = error.advice() {
            self.line(&format!("help: {advice}"));
        }
    }
}
