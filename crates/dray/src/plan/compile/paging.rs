//! Paginators: dlt's defaults and rules (dlt.md §1.6).

use super::{Problems, defaults};
use crate::config::diagnostics::child;
use crate::config::model::{Located, PaginatorConfig, PaginatorKind};
use crate::json::Path;
use crate::plan::{CursorSource, HasMore, PaginatorPlan, Paging, Sending, TokenTarget, Total, TotalSource};

/// A paginator that asks for one page.
pub(super) fn single_page() -> Paging {
    bare(PaginatorPlan::SinglePage)
}

/// The paginator that is found on the first page.
pub(super) fn auto() -> Paging {
    Paging { stop_after_empty_page: true, ..bare(PaginatorPlan::Auto) }
}

fn bare(paginator: PaginatorPlan) -> Paging {
    Paging {
        paginator,
        limit: None,
        limit_into: None,
        has_more: None,
        total: None,
        stop_after_empty_page: false,
        stop_after_short_page: false,
        drift: defaults::DRIFT,
        sending: Sending::default(),
    }
}

pub(super) fn compile(config: &PaginatorConfig, problems: &mut Problems<'_>) -> Option<Paging> {
    let mut paging = match config.kind {
        PaginatorKind::Auto => auto(),
        PaginatorKind::SinglePage => single_page(),
        PaginatorKind::PageNumber => page_number(config, problems)?,
        PaginatorKind::Offset => offset(config, problems)?,
        PaginatorKind::Cursor => cursor(config, problems)?,
        PaginatorKind::JsonLink => {
            let path = path(config.next_url_path.as_ref(), defaults::NEXT_URL_PATH, problems)?;
            bare(PaginatorPlan::JsonLink { path })
        }
        PaginatorKind::HeaderLink => bare(PaginatorPlan::HeaderLink {
            rel: word(config.links_next_key.as_ref(), defaults::LINK_RELATION),
        }),
        PaginatorKind::HeaderCursor => bare(PaginatorPlan::Cursor {
            from: CursorSource::Header(word(config.cursor_key.as_ref(), defaults::CURSOR_HEADER)),
            into: TokenTarget::Query(word(config.cursor_param.as_ref(), defaults::CURSOR_PARAM)),
        }),
    };
    if let Some(drift) = config.drift {
        paging.drift = drift;
    }
    if let Some(stop) = config.stop_after_empty_page {
        paging.stop_after_empty_page = stop;
    }
    if let Some(written) = &config.has_more_path {
        let required = config.has_more_optional != Some(true);
        paging.has_more = Some(HasMore { path: problems.path(&written.value, &written.at)?, required });
    }
    paging.sending.omit_first = config.omit_first;
    paging.sending.initial_cursor.clone_from(&config.initial_cursor);
    paging.limit = config.limit;
    if config.limit == Some(0) {
        problems.add(&config.at, "`limit: 0` asks for empty pages");
        return None;
    }
    if config.limit.is_some() {
        paging.limit_into = Some(target(
            config.limit_param.as_ref(),
            config.limit_body_path.as_ref(),
            defaults::LIMIT_PARAM,
            problems,
        )?);
    }
    let counts = matches!(config.kind, PaginatorKind::Offset | PaginatorKind::PageNumber);
    paging.stop_after_short_page = counts && config.limit.is_some();
    if counts {
        paging.total = total(config, problems)?;
        let ends = paging.stop_after_empty_page
            || paging.has_more.is_some()
            || paging.total.as_ref().is_some_and(|total| total.required)
            || config.maximum_page.is_some()
            || config.maximum_offset.is_some();
        if !ends {
            problems.add_with_hint(
                &config.at,
                "nothing ends this paginator",
                "give `total_path`, `has_more_path` or a maximum, or leave `stop_after_empty_page` on",
            );
            return None;
        }
    }
    Some(paging)
}

/// The count that ends the list; inner none: there is none.
fn total(config: &PaginatorConfig, problems: &mut Problems<'_>) -> Option<Option<Total>> {
    let headers = [(&config.total_header, true), (&config.total_pages_header, false)];
    let mut named = Vec::new();
    for (written, records) in headers {
        let Some(written) = written else { continue };
        let from = TotalSource::Header(written.value.to_ascii_lowercase());
        named.push((written, Total { from, required: true, records }));
    }
    let in_body = config.total_path.as_ref().and_then(Option::as_ref);
    if let Some((second, _)) = named.get(usize::from(in_body.is_none())) {
        problems.add_with_hint(
            &second.at,
            "the list has another total already",
            "keep one of `total_path`, `total_header` and `total_pages_header`",
        );
        return None;
    }
    Some(match (named.pop(), &config.total_path) {
        (Some((_, total)), _) => Some(total),
        (None, None) => Some(Total::at(Path::key(defaults::TOTAL_PATH), false)),
        (None, Some(None)) => None,
        (None, Some(Some(written))) => Some(Total::at(problems.path(&written.value, &written.at)?, true)),
    })
}

fn page_number(config: &PaginatorConfig, problems: &mut Problems<'_>) -> Option<Paging> {
    let into =
        target(config.page_param.as_ref(), config.page_body_path.as_ref(), defaults::PAGE_PARAM, problems)?;
    let base = config.base_page.unwrap_or(defaults::BASE_PAGE);
    let start = config.page.unwrap_or(base);
    maximum(config, "maximum_page", config.maximum_page, start, problems)?;
    let paginator = PaginatorPlan::PageNumber { base, start, into, maximum: config.maximum_page };
    Some(Paging { stop_after_empty_page: true, ..bare(paginator) })
}

fn offset(config: &PaginatorConfig, problems: &mut Problems<'_>) -> Option<Paging> {
    if config.limit.is_none() {
        if problems.diagnostics.is_about(&child(&config.at.path, "limit")) {
            return None;
        }
        problems.add_with_hint(&config.at, "`offset` needs `limit`", "write `{type: offset, limit: 100}`");
        return None;
    }
    let into = target(
        config.offset_param.as_ref(),
        config.offset_body_path.as_ref(),
        defaults::OFFSET_PARAM,
        problems,
    )?;
    let start = config.offset.unwrap_or(0);
    maximum(config, "maximum_offset", config.maximum_offset, start, problems)?;
    let paginator = PaginatorPlan::Offset { start, into, maximum: config.maximum_offset };
    Some(Paging { stop_after_empty_page: true, ..bare(paginator) })
}

fn maximum(
    config: &PaginatorConfig,
    key: &str,
    maximum: Option<u64>,
    start: u64,
    problems: &mut Problems<'_>,
) -> Option<()> {
    match maximum {
        Some(maximum) if maximum <= start => {
            problems.add_with_hint(
                &config.at,
                format!("`{key}: {maximum}` ends before the first page at {start}"),
                format!("`{key}` is the first that is not asked for"),
            );
            None
        }
        _ => Some(()),
    }
}

fn cursor(config: &PaginatorConfig, problems: &mut Problems<'_>) -> Option<Paging> {
    let into = target(
        config.cursor_param.as_ref(),
        config.cursor_body_path.as_ref(),
        defaults::CURSOR_PARAM,
        problems,
    )?;
    if let (Some(_), Some(field)) = (&config.cursor_path, &config.cursor_field) {
        problems.add(&field.at, "`cursor_path` and `cursor_field` exclude each other");
        return None;
    }
    let from = match &config.cursor_field {
        Some(field) => CursorSource::LastRecord(problems.path(&field.value, &field.at)?),
        None => CursorSource::Body(path(config.cursor_path.as_ref(), defaults::CURSOR_PATH, problems)?),
    };
    Some(bare(PaginatorPlan::Cursor { from, into }))
}

fn path(written: Option<&Located<String>>, default: &str, problems: &mut Problems<'_>) -> Option<Path> {
    match written {
        Some(written) => problems.path(&written.value, &written.at),
        None => Path::parse(default).ok(),
    }
}

fn word(written: Option<&Located<String>>, default: &str) -> String {
    written.map_or_else(|| default.to_owned(), |word| word.value.clone())
}

/// A parameter or a place in the body, never both.
fn target(
    param: Option<&Located<String>>,
    body: Option<&Located<String>>,
    default: &str,
    problems: &mut Problems<'_>,
) -> Option<TokenTarget> {
    match (param, body) {
        (Some(_), Some(body)) => {
            problems.add_with_hint(
                &body.at,
                "a parameter and a place in the body exclude each other",
                "keep one of the two keys",
            );
            None
        }
        (None, Some(body)) => {
            let keys: Vec<String> = body.value.split('.').map(str::to_owned).collect();
            if keys.iter().any(String::is_empty) {
                problems.add(&body.at, format!("`{}` is not a place in a body", body.value));
                return None;
            }
            Some(TokenTarget::Body(keys))
        }
        (param, None) => Some(TokenTarget::Query(word(param, default))),
    }
}
