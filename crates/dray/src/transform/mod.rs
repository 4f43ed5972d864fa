//! **transform**: records are rewritten before anything else sees them: filtered, mapped, taken apart, their fields kept,
//! dropped, renamed and set. No IO, nothing async, no HTTP.
//!
//! Rewriting is bytes to bytes: the records of a page are read, processed and written into a new body, which is parsed to
//! the usual tape. What follows does not know; what a step does not compute with keeps its digits.

mod bound;
mod columns;
mod fields;
mod program;
mod value;

use jaq_core::ValT as _;
use jaq_json::Val;

pub use self::columns::{ColumnRule, Moment, clean};
pub use self::fields::{FieldPath, Piece, Renames, Setting, pieces};
pub use self::program::{Facts, Fault, Program};

use self::bound::{Fuel, on_deep_stack};
use self::program::{Failure, Going};
use self::value::{Room, read, text};
use crate::error::{Error, ErrorKind, Result};
use crate::json::{Bounds, Document, Kind, NodeId};

/// What becomes of a resource's records.
#[derive(Clone, Debug, Default)]
pub struct Transform {
    /// In their order.
    pub steps: Vec<Step>,
    /// What is done to the values of columns, when everything else has seen the record.
    pub columns: Vec<ColumnRule>,
}

/// One step, and its name in the file.
#[derive(Clone, Debug)]
pub struct Step {
    /// `processing_steps[0].filter`, `keep`.
    pub name: String,
    /// What it does.
    pub action: Action,
}

/// What a step does with a record.
#[derive(Clone, Debug)]
pub enum Action {
    /// Leaves it out, unless the first thing that the program gives is neither false nor null.
    Filter(Program),
    /// Puts what the program gives in its place; nothing or null leaves it out.
    Map(Program),
    /// Puts everything that the program gives in its place, the items of a list each for itself.
    Explode(Program),
    /// Leaves it these fields.
    Keep(Vec<FieldPath>),
    /// Takes these fields out.
    Drop(Vec<FieldPath>),
    /// Gives fields new names.
    Rename(Renames),
    /// Sets fields.
    Set(Vec<(String, Setting)>),
}

/// The records of a page before.
#[derive(Clone, Copy, Debug)]
pub struct Before<'a> {
    /// The page.
    pub document: &'a Document,
    /// Its records.
    pub records: &'a [NodeId],
    /// Fields that each of them carries where it has no value of its own.
    pub overlay: Option<&'a Document>,
}

/// How much they may become.
#[derive(Clone, Copy, Debug)]
pub struct Most {
    /// Bytes of all records.
    pub bytes: u64,
    /// As of any body.
    pub json: Bounds,
}

/// The records of a page after.
#[derive(Debug)]
pub struct After {
    /// The new body, with what the records carry in it; none where the steps only chose among the records.
    pub document: Option<Document>,
    /// The records, on the new body if there is one.
    pub records: Vec<NodeId>,
    /// How many of the records before gave none.
    pub left_out: usize,
    /// Records that a step failed on: which, and why, in words without their values.
    pub failed: Vec<(NodeId, String)>,
}

impl Transform {
    /// The steps for people, a line each.
    #[must_use]
    pub fn shown(&self) -> Vec<String> {
        let columns = self.columns.iter().map(ColumnRule::shown);
        self.steps.iter().map(Step::shown).chain(columns).collect()
    }

    /// Whether a key of the record has the same value afterwards, as far as can be known before.
    #[must_use]
    pub fn keeps(&self, key: &str) -> bool {
        self.steps.iter().all(|step| match &step.action {
            Action::Filter(_) => true,
            Action::Map(_) | Action::Explode(_) => false,
            Action::Keep(paths) => paths.iter().any(|path| path.is_key(key)),
            Action::Drop(paths) => !paths.iter().any(|path| path.may_touch(key)),
            Action::Rename(renames) => !renames.iter().any(|(old, new)| old.may_touch(key) || new == key),
            Action::Set(settings) => !settings.iter().any(|(name, _)| name == key),
        })
    }

    /// Rewrites the records of a page.
    ///
    /// # Errors
    /// Where a program is at fault whatever the record, or the records become more than a body may hold.
    pub fn apply(&self, before: Before<'_>, facts: &Facts, most: Most) -> Result<After> {
        on_deep_stack(|| self.all(before, facts, most))?
    }

    fn all(&self, before: Before<'_>, facts: &Facts, most: Most) -> Result<After> {
        let chooses = self.steps.iter().all(|step| matches!(step.action, Action::Filter(_)));
        let mut sink = Sink { body: vec![b'['], count: 0, writes: !chooses, most };
        let (mut chosen, mut failed, mut left_out) = (Vec::new(), Vec::new(), 0);
        for record in before.records {
            let mark = sink.mark();
            let fuel = Fuel::of(before.document.span(*record).len());
            match self.one(&self.steps, before.carrying(*record), facts, &fuel, &mut sink) {
                Ok(()) if sink.count == mark.1 => left_out += 1,
                Ok(()) => chosen.push(*record),
                Err((step, Failure::Record(why))) => {
                    sink.back_to(mark);
                    failed.push((*record, format!("{step}: {why}")));
                }
                Err((step, Failure::Program(error))) => return Err(error.with("path", step)),
            }
        }
        if chooses {
            return Ok(After { document: None, records: chosen, left_out, failed });
        }
        let document = sink.parsed()?;
        let records = document.items(document.root()).collect();
        Ok(After { document: Some(document), records, left_out, failed })
    }

    /// Takes a value through the steps that are left; fails with the name of the step.
    fn one<'s>(
        &'s self,
        steps: &'s [Step],
        value: Val,
        facts: &Facts,
        fuel: &Fuel,
        sink: &mut Sink,
    ) -> std::result::Result<(), (&'s str, Failure)> {
        let Some((step, rest)) = steps.split_first() else {
            return sink.put(&value).map_err(|why| (self.last(), why));
        };
        let name = |failure| (step.name.as_str(), failure);
        let next = match &step.action {
            Action::Filter(program) => {
                let mut passes = false;
                let take = |output: Val| {
                    passes = output.as_bool();
                    Ok(Going::Enough)
                };
                program.run(value.clone(), facts, fuel, take).map_err(name)?;
                if !passes {
                    return Ok(());
                }
                value
            }
            Action::Map(program) => {
                let mut found = None;
                let take = |output: Val| match (&found, output) {
                    (Some(_), _) => Err(Failure::Record(
                        "it gave several records; `explode` makes several of one".to_owned(),
                    )),
                    (None, Val::Arr(_)) => Err(Failure::Record(
                        "it gave a list in place of a record; `explode` makes records of its items"
                            .to_owned(),
                    )),
                    (None, output) => {
                        found = Some(output);
                        Ok(Going::On)
                    }
                };
                program.run(value, facts, fuel, take).map_err(name)?;
                match found {
                    None | Some(Val::Null) => return Ok(()),
                    Some(output) => output,
                }
            }
            Action::Explode(program) => {
                let mut found = Vec::new();
                let most = sink.most.json.items;
                let take = |output: Val| {
                    match output {
                        Val::Arr(items) => found.extend(items.iter().cloned()),
                        other => found.push(other),
                    }
                    if found.len() > most { Err(Failure::Program(too_many(most))) } else { Ok(Going::On) }
                };
                program.run(value, facts, fuel, take).map_err(name)?;
                for output in found.into_iter().filter(|output| !matches!(output, Val::Null)) {
                    self.one(rest, output, facts, fuel, sink)?;
                }
                return Ok(());
            }
            Action::Keep(paths) => fields::keep(value, paths),
            Action::Drop(paths) => fields::drop_fields(value, paths),
            Action::Rename(renames) => renames.apply(value),
            Action::Set(settings) => fields::set(value, settings),
        };
        self.one(rest, next, facts, fuel, sink)
    }

    fn last(&self) -> &str {
        self.steps.last().map_or("processing_steps", |step| step.name.as_str())
    }
}

impl Step {
    fn shown(&self) -> String {
        let line = |program: &Program| program.text().split_whitespace().collect::<Vec<_>>().join(" ");
        let list = |paths: &[FieldPath]| paths.iter().map(FieldPath::written).collect::<Vec<_>>().join(", ");
        match &self.action {
            Action::Filter(program) => format!("filter {}", line(program)),
            Action::Map(program) => format!("map {}", line(program)),
            Action::Explode(program) => format!("explode {}", line(program)),
            Action::Keep(paths) => format!("keep {}", list(paths)),
            Action::Drop(paths) => format!("drop {}", list(paths)),
            Action::Rename(renames) => {
                let pairs: Vec<_> =
                    renames.iter().map(|(old, new)| format!("{} to {new}", old.written())).collect();
                format!("rename {}", pairs.join(", "))
            }
            Action::Set(settings) => {
                let names: Vec<_> = settings.iter().map(|(name, _)| name.as_str()).collect();
                format!("set {}", names.join(", "))
            }
        }
    }
}

fn too_many(most: usize) -> Error {
    Error::new(ErrorKind::Response, "a step makes too many records of one")
        .with("limit", format!("client.limits.items: {most}"))
        .hint("look for a program that does not end; raise `client.limits.items` if there are so many")
}

impl Before<'_> {
    /// A record with what it carries.
    fn carrying(&self, record: NodeId) -> Val {
        let value = read(self.document, record);
        let Some(overlay) = self.overlay else { return value };
        let mut fields = match value {
            Val::Obj(map) => (*map).clone(),
            // As it is loaded: a value alone is a column of this name.
            value => [(text("value"), value)].into_iter().collect(),
        };
        for (key, value) in overlay.entries(overlay.root()) {
            let key = text(overlay.text(key).unwrap_or_default());
            if fields.get(&key).is_none_or(|own| matches!(own, Val::Null))
                && overlay.kind(value) != Kind::Null
            {
                fields.insert(key, read(overlay, value));
            }
        }
        Val::obj(fields)
    }
}

/// Where records are written: a list in the making.
struct Sink {
    body: Vec<u8>,
    count: usize,
    /// Where steps only choose, the records stay where they are.
    writes: bool,
    most: Most,
}

impl Sink {
    fn mark(&self) -> (usize, usize) {
        (self.body.len(), self.count)
    }

    fn back_to(&mut self, (bytes, count): (usize, usize)) {
        self.body.truncate(bytes);
        self.count = count;
    }

    fn put(&mut self, value: &Val) -> std::result::Result<(), Failure> {
        self.count += 1;
        if !self.writes {
            return Ok(());
        }
        let room = Room {
            // The list around them is one level.
            depth: self.most.json.depth.saturating_sub(1),
            bytes: usize::try_from(self.most.bytes).unwrap_or(usize::MAX),
        };
        if self.body.len() > 1 {
            self.body.push(b',');
        }
        value::write(value, &mut self.body, room).map_err(|why| match why {
            value::Unfit::Large => Failure::Program(self.too_large()),
            other => Failure::Record(other.words().to_owned()),
        })
    }

    fn too_large(&self) -> Error {
        Error::new(ErrorKind::Response, "the records of a page become too large")
            .with("limit", format!("client.limits.body: {}", self.most.bytes))
            .hint("ask for smaller pages, or raise `client.limits.body`")
    }

    fn parsed(mut self) -> Result<Document> {
        self.body.push(b']');
        Document::parse_within(self.body, &self.most.json).map_err(|cause| {
            let error =
                Error::new(ErrorKind::Response, "the records that processing steps made cannot be read");
            match cause.limit {
                Some(limit) => error
                    .with("limit", format!("client.limits.{limit}"))
                    .hint(format!("ask for smaller pages, or raise `client.limits.{limit}`")),
                None => error,
            }
            .caused_by(cause)
        })
    }
}

#[cfg(test)]
mod tests;
