//! Incremental positions (dlt.md §1.11, §5.1).

use super::Problems;
use crate::config::model::{IncrementalConfig, Spot};
use crate::plan::{CursorFormat, CursorValue, IncrementalPlan, OnMissing};

/// `param`: the parameter that a parameter of type incremental fills.
pub(super) fn compile(
    config: &IncrementalConfig,
    param: Option<&str>,
    problems: &mut Problems<'_>,
) -> Option<IncrementalPlan> {
    // Its absence was reported when the file was read.
    let written = config.cursor_path.as_ref()?;
    let cursor_path = problems.path(&written.value, &written.at)?;
    if let Some(end) = &config.end_value {
        check_window(
            config.initial_value.as_ref(),
            &end.value,
            config.descending == Some(true),
            &end.at,
            problems,
        );
    }
    Some(IncrementalPlan {
        cursor_path,
        cursor_name: written.value.clone(),
        initial_value: config.initial_value.clone(),
        end_value: config.end_value.as_ref().map(|end| end.value.clone()),
        start_param: param
            .map(str::to_owned)
            .or_else(|| config.start_param.as_ref().map(|param| param.value.clone())),
        end_param: config.end_param.as_ref().map(|param| param.value.clone()),
        format: config.format.clone().unwrap_or(CursorFormat::AsIs),
        lag: config.lag,
        on_missing: config.on_cursor_value_missing.unwrap_or(OnMissing::Raise),
        descending: config.descending == Some(true),
        start_open: config.start_open == Some(true),
        end_closed: config.end_closed == Some(true),
    })
}

fn check_window(
    initial: Option<&CursorValue>,
    end: &CursorValue,
    descending: bool,
    at: &Spot,
    problems: &mut Problems<'_>,
) {
    let Some(initial) = initial else {
        problems.add(at, "`end_value` needs `initial_value`: together they are the window that is read");
        return;
    };
    let turned = match (initial, end) {
        (CursorValue::Int(initial), CursorValue::Int(end)) => {
            if descending {
                end > initial
            } else {
                end < initial
            }
        }
        (CursorValue::Text(_), CursorValue::Int(_) | CursorValue::Float(_))
        | (CursorValue::Int(_) | CursorValue::Float(_), CursorValue::Text(_)) => {
            problems.add(at, "`end_value` and `initial_value` are of different kinds");
            false
        }
        _ => false,
    };
    if turned {
        problems.add(at, "`end_value` lies before `initial_value`");
    }
}
