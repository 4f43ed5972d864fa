//! Incremental positions (dlt.md §1.11, §5.1).

use super::{Problems, retention};
use crate::config::model::{IncrementalConfig, Located, Spot, WindowConfig};
use crate::plan::{
    CursorForm, CursorFormat, CursorValue, IncrementalPlan, OnMissing, RequestPlan, StartPlan, StopPlan,
    WindowPlan, WindowSize,
};
use crate::timestamp;

const DAY: i64 = 86_400;

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
    let form = form(config, problems)?;
    let settled = |value: &CursorValue| match &form {
        Some(form) => form.settled(value.clone()),
        None => value.clone(),
    };
    // What is compared with the records' cursors is sent as they are written, if nothing else is said.
    let own = form.as_ref().map(|form| CursorFormat::Pattern(form.pattern().to_owned()));
    Some(IncrementalPlan {
        cursor_path,
        cursor_name: written.value.clone(),
        initial_value: config.initial_value.as_ref().map(settled),
        end_value: config.end_value.as_ref().map(|end| settled(&end.value)),
        start_param: param
            .map(str::to_owned)
            .or_else(|| config.start_param.as_ref().map(|param| param.value.clone())),
        end_param: config.end_param.as_ref().map(|param| param.value.clone()),
        format: config.format.clone().or(own).unwrap_or(CursorFormat::AsIs),
        form,
        lag: config.lag,
        on_missing: config.on_cursor_value_missing.unwrap_or(OnMissing::Raise),
        descending: config.descending == Some(true),
        start_open: config.start_open == Some(true),
        end_closed: config.end_closed == Some(true),
        // Once it is known how the end is sent: `windowed`.
        window: None,
        start: StartPlan::Stored,
        retention: retention::compile(config, problems),
        stop: stop(config, problems),
    })
}

/// How records write their cursors; none after a complaint.
fn form(config: &IncrementalConfig, problems: &mut Problems<'_>) -> Option<Option<CursorForm>> {
    let Some(written) = &config.cursor_format else { return Some(None) };
    let form = CursorForm::new(&written.value);
    if form.is_none() {
        problems.add_with_hint(
            &written.at,
            format!("`cursor_format: {}` does not tell the day of a cursor", written.value),
            "write the pattern of the records' cursors: `%d.%m.%Y`, `%m/%d/%Y %I:%M %p`; ISO 8601, RFC 2822 and \
             numbers are understood without it",
        );
    }
    form.map(Some)
}

/// Where reading stops before the list ends.
fn stop(config: &IncrementalConfig, problems: &mut Problems<'_>) -> Option<StopPlan> {
    let stop = config.row_order.as_ref()?.value;
    if config.on_cursor_value_missing == Some(OnMissing::Include) {
        problems.note(
            "`row_order` does not stop early, because `on_cursor_value_missing: include` wants records without a \
             cursor too, and they have no place in the order",
        );
        return None;
    }
    Some(stop)
}

/// Adds the windows that the read is cut into.
pub(super) fn windowed(
    config: &IncrementalConfig,
    plan: &mut IncrementalPlan,
    request: &RequestPlan,
    problems: &mut Problems<'_>,
) {
    let must_end = request.needs_end();
    let Some(Located { value: size, at }) = &config.window else {
        // Without an end the start would be left out with it, and everything be read.
        let knows = |initial: &CursorValue| plan.format != CursorFormat::AsIs || is_time(initial);
        if must_end
            && plan.end_value.is_none()
            && !plan.descending
            && plan.initial_value.as_ref().is_some_and(knows)
        {
            plan.window = Some(WindowPlan { size: WindowSize::Whole, must_end });
        }
        return;
    };
    if plan.end_param.is_none() && !request.sends_end() {
        problems.add_with_hint(
            at,
            "`window` needs a way to send where a window ends",
            "give `end_param`, or write `{incremental.end_value}` where the API expects it",
        );
        return;
    }
    let Some(initial) = &plan.initial_value else {
        problems.add_with_hint(
            at,
            "`window` needs to know where the first window begins",
            "give `initial_value`, as in `initial_value: \"2024-01-01T00:00:00Z\"`",
        );
        return;
    };
    if plan.descending {
        problems.add(at, "`window` goes forward in time: it cannot go with `last_value_func: min`");
        return;
    }
    let dates = plan.format.is_date() || plan.format == CursorFormat::AsIs && is_date(initial);
    let size = match size {
        WindowConfig::Months(months) => WindowSize::Months(*months),
        WindowConfig::Time(size) if size.subsec_nanos() > 0 => WindowSize::Seconds(0),
        WindowConfig::Time(size) => WindowSize::Seconds(i64::try_from(size.as_secs()).unwrap_or(i64::MAX)),
    };
    if matches!(size, WindowSize::Seconds(0) | WindowSize::Months(..1)) {
        problems.add(at, "a window is whole seconds or months, and one at least");
    } else if matches!(size, WindowSize::Seconds(seconds) if dates && seconds % DAY != 0) {
        problems.add_with_hint(at, "dates are sent, so a window is whole days", "write `window: 1d` or more");
    } else if plan.format == CursorFormat::AsIs && !is_time(initial) {
        problems.add_with_hint(
            at,
            "`window` needs cursors that are times, and `initial_value` does not say what it is",
            "give `format: unix` or `unix_milliseconds`, or write it as `2024-01-01T00:00:00Z`",
        );
    } else {
        plan.window = Some(WindowPlan { size, must_end });
    }
}

fn is_date(value: &CursorValue) -> bool {
    matches!(value, CursorValue::Text(text) if timestamp::parse_date(text.trim().as_bytes()).is_some())
}

/// A text that names a time, or what is not known yet.
pub(super) fn is_time(value: &CursorValue) -> bool {
    let CursorValue::Text(text) = value else { return false };
    is_date(value) || timestamp::parse(text.trim().as_bytes()).is_some() || text.contains("${")
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
