//! `{paginator.<value>}`: the number, token or size of a page inside another text.

use super::Problems;
use crate::config::diagnostics::closest;
use crate::config::model::Spot;
use crate::plan::{
    BodyPlan, JsonTemplate, PageValue, PaginatorPlan, Paging, ParamValue, Part, RequestPlan, Template,
};

/// The placeholder of a value.
pub(super) fn part(name: &str, at: &Spot, problems: &mut Problems<'_>) -> Option<Part> {
    let found = PageValue::ALL.into_iter().find(|value| value.name() == name);
    if found.is_none() {
        let list = "known are `offset`, `page`, `cursor` and `limit`";
        let hint = match closest(name, PageValue::ALL.map(PageValue::name)) {
            Some(near) => format!("nearest is `{near}`; {list}"),
            None => list.to_owned(),
        };
        problems.add_with_hint(at, format!("unknown value `{{paginator.{name}}}`"), hint);
    }
    found.map(Part::Page)
}

/// What placeholders hold is not sent by a parameter of its own. They must be of the paginator that there is.
pub(super) fn settle(paging: &mut Paging, request: &RequestPlan, at: &Spot, problems: &mut Problems<'_>) {
    for (value, needed) in used(request) {
        let known = match (value, &paging.paginator) {
            (PageValue::Offset, PaginatorPlan::Offset { .. })
            | (PageValue::Page, PaginatorPlan::PageNumber { .. })
            | (PageValue::Cursor, PaginatorPlan::Cursor { .. }) => true,
            (PageValue::Limit, _) => paging.limit.is_some(),
            _ => false,
        };
        let name = value.name();
        if !known {
            let (wanted, example) = match value {
                PageValue::Limit => ("a paginator with `limit`", "{type: offset, limit: 100}"),
                PageValue::Offset => ("`type: offset`", "{type: offset, limit: 100}"),
                PageValue::Page => ("`type: page_number`", "{type: page_number, base_page: 1}"),
                PageValue::Cursor => ("`type: cursor`", "{type: cursor, cursor_path: next}"),
            };
            problems.add_with_hint(
                at,
                format!("`{{paginator.{name}}}` stands here, but the endpoint does not have {wanted}"),
                format!("write `paginator: {example}`"),
            );
            continue;
        }
        if value == PageValue::Limit {
            paging.limit_into = None;
            continue;
        }
        paging.sending.placed = true;
        let missing_at_first = paging.sending.omit_first
            || value == PageValue::Cursor && paging.sending.initial_cursor.is_none();
        if needed && missing_at_first {
            problems.add_with_hint(
                at,
                format!("the first request has no `{{paginator.{name}}}`, and cannot do without"),
                match value {
                    PageValue::Cursor => "write `initial_cursor` into the paginator",
                    _ => "leave `omit_first` out",
                },
            );
        }
    }
}

/// The values that are used, and whether there is no request without them: a parameter, a header or a field can be left
/// out, a part of a path or of a text cannot. In JSON a lone placeholder is null then.
fn used(request: &RequestPlan) -> Vec<(PageValue, bool)> {
    let mut used = Vec::new();
    take(&request.path, true, &mut used);
    for (name, value) in &request.params {
        take(name, false, &mut used);
        match value {
            ParamValue::One(value) => take(value, false, &mut used),
            ParamValue::Many(values) => values.iter().for_each(|value| take(value, false, &mut used)),
        }
    }
    request.headers.iter().for_each(|(_, value)| take(value, false, &mut used));
    match &request.body {
        Some(BodyPlan::Text(text)) => take(text, true, &mut used),
        Some(BodyPlan::Form(fields)) => fields.iter().for_each(|(_, value)| take(value, false, &mut used)),
        Some(BodyPlan::Json(json)) => take_json(json, &mut used),
        None => {}
    }
    used
}

fn take(template: &Template, needed: bool, used: &mut Vec<(PageValue, bool)>) {
    for part in &template.parts {
        if let Part::Page(value) = part {
            used.push((*value, needed));
        }
    }
}

fn take_json(json: &JsonTemplate, used: &mut Vec<(PageValue, bool)>) {
    match json {
        JsonTemplate::Literal(_) => {}
        JsonTemplate::Text(template) => take(template, template.parts.len() > 1, used),
        JsonTemplate::List(items) => items.iter().for_each(|item| take_json(item, used)),
        JsonTemplate::Map(entries) => entries.iter().for_each(|(_, value)| take_json(value, used)),
    }
}
