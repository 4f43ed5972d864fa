//! `endpoint.expand`, and how the lists are completed of which a record holds only the beginning.

use super::holes::{Piece, pieces};
use super::{Problems, paging, resource};
use crate::config::model::{CompleteConfig, EndpointConfig, ParamConfig, Spot};
use crate::json::Path;
use crate::plan::{
    CompletePlan, CursorSource, ExpandPlan, Method, PaginatorPlan, ParamValue, Part, RequestPlan,
    ResourcePlan, Template, Text,
};

/// `endpoint.expand` without its completion.
pub(super) fn expand(endpoint: &EndpointConfig, problems: &mut Problems<'_>) -> Option<ExpandPlan> {
    let written = endpoint.expand.as_ref()?;
    let path = problems.path(&written.path.value, &written.path.at)?;
    let mut include = Vec::new();
    for (name, field) in &written.include {
        include.push((name.clone(), problems.path(&field.value, &field.at)?));
    }
    Some(ExpandPlan { path, include, complete: None })
}

/// `endpoint.expand.complete` of a resource: what the file leaves out is as for the resource itself.
pub(super) fn complete(
    written: &CompleteConfig,
    of: &ResourcePlan,
    problems: &mut Problems<'_>,
) -> Option<CompletePlan> {
    let has_more = problems.path(&written.has_more.value, &written.has_more.at)?;
    let mut fields = Vec::new();
    let path = match (&written.url, &written.path) {
        (Some(url), None) => {
            fields.push(problems.path(&url.value, &url.at)?);
            Template { parts: vec![Part::Parent(0)] }
        }
        (None, Some(path)) => template(&path.value, &path.at, &mut fields, problems)?,
        _ => {
            problems.add_with_hint(
                &written.at,
                "a list that is to be completed needs either `url` or `path`",
                "write `url: lines.url` for an address in the record, or `path: \"invoices/{id}/lines\"` with its fields",
            );
            return None;
        }
    };
    let mut params = Vec::new();
    for param in &written.params {
        let ParamConfig::One(value) = &param.value else {
            problems.add(&param.at, format!("`{}` needs one value here", param.name));
            continue;
        };
        let value = template(value, &param.at, &mut fields, problems)?;
        params.push((Template::fixed(Text::Plain(param.name.clone())), ParamValue::One(value)));
    }
    let mut paging = match &written.paginator {
        Some(paginator) => paging::compile(paginator, problems)?,
        None => of.paging.clone(),
    };
    resource::settle_limit(&mut paging, &params, problems);
    if matches!(paging.paginator, PaginatorPlan::Cursor { from: CursorSource::LastRecord(_), .. }) {
        // It begins in the middle of the list.
        paging.total = None;
    }
    let selector = match &written.data_selector {
        Some(written) => Some(problems.path(&written.value, &written.at)?),
        None => of.selector.clone(),
    };
    let headers = of.request.headers.clone();
    let list = ResourcePlan {
        request: RequestPlan { method: Method::Get, path, params, headers, body: None },
        paging,
        selector,
        expand: None,
        parent: None,
        each: None,
        incremental: None,
        ..of.clone()
    };
    Some(CompletePlan { has_more, fields, by_url: written.url.is_some(), list: Box::new(list) })
}

/// A text whose placeholders are fields of the record.
fn template(text: &Text, at: &Spot, fields: &mut Vec<Path>, problems: &mut Problems<'_>) -> Option<Template> {
    let text = match text {
        Text::Plain(text) => text,
        Text::Secret(_) => return Some(Template::fixed(text.clone())),
    };
    let pieces = match pieces(text.trim_start_matches('/')) {
        Ok(pieces) => pieces,
        Err(message) => {
            problems.add_with_hint(at, message, "a field of the record is written `{id}`");
            return None;
        }
    };
    let mut parts = Vec::new();
    for piece in pieces {
        parts.push(match piece {
            Piece::Fixed(text) => Part::Text(Text::Plain(text)),
            Piece::Hole(hole) => {
                let path = problems.path(&hole, at)?;
                let known = fields.iter().position(|field| *field == path);
                Part::Parent(known.unwrap_or_else(|| {
                    fields.push(path);
                    fields.len() - 1
                }))
            }
        });
    }
    Some(Template { parts })
}
