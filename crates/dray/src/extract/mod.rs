//! **extract**: `Plan` and `State` to pages of records. The only stage that speaks HTTP.
//!
//! Every resource is a task, and every dependent resource has a few workers that read its partitions side by side.
//! Between a parent and its child stands a bounded queue, so that a parent never runs far ahead; a request slot is held
//! only while a request is under way, so no depth of dependence can block itself.

mod ahead;
mod answers;
mod auth;
mod batches;
#[doc(hidden)]
pub mod bench;
mod body;
mod certificates;
mod chain;
mod charset;
mod children;
mod client;
mod complete;
mod decode;
#[doc(hidden)]
pub mod door;
mod endings;
mod format;
mod incremental;
mod look;
mod order;
mod paginate;
mod position;
mod refusal;
mod request;
mod resume;
mod retention;
mod retry;
mod row_order;
mod select;
mod session;
mod sift;
mod slots;
mod stats;
mod taken;
mod throttle;
mod transformed;
mod windows;

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex};

use tokio::sync::mpsc;
use tokio::task::JoinSet;

pub use self::children::owner_of;
pub use self::incremental::{CursorMove, CursorState, Cursors};
pub use self::look::{Looked, look};
pub use self::position::Position;
pub use self::resume::Resume;
pub use self::retention::mend;
pub use self::stats::{CompletenessStats, ResourceStats};

use self::auth::Authenticator;
use self::chain::Reader;
use self::children::{Child, Family, Partition};
use self::endings::Endings;
use self::resume::{Partitions, Resumed};
use self::session::Session;
use self::windows::Slicer;
use crate::env::Env;
use crate::error::{Error, ErrorKind, Result};
use crate::json::{Document, NodeId};
use crate::plan::{Plan, ResourcePlan};

/// One page of one partition of a resource: parsed, its records found.
#[derive(Debug, Clone)]
pub struct Page {
    /// Index in [`crate::plan::Plan::resources`].
    pub resource: usize,
    /// The chain of pages it belongs to: the JSON list of the parent fields that the request was made of; empty for
    /// a resource without a parent. Of a window a JSON object with its ends.
    pub partition: Arc<str>,
    /// Counted from 1 in its chain.
    pub number: u64,
    /// The body.
    pub document: Arc<Document>,
    /// The records to load, on the document's tape.
    pub records: Vec<NodeId>,
    /// Fields that every record carries beside its own (parent fields): a JSON object. A record's own value wins if it
    /// is not null.
    pub overlay: Option<Arc<Document>>,
    /// The records have them already: steps that saw them may have taken them out again.
    pub carries: bool,
    /// Where the partition stands after this page.
    pub position: Position,
    /// Partitions of the resource's children that its records open.
    pub opened: Vec<Opened>,
    /// Records that cannot be loaded, for the table that keeps them; nothing where they are only counted.
    pub rejects: Vec<Reject>,
}

/// A partition that a parent's record opens.
#[derive(Debug, Clone)]
pub struct Opened {
    /// The child: index in [`crate::plan::Plan::resources`].
    pub resource: usize,
    /// As in [`Page::partition`].
    pub key: Arc<str>,
    /// As in [`Page::overlay`].
    pub overlay: Option<Arc<Document>>,
}

/// A record that cannot be loaded.
#[derive(Debug, Clone)]
pub struct Reject {
    /// What is wrong, in words that are the same for all of the kind.
    pub reason: Cow<'static, str>,
    /// Where in the page, as a JSON pointer.
    pub pointer: String,
    /// The record's size.
    pub bytes: u64,
    /// The record as it came, its beginning if it is huge.
    pub raw: Vec<u8>,
}

/// What extract tells.
#[derive(Debug)]
pub enum Event {
    /// A page, also one without records: its partition moves.
    Page(Page),
    /// All pages of a partition were told.
    PartitionDone {
        /// Index in [`Plan::resources`].
        resource: usize,
        /// As in [`Page::partition`].
        partition: Arc<str>,
        /// As in [`Page::overlay`].
        overlay: Option<Arc<Document>>,
        /// How far its cursor has come.
        cursor: Option<CursorMove>,
    },
    /// Partitions of a resource that are still to be read, before anything else of them.
    Opened(Vec<Opened>),
    /// A resource starts over: what was told of it before, in earlier runs too, is void.
    Restarted {
        /// Index in [`Plan::resources`].
        resource: usize,
        /// Why.
        why: Error,
        /// All its partitions so far; of a resource without a parent none.
        partitions: Vec<Opened>,
    },
    /// All partitions of a resource were told, or it failed; once for every resource. One that nobody needs is complete
    /// from the start: neither a load nor a parent's cursor waits for it.
    ResourceDone {
        /// Index in [`Plan::resources`].
        resource: usize,
        /// Why it failed, if it did.
        outcome: Result<()>,
    },
}

/// Reads the selected resources of a plan, and the parents that they need, to their ends.
///
/// A resource that fails does not stop the others, but for its own children. Where the receiver of events is gone,
/// everything stops.
pub async fn extract(
    plan: Arc<Plan>,
    cursors: Cursors,
    mut resume: Resume,
    env: Arc<Env>,
    events: mpsc::Sender<Event>,
    stats: Arc<Vec<ResourceStats>>,
) {
    let now = env.now();
    let session = match Session::new(Arc::clone(&plan), env) {
        Ok(session) => Arc::new(session),
        Err(error) => {
            // Without a client nothing can be asked: the first resource says why, the others are never told.
            if events.send(Event::ResourceDone { resource: 0, outcome: Err(error) }).await.is_err() {
                tracing::debug!("nobody waits for the run any more");
            }
            return;
        }
    };
    let cursors = Arc::new(cursors);
    let endings = Arc::new(Endings::new(plan.resources.len()));
    let mut families: HashMap<usize, Family> = HashMap::new();
    let mut queues = HashMap::new();
    let needed = needed(&plan);
    let slicer = |resource| Slicer { plan: Arc::clone(&plan), resource, cursors: Arc::clone(&cursors), now };
    for index in &needed {
        let Some(resource) = plan.resources.get(*index) else { continue };
        if let Some(parent) = &resource.parent {
            let (sender, receiver) = mpsc::channel(plan.client.concurrency.max(1) * 2);
            let seen = Arc::new(Mutex::new(batches::singles(resume.known(*index), parent)));
            let child = Child {
                resource: *index,
                name: resource.name.clone(),
                plan: parent.clone(),
                partitions: sender,
                seen,
                slicer: slicer(*index),
                stats: Arc::clone(&stats),
            };
            families.entry(parent.resource).or_default().children.push(child);
            queues.insert(*index, receiver);
        }
    }
    for index in (0..plan.resources.len()).filter(|index| !needed.contains(index)) {
        if events.send(Event::ResourceDone { resource: index, outcome: Ok(()) }).await.is_err() {
            return;
        }
    }
    let auths = authenticators(&plan);
    let mut tasks = JoinSet::new();
    for index in needed {
        let Some(auth) = auths.get(index) else { continue };
        let reader = Arc::new(Reader {
            index,
            session: Arc::clone(&session),
            auth: Arc::clone(auth),
            events: events.clone(),
            stats: Arc::clone(&stats),
            family: families.remove(&index).unwrap_or_default(),
            slicer: slicer(index),
        });
        let (cursors, endings, queue) = (Arc::clone(&cursors), Arc::clone(&endings), queues.remove(&index));
        let resumed = resume.take(index);
        tasks.spawn(resource(reader, cursors, endings, queue, resumed));
    }
    drop(events);
    while let Some(ended) = tasks.join_next().await {
        if let Err(error) = ended {
            tracing::error!(%error, "a resource's task ended unexpectedly");
        }
    }
}

/// The resources that run: those selected, and all parents above them.
pub(crate) fn needed(plan: &Plan) -> BTreeSet<usize> {
    let mut needed = BTreeSet::new();
    for (index, resource) in plan.resources.iter().enumerate().rev() {
        if resource.selected || needed.contains(&index) {
            needed.insert(index);
            needed.extend(resource.parent.as_ref().map(|parent| parent.resource));
        }
    }
    needed
}

/// One authenticator for each way to authenticate, so that a token is fetched once.
fn authenticators(plan: &Plan) -> Vec<Arc<Authenticator>> {
    let mut known: Vec<(&ResourcePlan, Arc<Authenticator>)> = Vec::new();
    let mut auths = Vec::with_capacity(plan.resources.len());
    for resource in &plan.resources {
        let shared =
            known.iter().find(|(other, _)| other.auth == resource.auth).map(|(_, auth)| Arc::clone(auth));
        let auth = shared.unwrap_or_else(|| {
            let auth = Arc::new(Authenticator::new(&resource.auth));
            known.push((resource, Arc::clone(&auth)));
            auth
        });
        auths.push(auth);
    }
    auths
}

/// Reads one resource to its end and tells how it ended.
async fn resource(
    reader: Arc<Reader>,
    cursors: Arc<Cursors>,
    endings: Arc<Endings>,
    queue: Option<mpsc::Receiver<Partition>>,
    resumed: Resumed,
) {
    let index = reader.index;
    let plan = Arc::clone(&reader.session.plan);
    let Some(resource) = plan.resources.get(index) else { return };
    let outcome = if resumed.complete {
        Ok(())
    } else {
        let partitions = Partitions::new(&reader, &cursors, &resource.name);
        let windows = resource.incremental.as_ref().is_some_and(|incremental| incremental.window.is_some());
        match queue {
            None if windows || resource.each.is_some() => match opened(&reader, resumed).await {
                Ok(resumed) => partitions.read(None, resumed).await,
                Err(error) => Err(error),
            },
            None => whole(&reader, cursors.get(&resource.name, ""), resumed).await,
            queue => partitions.read(queue, resumed).await,
        }
    };
    let outcome = outcome.and_then(|()| {
        let Some(parent) = &resource.parent else { return Ok(()) };
        endings.of_parent(parent.resource).map_err(|error| {
            let parent = plan.resources.get(parent.resource).map_or("", |parent| parent.name.as_str());
            error.with("resource", &resource.name).with("path", format!("parent {parent}"))
        })
    });
    endings.note(index, &outcome);
    // Before the children's queues close (with the reader), the failure is known.
    let told = reader.events.send(Event::ResourceDone { resource: index, outcome }).await;
    if told.is_err() {
        tracing::debug!(resource = resource.name, "nobody waits for the run any more");
    }
}

/// The items and windows of a resource without a parent: those that an earlier run left, else all of them, which are told
/// before any is read.
async fn opened(reader: &Reader, resumed: Resumed) -> Result<Resumed> {
    if !resumed.open.is_empty() || !resumed.done.is_empty() {
        return Ok(resumed);
    }
    let items = Partition::whole().spread(reader.slicer.each())?;
    let mut windows: Vec<Partition> = items.into_iter().flat_map(|item| item.cut(&reader.slicer)).collect();
    if let Some(error) = windows.iter().find_map(|window| reader.slicer.refusal(window)) {
        return Err(error);
    }
    let told = windows.iter().map(|window| window.told(reader.index)).collect();
    reader.events.send(Event::Opened(told)).await.map_err(|_| chain::stopped())?;
    // The oldest is read first: they are taken from the end.
    windows.reverse();
    Ok(Resumed { open: windows, ..resumed })
}

/// Reads a resource without a parent: one partition.
async fn whole(reader: &Reader, cursor: Option<&CursorState>, mut resumed: Resumed) -> Result<()> {
    // An earlier run may have stored its end and died before it stored that of the resource.
    if !resumed.done.is_empty() {
        return Ok(());
    }
    let first = resumed.open.pop().unwrap_or_else(Partition::whole);
    match reader.read(&first, cursor).await {
        Err(error) if error.kind() == ErrorKind::Stale => {
            reader.restarted(error, &[]).await?;
            reader.read(&Partition::whole(), cursor).await
        }
        outcome => outcome,
    }
}
