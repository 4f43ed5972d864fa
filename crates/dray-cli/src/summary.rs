//! The end of a run, for people.

use dray::report::{Completeness, CompletenessVerdict, Report, Status};

use crate::execute::Place;
use crate::table::{Align, render, thousands};

/// What was loaded, what failed and where the data is.
pub(crate) fn summary(report: &Report, place: &Place) -> String {
    let mut text = String::from("\n");
    let mark = |status| match status {
        Status::Succeeded => "ok",
        Status::Failed => "FAILED",
        Status::Interrupted => "stopped",
    };
    let rows: Vec<Vec<String>> = report
        .resources
        .0
        .iter()
        .map(|(name, resource)| {
            vec![
                name.clone(),
                mark(resource.status).to_owned(),
                thousands(resource.rows),
                thousands(resource.records),
                thousands(resource.pages),
                thousands(resource.requests),
                thousands(resource.retries),
            ]
        })
        .collect();
    let header = [
        ("resource", Align::Left),
        ("", Align::Left),
        ("rows", Align::Right),
        ("records", Align::Right),
        ("pages", Align::Right),
        ("requests", Align::Right),
        ("retries", Align::Right),
    ];
    text.push_str(&render(&header, &rows));
    for (name, resource) in &report.resources.0 {
        if let Some(key) = &resource.key {
            text.push_str(&format!("\nkey of {name}: {key}"));
        }
        if let Some(drift) = &resource.drift {
            text.push_str(&format!("\n{name}: {}", drift.in_words()));
        }
        if let Some(words) = resource.completeness.as_ref().and_then(completeness) {
            text.push_str(&format!("\nwarning: {name}: {words}"));
        }
        if resource.ignored > 0 {
            text.push_str(&format!("\n{name}: {} answers ignored as configured", resource.ignored));
        }
        for (reason, count) in &resource.skipped {
            text.push_str(&format!("\n{name}: {count} lists skipped as configured: {reason}"));
        }
    }
    for note in &report.notes {
        text.push_str(&format!("\nnote: {note}"));
    }
    for (name, resource) in &report.resources.0 {
        // An error of the whole run is said once.
        if let Some(error) = resource.error.as_ref().filter(|error| Some(*error) != report.error.as_ref()) {
            text.push_str(&format!("\nerror: {name}: {error}"));
        }
    }
    if let Some(error) = &report.error {
        text.push_str(&format!("\nerror: {error}"));
    }
    let none = report.resources.0.iter().all(|(_, resource)| resource.status != Status::Succeeded);
    let ended = match report.status {
        Status::Succeeded => "loaded into",
        Status::Failed if none => "nothing was loaded into",
        Status::Interrupted if none => "stopped; nothing is complete in",
        Status::Failed => "not everything was loaded; what is complete is in",
        Status::Interrupted => "stopped; what is complete is in",
    };
    text.push_str(&format!(
        "\n{ended} {} ({:.2} s, load {})",
        report.destination, report.duration_s, report.load_id
    ));
    if report.status == Status::Interrupted {
        text.push_str("\nthe same command goes on from here");
    }
    let loaded = report.resources.0.iter().find(|(_, resource)| resource.rows > 0);
    if let Some(table) = loaded.and_then(|(_, resource)| resource.table.as_ref()) {
        text.push_str(&format!("\nlook: {}", place.look(table)));
    }
    text
}

/// A count that does not meet the API's total, in words.
fn completeness(completeness: &Completeness) -> Option<String> {
    let than = match completeness.verdict {
        CompletenessVerdict::Complete | CompletenessVerdict::Unknown => return None,
        CompletenessVerdict::Short => "fewer",
        CompletenessVerdict::Over => "more",
    };
    Some(format!(
        "{} records came, {than} than the {} that the API says there are",
        thousands(completeness.counted.unwrap_or_default()),
        thousands(completeness.total.unwrap_or_default())
    ))
}
