//! Parents and children: each record of a parent is a partition of each of its children.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use super::Opened;
use super::batches::joined;
use super::chain::stopped;
use super::position::Position;
use super::stats::{ResourceStats, add};
use super::windows::{Slicer, Span};
use crate::error::{Error, ErrorKind, Result};
use crate::json::{Document, Kind, NodeId, Path, quote};
use crate::plan::{BatchPlan, CursorValue, EachItem, EachPlan, ParentField, ParentPlan, ResourcePlan};

/// Characters of a partition's key in a message.
const SHOWN: usize = 200;

type Source = Box<dyn std::error::Error + Send + Sync>;

/// The part of a resource that is read as one chain of pages.
#[derive(Clone, Debug)]
pub(super) struct Partition {
    /// The parent fields as a JSON list; empty for a resource without a parent.
    pub(super) key: Arc<str>,
    /// The parent fields that placeholders use.
    pub(super) fields: Vec<serde_json::Value>,
    /// The parent fields that every record carries.
    pub(super) overlay: Option<Arc<Document>>,
    /// Its window, where the resource is read in windows.
    pub(super) span: Option<Span>,
    /// Where an earlier run left it.
    pub(super) position: Option<Position>,
}

/// The key of a window: what it must be read by again, whatever the clock says then.
#[derive(Debug, Serialize, Deserialize)]
struct WindowKey {
    /// Start and end; no end is null.
    window: [serde_json::Value; 2],
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    first: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    last: bool,
    /// The parent fields.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    of: Vec<serde_json::Value>,
}

/// Whose cursor a partition moves: its own key, or that of the partition that it is a window of.
#[must_use]
pub fn owner_of(key: &str) -> Arc<str> {
    let window = key.starts_with('{').then(|| serde_json::from_str::<WindowKey>(key));
    match window {
        Some(Ok(window)) => owner(&window.of),
        _ => key.into(),
    }
}

/// The key of a partition of these parent fields.
pub(super) fn owner(fields: &[serde_json::Value]) -> Arc<str> {
    if fields.is_empty() { "".into() } else { serde_json::Value::from(fields).to_string().into() }
}

impl Partition {
    /// The one partition of a resource without a parent.
    pub(super) fn whole() -> Self {
        Self { key: "".into(), fields: Vec::new(), overlay: None, span: None, position: None }
    }

    /// One of its windows; none where it has no name.
    fn window(&self, span: Span) -> Option<Self> {
        let end = span.to.as_ref().map(CursorValue::to_json).unwrap_or_default();
        let key = WindowKey {
            window: [span.from.to_json(), end],
            first: span.first,
            last: span.last,
            of: self.fields.clone(),
        };
        let key = serde_json::to_string(&key).ok()?;
        Some(Self { key: key.into(), span: Some(span), ..self.clone() })
    }

    /// Its windows, the oldest first, or itself where the resource is not read in windows, or cannot be: whoever reads it
    /// then says so ([`Slicer::refusal`]), for it is no fault of the parent that opens it.
    pub(super) fn cut(self, slicer: &Slicer) -> Vec<Self> {
        let windows = match slicer.spans(&self.key) {
            Ok(Some(spans)) => spans.into_iter().map(|span| self.window(span)).collect(),
            Ok(None) | Err(_) => None,
        };
        windows.unwrap_or_else(|| vec![self])
    }

    /// One for each item of `for_each`, or itself where the resource has none.
    pub(super) fn spread(self, each: Option<&EachPlan>) -> Result<Vec<Self>> {
        let Some(each) = each else { return Ok(vec![self]) };
        let one = |item: &EachItem| {
            let fields: Vec<serde_json::Value> = self.fields.iter().chain(&item.values).cloned().collect();
            let mut carried: Vec<String> = Vec::new();
            if let Some(overlay) = &self.overlay {
                let pairs = overlay.entries(overlay.root());
                carried.extend(
                    pairs.map(|(key, value)| format!("{}:{}", overlay.json(key), overlay.json(value))),
                );
            }
            carried.extend(item.carried.iter().map(|(name, value)| format!("{}:{value}", quote(name))));
            Ok(Self { key: owner(&fields), fields, overlay: overlay(&carried)?, span: None, position: None })
        };
        each.items.iter().map(one).collect()
    }

    /// As it is told.
    pub(super) fn told(&self, resource: usize) -> Opened {
        Opened { resource, key: Arc::clone(&self.key), overlay: self.overlay.clone() }
    }

    /// For people; none for the whole of a resource.
    pub(super) fn shown(&self, plan: &ResourcePlan) -> Option<String> {
        let own = plan.parent.as_ref().map_or(0, |parent| parent.fields.len());
        let (parent, item) = self.fields.split_at_checked(own).unwrap_or((&self.fields, &[]));
        let named = |what: &str, values: &[serde_json::Value]| {
            // A batch may be long.
            let shown: String = owner(values).chars().take(SHOWN).collect();
            let cut = if shown.len() < SHOWN { "" } else { "..." };
            (!values.is_empty()).then(|| format!("{what} {shown}{cut}"))
        };
        let window = self.span.as_ref().map(|span| format!("window {}", span.shown()));
        let parts: Vec<String> =
            [named("parent", parent), named("item", item), window].into_iter().flatten().collect();
        (!parts.is_empty()).then(|| parts.join(", "))
    }

    /// A partition as it was opened: `key` is the list of parent fields, `overlay` what its records carry.
    pub(super) fn stored(key: &str, overlay: Option<&str>, position: Option<Position>) -> Result<Self> {
        let unreadable = |error: Source| {
            Error::new(ErrorKind::State, "cannot read a stored partition").with("path", key).caused_by(error)
        };
        let (fields, span) = match key {
            "" => (Vec::new(), None),
            key if key.starts_with('{') => {
                let WindowKey { window, first, last, of } =
                    serde_json::from_str(key).map_err(|error| unreadable(error.into()))?;
                let [from, to] = window.map(|value| CursorValue::from_json(&value));
                let from = from.ok_or_else(|| unreadable("a window without a start".into()))?;
                (of, Some(Span { from, to, first, last }))
            }
            key => (serde_json::from_str(key).map_err(|error| unreadable(error.into()))?, None),
        };
        let overlay = overlay.map(|text| Document::parse(text.as_bytes().to_vec()).map(Arc::new)).transpose();
        let overlay = overlay.map_err(|error| unreadable(error.into()))?;
        Ok(Self { key: key.into(), fields, overlay, span, position })
    }
}

/// The children of a resource.
#[derive(Debug, Default)]
pub(super) struct Family {
    pub(super) children: Vec<Child>,
}

/// A child, seen from its parent.
#[derive(Debug)]
pub(super) struct Child {
    /// Index in [`crate::plan::Plan::resources`].
    pub(super) resource: usize,
    pub(super) name: String,
    pub(super) plan: ParentPlan,
    /// Bounded: a parent does not run ahead of its children.
    pub(super) partitions: mpsc::Sender<Partition>,
    /// Keys handed on, so that a parent record that the API gives twice is read once.
    pub(super) seen: Arc<Mutex<HashSet<Arc<str>>>>,
    pub(super) slicer: Slicer,
    pub(super) stats: Arc<Vec<ResourceStats>>,
}

impl Family {
    /// Makes a partition of every record for every child: the child's place in the family, and the partition. `of` is the
    /// partition that the records belong to.
    pub(super) fn open(
        &self,
        document: &Document,
        records: &[NodeId],
        of: &Partition,
    ) -> Result<Vec<(usize, Partition)>> {
        let mut opened = Vec::new();
        for (place, child) in self.children.iter().enumerate() {
            if let Some(batch) = child.plan.batch {
                let batches = child.batches(batch, document, records, of)?;
                opened.extend(batches.into_iter().map(|partition| (place, partition)));
                continue;
            }
            for record in records {
                if !child.wants(document, *record) {
                    continue;
                }
                for partition in child.partition(document, *record, of)?.spread(child.slicer.each())? {
                    if child.is_fresh(&partition) {
                        let windows = partition.cut(&child.slicer);
                        opened.extend(windows.into_iter().map(|partition| (place, partition)));
                    }
                }
            }
        }
        Ok(opened)
    }

    /// The opened partitions as they are told.
    pub(super) fn told(&self, opened: &[(usize, Partition)]) -> Vec<Opened> {
        let told = opened
            .iter()
            .filter_map(|(place, partition)| Some(partition.told(self.children.get(*place)?.resource)));
        told.collect()
    }

    /// Hands partitions to the children, and waits for room.
    pub(super) async fn dispatch(&self, opened: Vec<(usize, Partition)>) -> Result<()> {
        for (place, partition) in opened {
            if let Some(child) = self.children.get(place) {
                child.partitions.send(partition).await.map_err(|_| stopped())?;
            }
        }
        Ok(())
    }
}

impl Child {
    fn partition(&self, document: &Document, record: NodeId, of: &Partition) -> Result<Partition> {
        let above = of.overlay.as_deref();
        let mut fields = Vec::with_capacity(self.plan.fields.len());
        for wanted in &self.plan.fields {
            let found = match wanted {
                ParentField::Own(path) => field(path, document, record, above),
                ParentField::Above { from, .. } => of.fields.get(*from).cloned(),
            };
            let found = found.filter(|value| !value.is_null());
            fields.push(found.ok_or_else(|| self.missing(wanted, document, record))?);
        }
        let mut carried = Vec::with_capacity(self.plan.include.len());
        for include in &self.plan.include {
            let found = field(&include.path, document, record, above);
            let value = found.ok_or_else(|| self.missing(&include.path, document, record))?;
            carried.push(format!("{}:{value}", quote(&include.name)));
        }
        Ok(Partition { key: owner(&fields), fields, overlay: overlay(&carried)?, span: None, position: None })
    }

    /// Partitions of several records each.
    fn batches(
        &self,
        batch: BatchPlan,
        document: &Document,
        records: &[NodeId],
        of: &Partition,
    ) -> Result<Vec<Partition>> {
        let mut singles = Vec::with_capacity(records.len());
        for record in records.iter().filter(|record| self.wants(document, **record)) {
            let single = self.partition(document, *record, of)?;
            if self.is_fresh(&single) {
                singles.push(single);
            }
        }
        let batches = joined(&singles, batch).into_iter().map(|batch| batch.spread(self.slicer.each()));
        Ok(batches.collect::<Result<Vec<_>>>()?.concat())
    }

    /// Whether it is asked for a record at all; those that it is not are counted.
    fn wants(&self, document: &Document, record: NodeId) -> bool {
        let wanted = self.plan.filter.as_ref().is_none_or(|filter| filter.matches(document, record));
        if !wanted && let Some(stats) = self.stats.get(self.resource) {
            add(&stats.filtered, 1);
        }
        wanted
    }

    /// Whether nobody opened it before.
    fn is_fresh(&self, partition: &Partition) -> bool {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.insert(Arc::clone(&partition.key))
    }

    fn missing(&self, path: &dyn std::fmt::Display, document: &Document, record: NodeId) -> Error {
        let keys: Vec<_> =
            document.entries(record).filter_map(|(key, _)| document.text(key)).take(30).collect();
        Error::new(ErrorKind::Response, "a parent record has no value for a field that its child needs")
            .with("path", path)
            .with("table", &self.name)
            .with("found", keys.join(", "))
    }
}

/// What records carry: entries of a JSON object.
fn overlay(entries: &[String]) -> Result<Option<Arc<Document>>> {
    if entries.is_empty() {
        return Ok(None);
    }
    let document = Document::parse(format!("{{{}}}", entries.join(",")).into_bytes())
        .map_err(|error| Error::new(ErrorKind::Bug, "cannot read parent fields").caused_by(error))?;
    Ok(Some(Arc::new(document)))
}

/// A field of a record, or of what the record carries from its own parent.
fn field(
    path: &Path,
    document: &Document,
    record: NodeId,
    overlay: Option<&Document>,
) -> Option<serde_json::Value> {
    if document.kind(record) != Kind::Object && path.as_key() == Some("value") {
        return Some(document.value(record));
    }
    let own = path.value(document, record);
    match own {
        Some(value) if !value.is_null() => Some(value),
        own => overlay.and_then(|overlay| path.value(overlay, overlay.root())).or(own),
    }
}
