//! The newest refresh token, kept between runs in a file of its own (`refresh_token_file`).
//!
//! An endpoint that gives a new refresh token with every answer makes the old one void. So the file is locked before it is
//! read and until the new one is in it, safely on the disk and before anything else is done; two runs take turns. A token
//! counts only as long as the configuration's own is the one that it descends from: a new one there begins anew.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::{Error, ErrorKind, Result};
use crate::extract::session::Session;
use crate::secret::Secret;

/// How long another run may need for its token.
const LONGEST_WAIT: Duration = Duration::from_secs(120);
const BETWEEN: Duration = Duration::from_millis(50);

/// A larger file holds no token.
const MAX_BYTES: u64 = 1 << 20;

/// The file's content.
#[derive(Serialize, Deserialize)]
struct Content {
    /// Digest of the configuration's refresh token.
    made_from: String,
    /// The newest one.
    refresh_token: String,
}

/// The file, locked, and beside it the one that is going to take its place.
#[derive(Debug)]
pub(super) struct Kept {
    path: PathBuf,
    made_from: String,
    next: PathBuf,
    writer: File,
    /// Held until this value is dropped.
    _lock: File,
}

impl Kept {
    /// Waits for other runs, and makes sure that a new token could be kept: once the endpoint is asked it is too late.
    pub(super) async fn lock(path: &Path, first: &Secret, session: &Session) -> Result<Self> {
        let failed = |error| {
            wrong(path, "cannot be written", error).hint(
                "its folder must exist and be writable: without it the next refresh token would be lost",
            )
        };
        let lock = private(&beside(path, ".lock"), OpenOptions::new().create(true).truncate(false))
            .map_err(failed)?;
        let end = session.env.instant() + LONGEST_WAIT;
        loop {
            match lock.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if session.env.instant() < end => {
                    tokio::time::sleep(BETWEEN).await;
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(Error::new(ErrorKind::Auth, "another run holds the refresh token")
                        .with("file", path.display())
                        .hint("wait for it, or end it: the token is given to one run at a time"));
                }
                Err(TryLockError::Error(error)) => return Err(failed(error)),
            }
        }
        let next = beside(path, ".new");
        // What a run left that was killed; its permissions may not be ours.
        match std::fs::remove_file(&next) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
        let writer = private(&next, OpenOptions::new().create_new(true)).map_err(failed)?;
        let digest = Sha256::digest(first.expose());
        let made_from = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { path: path.to_owned(), made_from, next, writer, _lock: lock })
    }

    /// The newest token of the configuration's own; none if that is still the newest.
    pub(super) fn newest(&self) -> Result<Option<Secret>> {
        let failed = |error| wrong(&self.path, "cannot be read", error);
        let file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        let mut text = String::new();
        file.take(MAX_BYTES).read_to_string(&mut text).map_err(failed)?;
        // The parser's own words may repeat what it read.
        let content: Content = serde_json::from_str(&text).map_err(|_| {
            Error::new(ErrorKind::Config, "the file that `refresh_token_file` names holds something else")
                .with("file", self.path.display())
                .hint("name a file that does not exist yet: it is written when the first new token comes")
        })?;
        Ok((content.made_from == self.made_from).then(|| Secret::new(content.refresh_token)))
    }

    /// Puts a new token in the place of the old one: after this it survives the run and the machine.
    pub(super) fn keep(mut self, token: &Secret) -> Result<()> {
        let content = Content { made_from: self.made_from.clone(), refresh_token: token.expose().to_owned() };
        let written = serde_json::to_vec(&content).map_err(io::Error::other).and_then(|bytes| {
            self.writer.write_all(&bytes)?;
            self.writer.sync_all()?;
            std::fs::rename(&self.next, &self.path)?;
            sync_folder(&self.path)
        });
        written.map_err(|error| {
            wrong(&self.path, "cannot be written, and the new refresh token is lost", error)
                .hint("get a new refresh token for the configuration, and make room for this file")
        })
    }

    /// What to do where the endpoint refuses a token that may have come from the file.
    pub(super) fn explain(&self, error: Error) -> Error {
        if error.kind() != ErrorKind::Auth || !self.path.exists() {
            return error;
        }
        error.with("file", self.path.display()).hint(
            "if the refresh token is void, get a new one and put it in the place of `refresh_token`: what \
             `refresh_token_file` keeps of the old one does not count any more then",
        )
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        // Nothing new came, or it has been moved into its place.
        if let Err(error) = std::fs::remove_file(&self.next)
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::debug!(%error, "an empty file stays beside the refresh token");
        }
    }
}

fn wrong(path: &Path, what: &str, error: io::Error) -> Error {
    Error::new(ErrorKind::Config, format!("the file that `refresh_token_file` names {what}"))
        .with("file", path.display())
        .caused_by(error)
}

/// The same name with something after it.
fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Opens a file for writing that nobody else may read.
fn private(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options.write(true).open(path)
}

/// Makes the renaming durable too.
#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}
