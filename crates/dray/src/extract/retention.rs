//! Feeds that the API keeps only for a time: where a run comes later than that, what came between is gone from them.

use jiff::Timestamp;

use super::incremental::{Cursors, instant_of};
use super::needed;
use crate::error::{Error, ErrorKind, Result};
use crate::plan::{CursorFormat, CursorValue, Disposition, IncrementalPlan, Plan, StartPlan};

const SECOND: i64 = 1_000_000;

/// Decides which resources start over because their stored cursors are older than what the API keeps, and says so.
///
/// # Errors
/// Where a cursor is no time, and where the resource that would mend the gap is not part of this run: once the feed has
/// gone on, nobody would know of the gap any more.
pub fn mend(plan: &mut Plan, cursors: &Cursors, now: Timestamp) -> Result<Vec<String>> {
    let mut notes = Vec::new();
    let needed = needed(plan);
    for index in needed.iter().copied() {
        let Some(resource) = plan.resources.get(index) else { continue };
        let Some(incremental) = resource.incremental.as_ref().filter(|_| resource.selected) else { continue };
        let Some(passed) =
            passed(incremental, cursors.get(&resource.name, "").map(|state| &state.last_value), now)
                .map_err(|error| error.with("resource", &resource.name))?
        else {
            continue;
        };
        let name = resource.name.clone();
        let again = matches!(resource.load.disposition, Disposition::Merge | Disposition::Replace);
        let fallback = incremental.retention.as_ref().and_then(|retention| retention.fallback.clone());
        let (restarted, what) = match &fallback {
            Some(other) => {
                let found = plan.resources.iter().position(|resource| resource.name == *other);
                let found = found.filter(|at| needed.contains(at)).ok_or_else(|| absent(&name, other))?;
                (Some(found), format!("`{other}` is read in full"))
            }
            None if again => (Some(index), "it is read from its beginning".to_owned()),
            None => (
                None,
                "what came between is lost, because `append` cannot read again what is there; name a resource that \
                 lists everything as `fallback`"
                    .to_owned(),
            ),
        };
        let note = format!("{name}: {passed}: {what}");
        tracing::warn!("{note}");
        notes.push(note);
        let retention = plan.resources.get_mut(index).and_then(|resource| resource.incremental.as_mut());
        if let Some(retention) = retention.and_then(|incremental| incremental.retention.as_mut()) {
            retention.passed = true;
        }
        if let Some(resource) = restarted.and_then(|at| plan.resources.get_mut(at)) {
            if let Some(incremental) = &mut resource.incremental {
                incremental.start = StartPlan::Initial;
            }
            // An unfinished reading from somewhere else is not one from the beginning.
            resource.fingerprint.push_str(" from its beginning");
        }
    }
    Ok(notes)
}

/// How late the run is, in words; none where it is not.
fn passed(plan: &IncrementalPlan, stored: Option<&CursorValue>, now: Timestamp) -> Result<Option<String>> {
    let (Some(retention), Some(stored)) = (&plan.retention, stored) else { return Ok(None) };
    if plan.end_value.is_some() || plan.start != StartPlan::Stored {
        return Ok(None);
    }
    if plan.format == CursorFormat::AsIs && !matches!(stored, CursorValue::Text(_)) {
        return Err(Error::new(ErrorKind::Config, "`retention` needs cursors that are times")
            .with("found", stored.to_json())
            .hint(
                "give `incremental.format: unix` or `unix_milliseconds`, whichever the API's cursors are",
            ));
    }
    let oldest = now.as_microsecond().saturating_sub(retention.seconds.saturating_mul(SECOND));
    if instant_of(stored, &plan.format)? >= oldest {
        return Ok(None);
    }
    let shown = match stored {
        CursorValue::Text(text) => text.clone(),
        other => other.to_json().to_string(),
    };
    Ok(Some(format!("its cursor, {shown}, is older than what the API keeps (`retention`)")))
}

fn absent(feed: &str, fallback: &str) -> Error {
    Error::new(
        ErrorKind::Config,
        "its cursor is older than what the API keeps, and the resource that would mend the gap is not part of this run",
    )
    .with("resource", feed)
    .with("found", format!("fallback: {fallback}"))
    .hint(format!("run `{feed}` and `{fallback}` together"))
}
