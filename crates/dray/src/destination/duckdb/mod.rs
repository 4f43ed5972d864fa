//! DuckDB, by way of ADBC. A dataset is a schema of the database; rows that wait to be switched in are in
//! `<dataset>_staging`.
//!
//! | file | |
//! |---|---|
//! | `library`, `memory` | finds `libduckdb`, opens files; what it keeps in memory |
//! | `sql` | statements, parameters, bulk ingest, quoting |
//! | `types`, `ddl` | tables and columns as they are and as they must be |
//! | `family` | root tables with their nested tables |
//! | `meta` | dlt's tables about loads, and the writer's row |
//! | `ledger` | open loads and passes, positions |
//! | `checkpoint` | one commit |
//! | `rejects` | records that cannot be loaded |
//! | `write`, `keys`, `merge`, `stage` | rows into tables |

mod checkpoint;
mod ddl;
mod family;
mod keys;
mod ledger;
mod library;
mod memory;
mod merge;
mod meta;
mod rejects;
mod sql;
mod stage;
mod types;
mod write;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use adbc_core::Database as _;
use adbc_driver_manager::ManagedDatabase;

use self::checkpoint::{Book, Checkpoint};
use self::ddl::Catalog;
use self::family::Lineage;
use self::keys::SeenKeys;
use self::ledger::Ledger;
use self::memory::Memory;
use self::sql::{COMMIT, Session};
use super::{Commit, Committed, Destination, ResourceLoad, Restored, RunIdentity, TableBatch};
use crate::env::Env;
use crate::error::{Error, ErrorKind, Result};
use crate::steps::Steps;

/// How long a reader that holds the file is waited for.
const FOR_READERS: Duration = Duration::from_secs(30);
/// How often a file that is held is tried.
const BETWEEN_TRIES: Duration = Duration::from_millis(200);

/// A DuckDB file and a dataset in it.
pub struct DuckDb {
    // Before the database: a connection must not outlive it.
    session: Session,
    memory: Memory,
    _database: Arc<ManagedDatabase>,
    path: PathBuf,
    dataset: String,
    /// DuckDB's name of the file's catalog.
    catalog: String,
    claimed: Option<Claimed>,
}

/// What a run holds after [`Destination::claim`].
struct Claimed {
    run: RunIdentity,
    epoch: i64,
    /// Commits so far.
    sequence: i64,
    book: Book,
    seen: SeenKeys,
    /// What the last commit left, while a transaction is open.
    before: Option<Book>,
}

impl Claimed {
    fn checkpoint<'d>(&'d mut self, session: &'d mut Session) -> Checkpoint<'d> {
        let id = format!("{}_{}", self.epoch, self.sequence);
        Checkpoint::new(session, &mut self.book, &self.run, &mut self.seen, self.sequence, id)
    }
}

impl DuckDb {
    /// Opens the database file at `path`, creating it where there is none. `library` is the path of `libduckdb`; none:
    /// `DRAY_DUCKDB_LIBRARY`, beside the program, or where `make setup` puts it.
    ///
    /// # Errors
    /// Where the library is not installed, the file is held by another process or is not a DuckDB database, or its
    /// directory does not exist.
    pub fn open(
        path: impl AsRef<Path>,
        dataset: impl Into<String>,
        library: Option<PathBuf>,
    ) -> Result<Self> {
        let path = path.as_ref();
        let opened = library::open(path, library.as_deref())?;
        let mut session = Session::new(opened.connection);
        // Without it, DuckDB reads instants that have no zone in the zone of the machine.
        session.run("SET TimeZone = 'UTC'", &[])?;
        // A commit larger than this goes straight into the file; a smaller one is logged first, and packed again when the
        // file takes it in. Large commits are larger than that, and what a slow API gives in seconds is not.
        session.run("SET checkpoint_threshold = '16MB'", &[])?;
        // The rows of one commit are too few to share among threads, and each thread keeps buffers of its own; measured with
        // the same rows on two cores: a tenth less CPU time and 20 MB less memory than with two.
        session.run("SET threads = 1", &[])?;
        let rows = session.rows("SELECT current_database()", &[])?;
        let catalog = rows.into_iter().flatten().flatten().next().unwrap_or_default();
        let another = opened.database.new_connection().map_err(|error| sql::failed(&error))?;
        let wanted = std::env::var_os(memory::VARIABLE).and_then(|wanted| wanted.into_string().ok());
        let memory = Memory::new(Session::new(another), wanted.as_deref())?;
        Ok(Self {
            session,
            memory,
            _database: opened.database,
            path: path.to_owned(),
            dataset: dataset.into(),
            catalog,
            claimed: None,
        })
    }

    /// As [`DuckDb::open`], but waits for a file that another process holds: as long as `wait` says; without it a
    /// reader is given half a minute, and another run is not waited for. `waiting` is told why, once.
    ///
    /// # Errors
    /// As [`DuckDb::open`]; of kind [`ErrorKind::Locked`] where the time was not enough.
    pub fn open_when_free(
        path: impl AsRef<Path>,
        dataset: &str,
        wait: Option<Duration>,
        env: &Env,
        waiting: impl FnOnce(&Error),
    ) -> Result<Self> {
        let (path, started) = (path.as_ref(), env.instant());
        let mut waiting = Some(waiting);
        loop {
            match Self::open(path, dataset, None) {
                Err(error) if error.kind() == ErrorKind::Locked => {
                    let patience = if library::is_held_by_run(&error) { Duration::ZERO } else { FOR_READERS };
                    if env.instant() - started >= wait.unwrap_or(patience) {
                        return Err(error);
                    }
                    if let Some(waiting) = waiting.take() {
                        waiting(&error);
                    }
                    std::thread::sleep(env.jitter(BETWEEN_TRIES));
                }
                opened => return opened,
            }
        }
    }

    /// Lets somebody watch every statement.
    #[must_use]
    pub fn watched(mut self, steps: Steps) -> Self {
        self.session.watch(steps);
        self
    }

    /// Runs a query (`SELECT`, `FROM`, `DESCRIBE`) and gives its rows as text: for `dray schema`, `dray state`, `dray loads`,
    /// and tests.
    ///
    /// # Errors
    /// Where the database refuses the query.
    pub fn query(&mut self, sql: &str) -> Result<Vec<Vec<Option<String>>>> {
        self.session.texts(sql)
    }

    /// Runs a statement of whatever kind: for proofs, which damage a dataset with it.
    ///
    /// # Errors
    /// Where the database refuses it.
    #[doc(hidden)]
    pub fn execute(&mut self, sql: &str) -> Result<()> {
        self.session.run(sql, &[]).map(drop)
    }

    fn staging(&self) -> String {
        format!("{}_staging", self.dataset)
    }

    /// Runs `work` in a transaction.
    fn transaction<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.session.run("BEGIN TRANSACTION", &[])?;
        let result = work(self).and_then(|value| self.session.run(COMMIT, &[]).map(|_| value));
        if result.is_err() {
            // Where the transaction is gone already (a refused COMMIT ends it), this fails, which changes nothing.
            drop(self.session.run("ROLLBACK", &[]));
        }
        result
    }

    /// Works in the transaction of the run, which begins here where none is open; where it fails, all of it is gone.
    fn within<T>(&mut self, work: impl FnOnce(&mut Session, &mut Claimed) -> Result<T>) -> Result<T> {
        let Some(claimed) = self.claimed.as_mut() else {
            return Err(Error::new(ErrorKind::Bug, "rows without a claim"));
        };
        let session = &mut self.session;
        let result = (|| {
            if claimed.before.is_none() {
                session.run("BEGIN TRANSACTION", &[])?;
                claimed.before = Some(claimed.book.clone());
                let (target, pipeline) = (&claimed.book.target, &claimed.run.pipeline);
                meta::check_writer(session, target, pipeline, claimed.epoch, claimed.sequence)?;
            }
            work(session, claimed)
        })();
        if result.is_err() {
            self.roll_back();
        }
        result
    }

    /// Ends the transaction of the run.
    fn end(&mut self) -> Result<()> {
        let Err(error) = self.session.run(COMMIT, &[]) else {
            self.committed();
            return Ok(());
        };
        let Some(claimed) = self.claimed.as_ref() else { return Err(error) };
        // A commit may have happened although its answer was lost: the sequence number tells.
        drop(self.session.run("ROLLBACK", &[]));
        let (target, pipeline) = (&claimed.book.target, &claimed.run.pipeline);
        let sequence = meta::sequence(&mut self.session, target, pipeline, claimed.epoch);
        let happened = matches!(sequence, Ok(Some(sequence)) if sequence == claimed.sequence + 1);
        if happened && error.kind() == ErrorKind::Destination {
            self.committed();
            Ok(())
        } else {
            self.take_back();
            Err(error)
        }
    }

    fn committed(&mut self) {
        if let Some(claimed) = self.claimed.as_mut() {
            claimed.sequence += 1;
            claimed.before = None;
        }
    }

    fn roll_back(&mut self) {
        // Where the transaction is gone already (a refused COMMIT ends it), this fails, which changes nothing.
        drop(self.session.run("ROLLBACK", &[]));
        self.take_back();
    }

    /// What is known of the database is what the last commit left.
    fn take_back(&mut self) {
        if let Some(claimed) = self.claimed.as_mut() {
            claimed.seen = SeenKeys::default();
            if let Some(before) = claimed.before.take() {
                claimed.book = before;
            }
        }
    }

    fn claim_within(&mut self, run: &RunIdentity) -> Result<(Claimed, Restored)> {
        let staging = self.staging();
        let session = &mut self.session;
        let mut target = Catalog::read(session, &self.catalog, &self.dataset)?;
        target.create_schema(session)?;
        meta::create(session, &mut target)?;
        let epoch = meta::next_epoch(session, &target, &run.pipeline)?;
        let schema = meta::newest_schema(session, &target, &run.schema)?;
        let state = meta::newest_state(session, &target, &run.pipeline)?;

        let mut lineage = Lineage::default();
        let restored_schema = schema.as_ref().map(|schema| schema.schema());
        for table in restored_schema.iter().flat_map(|schema| schema.tables()) {
            if let Some(parent) = &table.parent {
                lineage.learn(&table.name, parent);
            }
        }
        lineage.guess(&target);

        let ledger = Ledger::read(session, &target, &run.pipeline)?;
        let positions = ledger::positions(session, &target, &run.pipeline)?;
        let mut staged = Catalog::read(session, &self.catalog, &staging)?;
        for table in leftovers(&staged, &ledger, &run.pipeline) {
            staged.drop_table(session, &table)?;
        }

        let restored = Restored {
            schema: restored_schema,
            state: state.as_ref().map(|state| state.value.clone()),
            passes: ledger.restored(),
            positions,
        };
        let book = Book::new(target, staged, lineage, ledger, schema, state);
        let seen = SeenKeys::default();
        Ok((Claimed { run: run.clone(), epoch, sequence: 0, book, seen, before: None }, restored))
    }
}

/// Staging tables of the pipeline that no open pass knows.
fn leftovers(staged: &Catalog, ledger: &Ledger, pipeline: &str) -> Vec<String> {
    let known: Vec<String> = ledger
        .passes
        .iter()
        .flat_map(|(resource, pass)| {
            pass.staged.iter().map(move |table| stage::name(pipeline, resource, table).to_lowercase())
        })
        .collect();
    let prefix = stage::prefix(pipeline);
    let own = staged.tables().map(|shape| &shape.name).filter(|name| name.starts_with(&prefix));
    own.filter(|name| !known.contains(&name.to_lowercase())).cloned().collect()
}

/// Columns of the tables that rows go into.
fn columns(batches: &[TableBatch]) -> usize {
    let tables: BTreeMap<&str, usize> =
        batches.iter().map(|batch| (batch.table.name.as_str(), batch.table.columns.len())).collect();
    tables.values().sum()
}

impl Destination for DuckDb {
    fn claim(&mut self, run: &RunIdentity) -> Result<Restored> {
        let (claimed, restored) = self.transaction(|this| this.claim_within(run))?;
        self.memory.allow(claimed.book.columns())?;
        self.claimed = Some(claimed);
        Ok(restored)
    }

    fn write(
        &mut self,
        batches: &[TableBatch],
        resources: &BTreeMap<String, ResourceLoad>,
    ) -> Result<Committed> {
        self.memory.allow(columns(batches))?;
        self.within(|session, claimed| claimed.checkpoint(session).write(batches, resources))
    }

    fn commit(&mut self, commit: Commit<'_>) -> Result<Committed> {
        self.memory.allow(columns(&commit.batches))?;
        let committed = self.within(|session, claimed| {
            let before = claimed.before.as_ref().map_or_else(Ledger::default, |book| book.ledger.clone());
            claimed.checkpoint(session).apply(&commit, &before)
        })?;
        self.end()?;
        self.memory.trim();
        Ok(committed)
    }

    fn kind(&self) -> &'static str {
        "duckdb"
    }

    fn location(&self) -> String {
        format!("duckdb:{}, dataset {}", self.path.display(), self.dataset)
    }
}

impl fmt::Debug for DuckDb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DuckDb")
            .field("path", &self.path)
            .field("dataset", &self.dataset)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
