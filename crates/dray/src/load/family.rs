//! Families: a resource without a parent and all that depend on it. Their passes end together.
//!
//! A cursor moves only if its resource and all that depend on it are complete: a parent that moved on alone would never
//! ask for the lost children again. Until then what is complete stays as it is, and later runs read only the rest.

use std::collections::BTreeMap;

use crate::plan::{Disposition, Plan};

/// Which resources belong together.
#[derive(Debug, Default)]
pub(crate) struct Families {
    /// Each resource's first ancestor, by name.
    roots: BTreeMap<String, String>,
    members: BTreeMap<String, Vec<String>>,
    /// Resources whose appended rows the next run reads again if the family's cursors stay.
    held: BTreeMap<String, bool>,
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
        for resource in &plan.resources {
            // Parents stand before their children.
            let parent = resource.parent.as_ref().and_then(|parent| plan.resources.get(parent.resource));
            let root = parent.and_then(|parent| families.roots.get(&parent.name)).cloned();
            let root = root.unwrap_or_else(|| resource.name.clone());
            let above = parent.and_then(|parent| families.incremental(plan, &parent.name)).unwrap_or(false);
            let held =
                (above || resource.incremental.is_some()) && resource.load.disposition == Disposition::Append;
            families.members.entry(root.clone()).or_default().push(resource.name.clone());
            families.roots.insert(resource.name.clone(), root);
            families.held.insert(resource.name.clone(), held);
        }
        families
    }

    /// Whether a resource or one above it is incremental.
    fn incremental(&self, plan: &Plan, name: &str) -> Option<bool> {
        let resource = plan.resources.iter().find(|resource| resource.name == name)?;
        let parent = resource.parent.as_ref().and_then(|parent| plan.resources.get(parent.resource));
        let above = parent.and_then(|parent| self.incremental(plan, &parent.name)).unwrap_or(false);
        Some(above || resource.incremental.is_some())
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
            let twice = self.held.get(member).copied().unwrap_or(false);
            if complete(member) && !twice {
                given_up.closed.push(member.clone());
            } else {
                given_up.abandoned.push(member.clone());
            }
        }
        given_up
    }
}
