//! `incremental.retention` and what mends the gap.

use super::Problems;
use super::defaults::Merged;
use super::incremental::is_time;
use super::resource::Draft;
use crate::config::diagnostics::closest;
use crate::config::model::IncrementalConfig;
use crate::plan::{CursorFormat, CursorValue, Disposition, RetentionPlan};

/// Without a look at the other resources.
pub(super) fn compile(config: &IncrementalConfig, problems: &mut Problems<'_>) -> Option<RetentionPlan> {
    let Some(retention) = &config.retention else {
        if let Some(fallback) = &config.fallback {
            problems.add_with_hint(
                &fallback.at,
                "`fallback` is read once `retention` has passed, and there is none",
                "say how long the API keeps its records, as in `retention: 30d`",
            );
        }
        return None;
    };
    let seconds = i64::try_from(retention.value.as_secs()).unwrap_or(i64::MAX);
    if seconds == 0 {
        problems.add(&retention.at, "`retention` is a second at least");
    }
    let counts = matches!(&config.initial_value, Some(CursorValue::Int(_) | CursorValue::Float(_)));
    let untold = config.initial_value.as_ref().is_some_and(|initial| counts || !is_time(initial));
    if config.format.as_ref().is_none_or(|format| *format == CursorFormat::AsIs) && untold {
        problems.add_with_hint(
            &retention.at,
            "`retention` needs cursors that are times, and `initial_value` does not say what it is",
            "give `format: unix` or `unix_milliseconds`, or write it as `2024-01-01T00:00:00Z`",
        );
    }
    if config.descending == Some(true) {
        problems
            .add(&retention.at, "`retention` goes forward in time: it cannot go with `last_value_func: min`");
    }
    let fallback = config.fallback.as_ref().map(|fallback| fallback.value.clone());
    Some(RetentionPlan { seconds, fallback, passed: false })
}

/// Whether the resources that are named can stand in.
pub(super) fn check(drafts: &[Draft], merged: &[Merged], problems: &mut Problems<'_>) {
    for draft in drafts {
        let plan = &draft.plan;
        let written = merged
            .iter()
            .map(|merged| &merged.resource)
            .find(|resource| resource.name.as_ref().is_some_and(|name| name.value == plan.name))
            .and_then(|resource| resource.endpoint.incremental.as_ref());
        let Some(config) = written else { continue };
        problems.resource = Some(plan.name.clone());
        let alone = draft.parent.is_none() && plan.each.is_none();
        if let Some(retention) = config.retention.as_ref().filter(|_| !alone) {
            problems.add_with_hint(
                &retention.at,
                "`retention` is for resources without a parent and without `for_each`: of one that was quiet for long nothing is missing",
                "leave it out",
            );
        }
        let Some(fallback) = config.fallback.as_ref().filter(|_| config.retention.is_some()) else {
            continue;
        };
        let others = drafts.iter().filter(|other| other.plan.name != plan.name);
        let names = others.clone().map(|other| other.plan.name.as_str());
        let Some(other) = others.clone().find(|other| other.plan.name == fallback.value) else {
            let near = closest(&fallback.value, names).map(|near| format!("nearest is `{near}`"));
            problems.add_with_hint(
                &fallback.at,
                format!("there is no other resource `{}`", fallback.value),
                near.unwrap_or_else(|| {
                    "name the resource that lists what the feed tells changes of".to_owned()
                }),
            );
            continue;
        };
        let again = matches!(other.plan.load.disposition, Disposition::Merge | Disposition::Replace);
        if other.parent.is_some() || !other.plan.selected || !again {
            problems.add_with_hint(
                &fallback.at,
                format!("`{}` cannot be read in full again", fallback.value),
                "a fallback has no parent, is loaded, and has `write_disposition: merge` or `replace`: what is there already comes again",
            );
        }
    }
    problems.resource = None;
}
