//! Families: a resource without a parent and all that depend on it. Their passes end together.
//!
//! A feed that came too late (`incremental.retention`) and the resource that mends its gap are one family too: once the
//! feed's cursor has moved, nobody would know of the gap.
//!
//! A cursor moves only if its resource and all that depend on it are complete: a parent that moved on alone would never
//! ask for the lost children again. Until then what is complete stays as it is, and later runs read only the rest.

use std::collections::{BTreeMap, BTreeSet};

use crate::plan::{Disposition, Plan};

/// Which resources belong together.
#[derive(Debug, Default)]
pub(crate) struct Families {
    /// Each resource's first ancestor, by name.
    roots: BTreeMap<String, String>,
    members: BTreeMap<String, Vec<String>>,
    /// Resources whose appended rows the next run reads again if the family's cursors stay.
    held: BTreeSet<String>,
}

/// What becomes of the passes of a family that is given up.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct GivenUp {
    /// Their rows stay.
    pub(crate) closed: Vec<String>,
    /// Their rows are taken back.
    pub(crate) abandoned: Vec<String>,
}

impl Families {
    pub(crate) fn new(plan: &Plan) -> Self {
        let mut families = Self::default();
        // Whether a resource or one above it is incremental. Parents stand before their children.
        let mut incremental: Vec<bool> = Vec::with_capacity(plan.resources.len());
        for resource in &plan.resources {
            let parent = resource.parent.as_ref().map(|parent| parent.resource);
            let above = parent.and_then(|parent| incremental.get(parent)).copied().unwrap_or(false);
            let moving = above || resource.incremental.is_some();
            incremental.push(moving);
            let root =
                parent.and_then(|parent| families.roots.get(&plan.resources.get(parent)?.name)).cloned();
            let root = root.unwrap_or_else(|| resource.name.clone());
            families.members.entry(root.clone()).or_default().push(resource.name.clone());
            families.roots.insert(resource.name.clone(), root);
            if moving && resource.load.disposition == Disposition::Append {
                families.held.insert(resource.name.clone());
            }
        }
        families.mend(plan);
        families
    }

    /// Puts feeds and what mends their gaps into one family.
    fn mend(&mut self, plan: &Plan) {
        for resource in &plan.resources {
            let retention =
                resource.incremental.as_ref().and_then(|incremental| incremental.retention.as_ref());
            let Some(fallback) =
                retention.filter(|retention| retention.passed).and_then(|it| it.fallback.as_ref())
            else {
                continue;
            };
            let (into, from) = (self.root(&resource.name).to_owned(), self.root(fallback).to_owned());
            if into != from {
                let moved = self.members.remove(&from).unwrap_or_default();
                for member in &moved {
                    self.roots.insert(member.clone(), into.clone());
                }
                self.members.entry(into).or_default().extend(moved);
            }
        }
    }

    /// The first ancestor of a resource.
    pub(crate) fn root<'f>(&'f self, resource: &'f str) -> &'f str {
        self.roots.get(resource).map_or(resource, String::as_str)
    }

    /// The members of the family of `root`, parents first.
    pub(crate) fn members(&self, root: &str) -> &[String] {
        self.members.get(root).map_or(&[], Vec::as_slice)
    }

    /// What becomes of the members of a family whose cursors stay and that no later run carries on: what is complete and
    /// would not be read twice stays.
    pub(crate) fn give_up(&self, root: &str, complete: impl Fn(&str) -> bool) -> GivenUp {
        let mut given_up = GivenUp::default();
        for member in self.members(root) {
            if complete(member) && !self.held.contains(member) {
                given_up.closed.push(member.clone());
            } else {
                given_up.abandoned.push(member.clone());
            }
        }
        given_up
    }
}
