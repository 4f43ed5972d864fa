//! What bodies are written in.

use super::{Problems, defaults};
use crate::config::format::{FormatConfig, FormatType};
use crate::json::Path;
use crate::plan::{CsvPlan, FormatKind, FormatPlan, XmlPlan};

/// The format; `selector` is where the records are said to be.
pub(super) fn compile(
    written: Option<&FormatConfig>,
    selector: Option<&Path>,
    problems: &mut Problems<'_>,
) -> Option<FormatPlan> {
    let Some(written) = written else { return Some(FormatPlan::default()) };
    let kind = match written.kind {
        FormatType::Json => FormatKind::Json,
        FormatType::Jsonl => FormatKind::Lines,
        FormatType::Csv => FormatKind::Csv(csv(written, selector, problems)?),
        FormatType::Xml => FormatKind::Xml(XmlPlan {
            lists: written.lists.clone(),
            records: selector.and_then(Path::names).unwrap_or_default(),
            infer: written.infer.unwrap_or(false),
        }),
    };
    Some(FormatPlan {
        kind,
        encoding: written.encoding,
        lossy: written.lossy.unwrap_or(false),
        packed: written.packed,
    })
}

fn csv(written: &FormatConfig, selector: Option<&Path>, problems: &mut Problems<'_>) -> Option<CsvPlan> {
    let before = problems.diagnostics.len();
    if let Some(selector) =
        selector.filter(|selector| selector.names().is_some_and(|names| !names.is_empty()))
    {
        problems.add_with_hint(
            &written.at,
            format!("the rows of CSV are the records, and `data_selector: {selector}` finds nothing there"),
            "leave `data_selector` out, or write `data_selector: $` where it comes from `resource_defaults`",
        );
    }
    let header = written.header.unwrap_or(written.columns.is_none());
    if let Some(columns) = written.columns.as_ref().filter(|_| header) {
        problems.add_with_hint(
            &columns.at,
            "`columns` names the fields of a file without a header, and `header: true` says that it has one",
            "keep one of the two keys",
        );
    }
    let delimiter = written.delimiter.unwrap_or(defaults::CSV_DELIMITER);
    let quote = written.quote.unwrap_or(defaults::CSV_QUOTE);
    if delimiter == quote {
        problems.add(&written.at, "`delimiter` and `quote` are the same character");
    }
    let columns = written.columns.as_ref().map(|columns| columns.value.clone()).unwrap_or_default();
    let infer = written.infer.unwrap_or(false);
    (problems.diagnostics.len() == before).then_some(CsvPlan { delimiter, quote, header, columns, infer })
}
