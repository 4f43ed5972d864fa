//! Finds and loads `libduckdb`, and opens database files with it.

use std::env;
use std::ffi::OsString;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use adbc_core::options::{AdbcVersion, OptionDatabase, OptionValue};
use adbc_core::{Database, Driver};
use adbc_driver_manager::{ManagedConnection, ManagedDatabase, ManagedDriver};

use super::sql::DuckDbMessage;
use crate::error::{Error, ErrorKind, Result};

/// Names the library's file, before every other place.
const VARIABLE: &str = "DRAY_DUCKDB_LIBRARY";

/// What `make setup` installs under the cache directory.
const CACHED: &str = "dray/duckdb-1.5.6";

#[cfg(target_os = "macos")]
const FILE: &str = "libduckdb.dylib";
#[cfg(windows)]
const FILE: &str = "duckdb.dll";
#[cfg(not(any(target_os = "macos", windows)))]
const FILE: &str = "libduckdb.so";

/// How often, and how long after each other, a file is tried that another process is making.
const TRIES: u32 = 100;
const BETWEEN_TRIES: Duration = Duration::from_millis(30);
/// How often at least, where it is none.
const AGAIN: u32 = 20;

/// Files that this process has open. DuckDB's file lock does not hold between two instances in one process (they would
/// corrupt the file), so everyone here shares one instance a file.
static OPEN: Mutex<Vec<(PathBuf, Weak<ManagedDatabase>)>> = Mutex::new(Vec::new());

/// An open database and a connection to it. The connection stands first: it must go first.
pub(super) struct Opened {
    pub(super) connection: ManagedConnection,
    pub(super) database: Arc<ManagedDatabase>,
}

/// Bytes of a block in files that are made here. Every column of every table holds a block of its own while rows are
/// written: with DuckDB's default of 256 KiB, 50,000 rows of 110 columns took 30 MB more and no less time.
const BLOCK_SIZE: &str = "65536";

/// Opens the database file at `path`, creating it where there is none.
pub(super) fn open(path: &Path, library: Option<&Path>) -> Result<Opened> {
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let failed = |message: &str| Error::new(ErrorKind::Destination, message).with("path", path.display());
    let directory = directory.canonicalize().map_err(|cause| {
        failed("the directory of the database file does not exist")
            .hint("create the directory")
            .caused_by(cause)
    })?;
    let Some(name) = path.file_name().filter(|_| !path.is_dir()) else {
        return Err(
            failed("the database path is a directory").hint("name a file, such as `duckdb:data.duckdb`")
        );
    };
    // A link and its target are one file.
    let file = directory.join(name);
    let file = file.canonicalize().unwrap_or(file);

    let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
    open.retain(|(_, database)| database.strong_count() > 0);
    let shared = open.iter().find(|(other, _)| *other == file).and_then(|(_, database)| database.upgrade());
    let database = match shared {
        Some(database) => database,
        None => {
            let mut driver = load(library)?;
            let Some(text) = file.to_str() else {
                return Err(failed("the path of the database file is not UTF-8"));
            };
            let options = [("path", text), ("default_block_size", BLOCK_SIZE)].map(|(name, value)| {
                (OptionDatabase::Other(name.into()), OptionValue::String(value.to_owned()))
            });
            let mut tries = 0;
            let database = loop {
                match driver.new_database_with_opts(options.clone()) {
                    Ok(database) => break database,
                    // It may have been made between the attempt and the look at it.
                    Err(error)
                        if tries < TRIES
                            && (is_being_made(&file) || tries < AGAIN && is_no_database(&error.message)) =>
                    {
                        tries += 1;
                        std::thread::sleep(BETWEEN_TRIES);
                    }
                    Err(error) => return Err(refused(path, &error.message)),
                }
            };
            let database = Arc::new(database);
            open.push((file, Arc::downgrade(&database)));
            database
        }
    };
    let connection = database.new_connection().map_err(|error| refused(path, &error.message))?;
    Ok(Opened { connection, database })
}

/// Whether another process may be making the file at this moment: it is empty, or begins like a database and is shorter
/// than its headers.
fn is_being_made(file: &Path) -> bool {
    const HEADERS: u64 = 3 * 4096;
    let mut found = Vec::new();
    let read = File::open(file).and_then(|file| file.take(HEADERS).read_to_end(&mut found));
    let whole = u64::try_from(found.len()).is_ok_and(|length| length == HEADERS);
    read.is_ok() && (found.is_empty() || !whole && found.get(8..12) == Some(&b"DUCK"[..]))
}

fn is_no_database(message: &str) -> bool {
    message.contains("not a valid DuckDB database")
}

/// Says what DuckDB means when it does not open a file.
fn refused(path: &Path, message: &str) -> Error {
    if message.contains("set lock on file") || message.contains("being used by another process") {
        return locked(path, message);
    }
    let (what, hint) = if is_no_database(message) {
        ("the file is not a DuckDB database", "name another file, or move this one away")
    } else if message.contains("newer version of DuckDB") {
        (
            "the database file was written by a newer version of DuckDB",
            "point DRAY_DUCKDB_LIBRARY at that version's library",
        )
    } else {
        let error =
            Error::new(ErrorKind::Destination, "cannot open the database file").with("path", path.display());
        return error.caused_by(DuckDbMessage::new(message));
    };
    let error = Error::new(ErrorKind::Destination, what).with("path", path.display());
    error.hint(hint).caused_by(DuckDbMessage::new(message))
}

/// DuckDB names who holds the file: `Conflicting lock is held in /usr/bin/duckdb (PID 42)`.
fn locked(path: &Path, message: &str) -> Error {
    let holder = message.split_once("held in ").and_then(|(_, rest)| {
        let (program, rest) = rest.split_once(" (PID ")?;
        Some((program, rest.split_once(')')?.0))
    });
    let error = match holder {
        Some((program, pid)) => {
            let name = Path::new(program).file_name().map_or(program.into(), |name| name.to_string_lossy());
            let what = if name.starts_with(RUN) { "another run" } else { "another program" };
            Error::new(ErrorKind::Locked, format!("{what} holds the database file: {name}, process {pid}"))
        }
        None => Error::new(ErrorKind::Locked, "another process holds the database file"),
    };
    error.with("path", path.display()).hint("close the program that has it open, or wait for it with --wait")
}

/// How this program's own processes are called.
const RUN: &str = "dray";

/// Whether a lock is another run's: it may hold it for hours, while a reader soon goes.
pub(super) fn is_held_by_run(error: &Error) -> bool {
    error.kind() == ErrorKind::Locked && error.to_string().starts_with("another run")
}

fn load(library: Option<&Path>) -> Result<ManagedDriver> {
    let places = match library {
        Some(path) => vec![path.to_owned()],
        None => places(env::var_os),
    };
    let Some(path) = places.iter().find(|path| path.is_file()) else {
        let looked: Vec<String> = places.iter().map(|path| path.display().to_string()).collect();
        let message = format!("DuckDB's library is not installed; looked at {}", looked.join(", "));
        let hint = format!("run `make setup`, or set {VARIABLE} to the path of {FILE}");
        return Err(Error::new(ErrorKind::Destination, message).hint(hint));
    };
    ManagedDriver::load_dynamic_from_filename(path, Some(b"duckdb_adbc_init"), AdbcVersion::V110).map_err(
        |error| {
            Error::new(ErrorKind::Destination, "cannot load DuckDB's library")
                .with("path", path.display())
                .hint("run `make setup`")
                .caused_by(DuckDbMessage::new(&error.message))
        },
    )
}

/// Where the library may be, best first. A path that was named outright is the only one.
fn places(variable: impl Fn(&'static str) -> Option<OsString>) -> Vec<PathBuf> {
    let set = |name| variable(name).filter(|value| !value.is_empty());
    if let Some(path) = set(VARIABLE) {
        return vec![path.into()];
    }
    let mut places = Vec::new();
    if let Ok(program) = env::current_exe()
        && let Some(directory) = program.parent()
    {
        places.push(directory.join(FILE));
    }
    let cache =
        set("XDG_CACHE_HOME").map(PathBuf::from).or_else(|| Some(PathBuf::from(set("HOME")?).join(".cache")));
    places.extend(cache.map(|cache| cache.join(CACHED).join(FILE)));
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_named_library_is_the_only_place() {
        let places = places(|name| (name == VARIABLE).then(|| "/opt/libduckdb.so".into()));
        assert_eq!(places, [PathBuf::from("/opt/libduckdb.so")]);
    }

    #[test]
    fn the_cache_comes_last() {
        let places = places(|name| (name == "HOME").then(|| "/home/ann".into()));
        assert_eq!(places.last(), Some(&PathBuf::from("/home/ann/.cache/dray/duckdb-1.5.6").join(FILE)));
    }

    #[test]
    fn a_missing_library_names_the_places_and_the_way_out() {
        let error = load(Some(Path::new("/nowhere/libduckdb.so"))).err().unwrap();
        assert_eq!(error.to_string(), "DuckDB's library is not installed; looked at /nowhere/libduckdb.so");
        assert!(error.advice().unwrap().contains("make setup"));
    }
}
