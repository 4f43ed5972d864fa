//! Which tables the resources fill: several of them may fill one, if their rows can be told apart; one in a nested table of
//! another would lose or double rows. That is refused here.

use std::collections::BTreeMap;

use super::Problems;
use super::defaults::Merged;
use super::resource::Draft;
use crate::config::model::Spot;
use crate::plan::{Disposition, LoadPlan, SharedTable};
use crate::schema::naming::{SEPARATOR, column_name, normalize};

/// Tables that hold what is known of loads.
const RESERVED: [&str; 2] = ["_dlt_", "_dray_"];

/// A resource that is loaded, and its root table as the database will name it.
struct Root<'a> {
    resource: &'a str,
    table: String,
    load: &'a LoadPlan,
    /// What names the table in the file.
    at: &'a Spot,
}

/// Decides how resources share tables, and complains of those that cannot.
pub(super) fn settle(drafts: &mut [Draft], merged: &[Merged], problems: &mut Problems<'_>) {
    check(drafts, merged, problems);
    let mut tables: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (place, draft) in drafts.iter().enumerate() {
        if root(draft, merged).is_some() {
            tables.entry(normalize(&draft.plan.load.table)).or_default().push(place);
        }
    }
    for places in tables.into_values().filter(|places| places.len() > 1) {
        let name = |place: &usize| drafts.get(*place).map(|draft| draft.plan.name.clone());
        let names: Vec<String> = places.iter().filter_map(name).collect();
        let disposition = |place: &usize| drafts.get(*place).map(|draft| draft.plan.load.disposition);
        let merges = places.iter().any(|place| disposition(place) == Some(Disposition::Merge));
        // Merged by one key, a row is the same whoever brings it, and what one resource leaves undone hurts no row of
        // the other.
        let told_by_key = places.iter().all(|place| disposition(place) == Some(Disposition::Merge));
        for place in places {
            let Some(draft) = drafts.get_mut(place) else { continue };
            let plan = &mut draft.plan;
            if plan.load.disposition == Disposition::Merge && plan.load.key_inherited {
                plan.load.key_inherited = false;
                plan.load.fallback_key = None;
                problems.resource = Some(plan.name.clone());
                problems.note(
                    "the key from `resource_defaults` counts as its own, because others fill its table too",
                );
                problems.resource = None;
            }
            if !told_by_key {
                let others = names.iter().filter(|other| **other != plan.name).cloned().collect();
                plan.load.shared = Some(SharedTable { others, merges });
            }
        }
    }
}

/// Complains of tables that two resources would fill and could not share.
fn check(drafts: &[Draft], merged: &[Merged], problems: &mut Problems<'_>) {
    let roots: Vec<Root<'_>> = drafts.iter().filter_map(|draft| root(draft, merged)).collect();
    let mut tables: BTreeMap<&str, Vec<&Root<'_>>> = BTreeMap::new();
    for root in &roots {
        problems.resource = Some(root.resource.to_owned());
        if RESERVED.iter().any(|prefix| root.table.starts_with(prefix)) {
            problems.add_with_hint(
                root.at,
                format!("a table `{}` would stand among those about loads", root.table),
                "give the resource a `table_name` that does not begin with `_dlt_` or `_dray_`",
            );
        }
        let before = tables.entry(root.table.as_str()).or_default();
        shared(before, root, problems);
        before.push(root);
    }
    for root in &roots {
        for (at, _) in root.table.match_indices(SEPARATOR) {
            let above = root.table.get(..at).and_then(|above| tables.get(above)?.first());
            let Some(above) = above else { continue };
            if above.load.max_nesting == Some(0) {
                continue;
            }
            let field = root.table.get(at + SEPARATOR.len()..).unwrap_or_default();
            problems.resource = Some(root.resource.to_owned());
            problems.add_with_hint(
                root.at,
                format!(
                    "the table `{}` of resource `{}` is also that of lists `{field}` in records of `{}`",
                    root.table, root.resource, above.resource
                ),
                "give one of the two another `table_name`",
            );
        }
    }
    problems.resource = None;
}

fn root<'a>(draft: &'a Draft, merged: &'a [Merged]) -> Option<Root<'a>> {
    let plan = &draft.plan;
    // One that is not selected may be named on the command line, and what it loaded once may still be there.
    if plan.load.disposition == Disposition::Skip {
        return None;
    }
    let written = merged
        .iter()
        .map(|merged| &merged.resource)
        .find(|resource| resource.name.as_ref().is_some_and(|name| name.value == plan.name))?;
    let at = written.table_name.as_ref().or(written.name.as_ref()).map(|name| &name.at)?;
    Some(Root { resource: &plan.name, table: normalize(&plan.load.table), load: &plan.load, at })
}

/// Of the resources that fill a table before it, the first that it cannot share it with.
fn shared(before: &[&Root<'_>], root: &Root<'_>, problems: &mut Problems<'_>) {
    // Of a doubled name it is said already.
    let mut others = before.iter().filter(|other| other.resource != root.resource).peekable();
    let Some(first) = others.peek().copied() else { return };
    match others.find_map(|other| Some((other, apart(other.load, root.load)?))) {
        None => {
            problems.note(format!("fills the table `{}` together with `{}`", root.table, first.resource));
        }
        Some((other, Apart { why, hint })) => {
            problems.add_with_hint(
                root.at,
                format!(
                    "`{}` and `{}` would fill one table `{}`, but {why}",
                    other.resource, root.resource, root.table
                ),
                format!("give one of them another `table_name`, or {hint}"),
            );
        }
    }
}

/// Why two resources cannot share a table.
struct Apart {
    why: &'static str,
    /// What would bring them together.
    hint: &'static str,
}

fn apart(first: &LoadPlan, second: &LoadPlan) -> Option<Apart> {
    let both = [first, second];
    let is = |load: &LoadPlan, disposition| load.disposition == disposition;
    let merging = || both.into_iter().filter(|load| is(load, Disposition::Merge));
    let names = |key: &[String]| key.iter().map(|key| column_name(key)).collect::<Vec<_>>();
    let keys = |load: &LoadPlan| (names(&load.primary_key), names(&load.merge_key));
    let replacing = both.into_iter().filter(|load| is(load, Disposition::Replace)).count();
    // What is decided over all rows of one resource knows nothing of those of another.
    let over_all =
        |load: &LoadPlan| load.columns.iter().any(|hint| hint.not_null || hint.dedup_sort.is_some());
    let (why, hint) = if replacing == 1 {
        ("one replaces its rows and the other does not", "both the same `write_disposition`")
    } else if merging().any(|load| load.primary_key.is_empty()) {
        ("one merges without a `primary_key`, and would replace rows of the other", "it a `primary_key`")
    } else if merging().count() == 2 && keys(first) != keys(second) {
        ("they merge by different keys", "both the same `primary_key` and `merge_key`")
    } else if first.columns != second.columns {
        ("their `columns` differ", "both the same `columns`")
    } else if over_all(first) {
        (
            "its `columns` say `nullable: false` or `dedup_sort`, which hold for the rows of one resource only",
            "`columns` without them",
        )
    } else if first.max_nesting != second.max_nesting {
        ("their `max_table_nesting` differs", "both the same")
    } else {
        return None;
    };
    Some(Apart { why, hint })
}
