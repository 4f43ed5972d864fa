//! Which tables the resources fill: two of them in one table, or one in a nested table of another, would lose or double
//! rows. That is refused here, unless nothing can come of it.

use std::collections::BTreeMap;

use super::Problems;
use super::defaults::Merged;
use super::resource::Draft;
use crate::config::model::Spot;
use crate::plan::{Disposition, LoadPlan};
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

/// Complains of tables that two resources would fill.
pub(super) fn check(drafts: &[Draft], merged: &[Merged], problems: &mut Problems<'_>) {
    let roots: Vec<Root<'_>> = drafts.iter().filter_map(|draft| root(draft, merged)).collect();
    let mut tables: BTreeMap<&str, &Root<'_>> = BTreeMap::new();
    for root in &roots {
        problems.resource = Some(root.resource.to_owned());
        if RESERVED.iter().any(|prefix| root.table.starts_with(prefix)) {
            problems.add_with_hint(
                root.at,
                format!("a table `{}` would stand among those about loads", root.table),
                "give the resource a `table_name` that does not begin with `_dlt_` or `_dray_`",
            );
        }
        match tables.get(root.table.as_str()) {
            Some(first) => shared(first, root, problems),
            None => drop(tables.insert(&root.table, root)),
        }
    }
    for root in &roots {
        for (at, _) in root.table.match_indices(SEPARATOR) {
            let Some(above) = root.table.get(..at).and_then(|above| tables.get(above)) else { continue };
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
    if !plan.selected || plan.load.disposition == Disposition::Skip {
        return None;
    }
    let written = merged
        .iter()
        .map(|merged| &merged.resource)
        .find(|resource| resource.name.as_ref().is_some_and(|name| name.value == plan.name))?;
    let at = written.table_name.as_ref().or(written.name.as_ref()).map(|name| &name.at)?;
    Some(Root { resource: &plan.name, table: normalize(&plan.load.table), load: &plan.load, at })
}

fn shared(first: &Root<'_>, second: &Root<'_>, problems: &mut Problems<'_>) {
    // Of a doubled name it is said already.
    if first.resource == second.resource {
        return;
    }
    if harmless(first.load, second.load) {
        problems.note(format!("fills the table `{}` together with `{}`", second.table, first.resource));
        return;
    }
    let names = format!("`{}` and `{}`", first.resource, second.resource);
    let merges = [first.load, second.load].iter().all(|load| load.disposition == Disposition::Merge);
    let hint = if merges {
        "give one of them another `table_name`, or both the same `primary_key` and `columns` of their own"
    } else {
        "give one of them another `table_name`; only resources that `merge` by the same `primary_key` can share one"
    };
    problems.add_with_hint(
        second.at,
        format!("{names} would fill one table `{}`, and their rows could not be told apart", second.table),
        hint,
    );
}

/// Merged by one key, a row is the same whoever brings it, and what one resource leaves undone hurts no row of the other.
fn harmless(first: &LoadPlan, second: &LoadPlan) -> bool {
    let merges = |load: &LoadPlan| {
        load.disposition == Disposition::Merge
            && !load.primary_key.is_empty()
            && !load.key_inherited
            // Both are decided over all rows of one resource.
            && load.columns.iter().all(|hint| !hint.not_null && hint.dedup_sort.is_none())
    };
    let names = |key: &[String]| key.iter().map(|key| column_name(key)).collect::<Vec<_>>();
    merges(first)
        && merges(second)
        && names(&first.primary_key) == names(&second.primary_key)
        && names(&first.merge_key) == names(&second.merge_key)
        && first.columns == second.columns
        && first.max_nesting == second.max_nesting
}
