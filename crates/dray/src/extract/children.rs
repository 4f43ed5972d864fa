//! Parents and children: each record of a parent is a partition of each of its children.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc;

use super::Opened;
use super::chain::stopped;
use super::position::Position;
use crate::error::{Error, ErrorKind, Result};
use crate::json::{Document, Kind, NodeId, Path, quote};
use crate::plan::ParentPlan;

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
    /// Where an earlier run left it.
    pub(super) position: Option<Position>,
}

impl Partition {
    /// The one partition of a resource without a parent.
    pub(super) fn whole() -> Self {
        Self { key: "".into(), fields: Vec::new(), overlay: None, position: None }
    }

    /// A partition as it was opened: `key` is the list of parent fields, `overlay` what its records carry.
    pub(super) fn stored(key: &str, overlay: Option<&str>, position: Option<Position>) -> Result<Self> {
        let unreadable = |error: Source| {
            Error::new(ErrorKind::State, "cannot read a stored partition").with("path", key).caused_by(error)
        };
        let fields = if key.is_empty() { Ok(Vec::new()) } else { serde_json::from_str(key) };
        let fields = fields.map_err(|error| unreadable(error.into()))?;
        let overlay = overlay.map(|text| Document::parse(text.as_bytes().to_vec()).map(Arc::new)).transpose();
        let overlay = overlay.map_err(|error| unreadable(error.into()))?;
        Ok(Self { key: key.into(), fields, overlay, position })
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
}

impl Family {
    /// Makes a partition of every record for every child: the child's place in the family, and the partition.
    pub(super) fn open(
        &self,
        document: &Document,
        records: &[NodeId],
        overlay: Option<&Document>,
    ) -> Result<Vec<(usize, Partition)>> {
        let mut opened = Vec::new();
        for (place, child) in self.children.iter().enumerate() {
            for record in records {
                let partition = child.partition(document, *record, overlay)?;
                opened.extend(partition.map(|partition| (place, partition)));
            }
        }
        Ok(opened)
    }

    /// The opened partitions as they are told.
    pub(super) fn told(&self, opened: &[(usize, Partition)]) -> Vec<Opened> {
        let told = opened.iter().filter_map(|(place, partition)| {
            let resource = self.children.get(*place)?.resource;
            Some(Opened { resource, key: Arc::clone(&partition.key), overlay: partition.overlay.clone() })
        });
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
    fn partition(
        &self,
        document: &Document,
        record: NodeId,
        overlay: Option<&Document>,
    ) -> Result<Option<Partition>> {
        let mut fields = Vec::with_capacity(self.plan.fields.len());
        for path in &self.plan.fields {
            let found = field(path, document, record, overlay).filter(|value| !value.is_null());
            fields.push(found.ok_or_else(|| self.missing(path, document, record))?);
        }
        let key: Arc<str> = serde_json::Value::Array(fields.clone()).to_string().into();
        let fresh = self.seen.lock().unwrap_or_else(PoisonError::into_inner).insert(Arc::clone(&key));
        if !fresh {
            return Ok(None);
        }
        let mut carried = Vec::with_capacity(self.plan.include.len());
        for include in &self.plan.include {
            let found = field(&include.path, document, record, overlay);
            let value = found.ok_or_else(|| self.missing(&include.path, document, record))?;
            carried.push(format!("{}:{value}", quote(&include.name)));
        }
        let overlay = if carried.is_empty() {
            None
        } else {
            let body = format!("{{{}}}", carried.join(","));
            let document = Document::parse(body.into_bytes())
                .map_err(|error| Error::new(ErrorKind::Bug, "cannot read parent fields").caused_by(error))?;
            Some(Arc::new(document))
        };
        Ok(Some(Partition { key, fields, overlay, position: None }))
    }

    fn missing(&self, path: &Path, document: &Document, record: NodeId) -> Error {
        let keys: Vec<_> =
            document.entries(record).filter_map(|(key, _)| document.text(key)).take(30).collect();
        Error::new(ErrorKind::Response, "a parent record has no value for a field that its child needs")
            .with("path", path)
            .with("table", &self.name)
            .with("found", keys.join(", "))
    }
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
