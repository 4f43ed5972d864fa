//! What earlier runs left to be read, and reading the partitions of a resource side by side.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::chain::Reader;
use super::children::{Partition, owner_of};
use super::incremental::Cursors;
use super::position::Position;
use crate::error::{Error, ErrorKind, Result};

/// What earlier runs have read of the resources whose passes go on.
#[derive(Debug, Default)]
pub struct Resume {
    resources: HashMap<usize, Resumed>,
}

/// What they have read of one resource.
#[derive(Debug, Default)]
pub(super) struct Resumed {
    /// All of it: nothing is left to ask for.
    pub(super) complete: bool,
    /// Partitions to go on with.
    pub(super) open: Vec<Partition>,
    /// Partitions that are loaded.
    pub(super) done: Vec<Partition>,
}

impl Resume {
    /// A resource of which nothing is left to ask for.
    pub fn complete(&mut self, resource: usize) {
        self.resources.entry(resource).or_default().complete = true;
    }

    /// A partition of a resource: its key, the fields that its records carry, and where it stands (none: at its
    /// beginning), or that it is loaded.
    ///
    /// # Errors
    /// Where the texts are not what [`super::Event`] told.
    pub fn partition(
        &mut self,
        resource: usize,
        key: &str,
        overlay: Option<&str>,
        position: Option<Position>,
        done: bool,
    ) -> Result<()> {
        let partition = Partition::stored(key, overlay, position)?;
        let resumed = self.resources.entry(resource).or_default();
        if done {
            resumed.done.push(partition);
        } else {
            resumed.open.push(partition);
        }
        Ok(())
    }

    /// The keys of all partitions of a resource: its parent need not open them again.
    pub(super) fn known(&self, resource: usize) -> HashSet<Arc<str>> {
        let resumed = self.resources.get(&resource);
        let all = resumed.into_iter().flat_map(|resumed| resumed.open.iter().chain(&resumed.done));
        all.map(|partition| owner_of(&partition.key)).collect()
    }

    pub(super) fn take(&mut self, resource: usize) -> Resumed {
        self.resources.remove(&resource).unwrap_or_default()
    }
}

/// The partitions of a resource with a parent or with windows while they are read.
pub(super) struct Partitions {
    reader: Arc<Reader>,
    cursors: Arc<Cursors>,
    name: Arc<str>,
    shared: Arc<Mutex<Shared>>,
}

#[derive(Default)]
struct Shared {
    /// To be read before those that still come.
    backlog: Vec<Partition>,
    /// All partitions so far, kept only where the resource may have to start over.
    all: Option<Vec<Partition>>,
    /// Why some partition cannot go on where it was.
    stale: Option<Error>,
    failure: Option<Error>,
}

impl Partitions {
    pub(super) fn new(reader: &Arc<Reader>, cursors: &Arc<Cursors>, name: &str) -> Self {
        Self {
            reader: Arc::clone(reader),
            cursors: Arc::clone(cursors),
            name: name.into(),
            shared: Arc::default(),
        }
    }

    /// Reads what earlier runs left open and what the parent opens, until the parent has no more. Where a stored
    /// position leads nowhere, all partitions are read again from their beginnings.
    pub(super) async fn read(self, queue: Option<mpsc::Receiver<Partition>>, resumed: Resumed) -> Result<()> {
        let Resumed { open, done, .. } = resumed;
        {
            let mut shared = self.shared();
            let positioned = open.iter().any(|partition| partition.position.is_some());
            shared.all = positioned.then(|| open.iter().chain(&done).cloned().collect());
            shared.backlog = open;
        }
        self.workers(queue).await?;
        let (stale, all) = {
            let mut shared = self.shared();
            let restarts = shared.failure.is_none() && shared.all.is_some();
            (if restarts { shared.stale.take() } else { None }, shared.all.take())
        };
        if let (Some(why), Some(mut all)) = (stale, all) {
            for partition in &mut all {
                partition.position = None;
            }
            self.reader.restarted(why, &all).await?;
            self.shared().backlog = all;
            self.workers(None).await?;
        }
        // What could not go on and did not start over was not read.
        let mut shared = self.shared();
        let failure = shared.failure.take();
        failure.or_else(|| shared.stale.take()).map_or(Ok(()), Err)
    }

    async fn workers(&self, queue: Option<mpsc::Receiver<Partition>>) -> Result<()> {
        let queue = Arc::new(tokio::sync::Mutex::new(queue));
        let mut workers = JoinSet::new();
        for _ in 0..self.reader.session.plan.client.concurrency.max(1) {
            let (reader, cursors) = (Arc::clone(&self.reader), Arc::clone(&self.cursors));
            let (shared, name, queue) =
                (Arc::clone(&self.shared), Arc::clone(&self.name), Arc::clone(&queue));
            workers.spawn(async move {
                while let Some(partition) = next(&shared, &queue).await {
                    // After a failure the queue is emptied, so that the parent is not held up for ever; its partitions
                    // are read by the next run.
                    if lock(&shared).failure.is_some() || lock(&shared).stale.is_some() {
                        continue;
                    }
                    if let Some(error) = reader.slicer.refusal(&partition) {
                        lock(&shared).failure.get_or_insert(error);
                        continue;
                    }
                    match reader.read(&partition, cursors.get(&name, &owner_of(&partition.key))).await {
                        Ok(()) => {}
                        Err(error) if error.kind() == ErrorKind::Stale => {
                            lock(&shared).stale.get_or_insert(error);
                        }
                        Err(error) => {
                            lock(&shared).failure.get_or_insert(error);
                        }
                    }
                }
            });
        }
        while let Some(ended) = workers.join_next().await {
            ended.map_err(|error| {
                Error::new(ErrorKind::Bug, "a worker ended unexpectedly").caused_by(error)
            })?;
        }
        Ok(())
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        lock(&self.shared)
    }
}

fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The next partition to read: those that were left open first, then those that the parent opens.
async fn next(
    shared: &Mutex<Shared>,
    queue: &tokio::sync::Mutex<Option<mpsc::Receiver<Partition>>>,
) -> Option<Partition> {
    if let Some(partition) = lock(shared).backlog.pop() {
        return Some(partition);
    }
    let partition = queue.lock().await.as_mut()?.recv().await?;
    if let Some(all) = &mut lock(shared).all {
        all.push(partition.clone());
    }
    Some(partition)
}
