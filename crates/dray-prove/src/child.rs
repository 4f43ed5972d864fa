//! A run in a process of its own, which may be killed.

use std::ffi::OsString;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use dray::steps::{Steps, Verdict};

use crate::load::{failure, load_into, plan};
use crate::scenario::Kind;

use dray::secret::Secret;

use crate::credentials::repeated;

/// `dray-prove dray …`: the command line of dray as it is.
#[must_use]
pub fn dray(arguments: Vec<OsString>) -> u8 {
    dray_cli::run(std::iter::once(OsString::from("dray")).chain(arguments))
}

/// A run of a scenario that dies at one of its steps.
#[derive(Clone, Debug)]
pub struct Dying {
    /// What is loaded.
    pub kind: Kind,
    /// The API.
    pub base: String,
    /// The database.
    pub database: PathBuf,
    /// The step that it does not survive; 0: none.
    pub at: u64,
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Died {
    /// It was killed at its step.
    Killed,
    /// It came to its end first.
    Survived,
}

impl Dying {
    /// Runs it in a process of its own.
    ///
    /// # Errors
    /// In words, where it neither died as ordered nor succeeded.
    pub fn run(&self, program: &Path) -> Result<Died, String> {
        let output = self.command(program).output().map_err(|error| error.to_string())?;
        match output.status.code() {
            Some(0) => Ok(Died::Survived),
            None => Ok(Died::Killed),
            Some(code) => {
                Err(format!("exit code {code}: {}", String::from_utf8_lossy(&output.stderr).trim()))
            }
        }
    }

    /// The process, before it is started.
    #[must_use]
    pub fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.args(["child", self.kind.name(), &self.base]).arg(&self.database).arg(self.at.to_string());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        command
    }

    /// `dray-prove child KIND BASE DATABASE STEP`: the process itself.
    #[must_use]
    pub fn of_arguments(arguments: &[OsString]) -> Option<Self> {
        let [kind, base, database, at] = arguments else { return None };
        Some(Self {
            kind: Kind::named(kind.to_str()?)?,
            base: base.to_str()?.to_owned(),
            database: database.into(),
            at: at.to_str()?.parse().ok()?,
        })
    }

    /// Runs it in this process, which may not survive.
    #[must_use]
    pub fn live(self) -> u8 {
        let at = self.at;
        let steps = Steps::watched(move |number, _| {
            if number == at {
                die();
            }
            Verdict::GoOn
        });
        let ran = plan(&self.kind.config(&self.base), &[])
            .and_then(|plan| load_into(&self.database, plan, self.kind.checkpointing(), steps));
        match failure(&ran) {
            None => 0,
            Some(problem) => {
                // Where nobody reads it, the exit code says enough.
                if writeln!(std::io::stderr(), "{problem}").is_err() {
                    return 2;
                }
                1
            }
        }
    }
}

/// SIGKILL: nothing is flushed, closed or told.
fn die() {
    let pid = std::process::id().to_string();
    if Command::new("kill").args(["-9", &pid]).status().is_err() {
        std::process::abort();
    }
    loop {
        std::thread::park();
    }
}

/// `dray-prove panic SECRET…`: panics as dray would, in a thread and outside of one, with the secrets in the message.
#[must_use]
#[expect(clippy::panic, reason = "what is proved is how a panic is told")]
pub fn panic(arguments: &[OsString]) -> u8 {
    let secrets: Vec<Secret> =
        arguments.iter().map(|argument| Secret::new(argument.to_string_lossy().into_owned())).collect();
    dray_cli::guarded(&secrets, || {
        let all: String = secrets.iter().map(|secret| repeated(secret.expose())).collect();
        let message = format!("{all} {:?}", secrets.iter().map(Secret::expose).collect::<Vec<_>>());
        let own = message.clone();
        if std::thread::spawn(move || panic!("{own}")).join().is_ok() {
            return 0;
        }
        panic!("{message}")
    })
}
