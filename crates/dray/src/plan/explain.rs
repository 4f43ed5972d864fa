//! A plan for people: what `dray plan` prints.

use super::{
    AuthPlan, BodyPlan, ClientPlan, CompletePlan, CursorFormat, CursorSource, CursorValue, Disposition,
    DriftWatch, FormatKind, Grant, IncrementalPlan, JsonTemplate, KeyLocation, LoadPlan, Method,
    PaginatorPlan, Paging, ParamValue, ParentField, Part, Plan, ResourcePlan, StopPlan, Template, TokenPlan,
    TokenSource, TokenTarget, WindowSize,
};
use crate::secret::SafeUrl;

/// The client, the resources in the order in which they are asked for, and how loose spellings were read.
#[must_use]
pub fn explain(plan: &Plan) -> String {
    let mut out = String::new();
    client(&mut out, &plan.client);
    for resource in &plan.resources {
        out.push('\n');
        explain_resource(&mut out, plan, resource);
    }
    if !plan.notes.is_empty() {
        out.push_str("\nread as\n");
        for note in &plan.notes {
            let about = note.resource.as_ref().map_or(String::new(), |name| format!("{name}: "));
            line(&mut out, &format!("  - {about}{}", note.text));
        }
    }
    out
}

fn line(out: &mut String, text: &str) {
    out.push_str(text.trim_end());
    out.push('\n');
}

fn row(out: &mut String, label: &str, text: &str) {
    line(out, &format!("  {label:<14}{text}"));
}

fn client(out: &mut String, client: &ClientPlan) {
    line(out, &SafeUrl(&client.base_url).to_string());
    let retry = &client.retry;
    let statuses: Vec<String> = retry.statuses.iter().map(ToString::to_string).collect();
    let waits: Vec<String> = (0..retry.max_retries.min(3))
        .map(|n| seconds(retry.backoff_factor * f64::from(1_u32 << n)))
        .collect();
    let waits = if waits.is_empty() {
        String::new()
    } else {
        let more = if retry.max_retries > 3 { ", ..." } else { "" };
        format!(" after {}{more} s", waits.join(", "))
    };
    row(out, "retry", &format!("{} times{waits}, on {}", retry.max_retries, statuses.join(", ")));
    for limit in &client.rate_limits {
        let route = limit.route.as_ref().map_or(String::new(), |route| format!(" below {route}"));
        row(
            out,
            "rate",
            &format!("{} requests in {} s{route}", limit.requests, seconds(limit.per.as_secs_f64())),
        );
    }
    row(out, "side by side", &format!("up to {} requests", client.concurrency));
    for (name, value) in &client.headers {
        row(out, "header", &format!("{name}: {}", value.shown()));
    }
}

fn seconds(number: f64) -> String {
    number.to_string()
}

fn explain_resource(out: &mut String, plan: &Plan, resource: &ResourcePlan) {
    let parent = resource.parent.as_ref();
    let parent_name =
        parent.and_then(|parent| plan.resources.get(parent.resource)).map(|parent| parent.name.as_str());
    let shown = |template: &Template| shown(template, resource, parent_name);
    let hidden = if resource.selected { "" } else { "  (read for its children, not loaded)" };
    line(out, &format!("{}{hidden}", resource.name));
    let method = match resource.request.method {
        Method::Get => "GET",
        Method::Post => "POST",
    };
    let path = shown(&resource.request.path);
    let url = if path.starts_with("http://") || path.starts_with("https://") {
        path
    } else {
        format!("{}{path}", SafeUrl(&plan.client.base_url))
    };
    line(out, &format!("  {method} {url}"));
    for (name, value) in &resource.request.params {
        let values = match value {
            ParamValue::One(value) => shown(value),
            ParamValue::Many(values) => values.iter().map(shown).collect::<Vec<_>>().join(", "),
        };
        row(out, "parameter", &format!("{} = {values}", shown(name)));
    }
    for (name, value) in &resource.request.headers {
        row(out, "header", &format!("{name}: {}", shown(value)));
    }
    match &resource.request.body {
        Some(BodyPlan::Json(json)) => row(out, "body", &json_shown(json, &shown)),
        Some(BodyPlan::Form(form)) => {
            let fields: Vec<String> =
                form.iter().map(|(name, value)| format!("{name}={}", shown(value))).collect();
            row(out, "form", &fields.join("&"));
        }
        Some(BodyPlan::Text(template)) => row(out, "text", &shown(template)),
        None => {}
    }
    if let (Some(parent), Some(name)) = (parent, parent_name) {
        let mut text = match parent.batch {
            Some(batch) => format!("once for up to {} records of {name} together", batch.size),
            None => format!("once for each record of {name}"),
        };
        if let Some(filter) = &parent.filter {
            text.push_str(&format!(" with {filter}"));
        }
        if !parent.include.is_empty() {
            let columns: Vec<String> =
                parent.include.iter().map(|field| format!("{} (its {})", field.name, field.path)).collect();
            text.push_str(&format!("; rows carry {}", columns.join(", ")));
        }
        row(out, "parent", &text);
    }
    if let Some(each) = &resource.each {
        let mut text = match each.items.as_slice() {
            [_] => String::new(),
            items => format!("once for each of {} items: {}", items.len(), each.shown()),
        };
        let columns: Vec<&str> = each
            .items
            .iter()
            .take(1)
            .flat_map(|item| item.carried.iter().map(|(name, _)| name.as_str()))
            .collect();
        if !columns.is_empty() {
            text.push_str(&format!("; rows carry {}", columns.join(", ")));
        }
        row(out, "each", text.trim_start_matches("; "));
    }
    row(out, "auth", &auth(&resource.auth));
    row(out, "pages", &paging(&resource.paging));
    let selector = resource.selector.as_ref().map(ToString::to_string);
    row(
        out,
        "records",
        match selector.as_deref() {
            Some("$") => "the whole body",
            Some(path) => path,
            None => "found on the first page",
        },
    );
    if let Some(expand) = &resource.expand {
        let mut text = format!("a row for each item of {}", expand.path);
        if !expand.include.is_empty() {
            let names: Vec<&str> = expand.include.iter().map(|(name, _)| name.as_str()).collect();
            text.push_str(&format!(", with {}", names.join(", ")));
        }
        row(out, "expand", &text);
        if let Some(complete) = &expand.complete {
            row(out, "", &completion(complete));
        }
    }
    for step in resource.transform.shown() {
        row(out, "step", &step);
    }
    if let Some(cursor) = &resource.incremental {
        row(out, "incremental", &incremental(cursor));
    }
    if resource.answers.format.kind != FormatKind::Json {
        row(out, "format", resource.answers.format.kind.name());
    }
    for rule in &*resource.answers.rules {
        row(out, "answers", &rule.in_words());
    }
    row(out, "load", &load(&resource.load));
}

/// How lists inside records are read on.
fn completion(complete: &CompletePlan) -> String {
    let CompletePlan { has_more, list, .. } = complete;
    let fields = |part: &Part| match part {
        Part::Parent(index) => {
            format!("{{{}}}", complete.fields.get(*index).map_or(String::new(), ToString::to_string))
        }
        other => Template { parts: vec![other.clone()] }.shown(),
    };
    let path: String = list.request.path.parts.iter().map(fields).collect();
    let from = if complete.goes_on_after().is_some() { "the rest of it" } else { "all of it" };
    format!("where {has_more} is true, {from} from {path}; pages: {}", paging(&list.paging))
}

/// A template with its placeholders named.
fn shown(template: &Template, resource: &ResourcePlan, parent: Option<&str>) -> String {
    let mut text = String::new();
    for part in &template.parts {
        match part {
            Part::Parent(index) => {
                let field = resource.parent.as_ref().and_then(|plan| plan.fields.get(*index));
                let whose = match field {
                    Some(ParentField::Above { resource, .. }) => resource.as_str(),
                    _ => parent.unwrap_or("parent"),
                };
                let field = field.map_or(String::new(), ToString::to_string);
                text.push_str(&format!("{{{whose}.{field}}}"));
            }
            Part::Joined(index, separator) => {
                let field = resource.parent.as_ref().and_then(|plan| plan.fields.get(*index));
                let field = field.map_or(String::new(), ToString::to_string);
                let parent = parent.unwrap_or("parent");
                text.push_str(&format!("{{{parent}.{field}}}{separator}..."));
            }
            Part::Each(index) => {
                let field = resource.each.as_ref().and_then(|plan| plan.fields.get(*index));
                text.push_str(&format!("{{each.{}}}", field.map_or(String::new(), ToString::to_string)));
            }
            other => text.push_str(&Template { parts: vec![other.clone()] }.shown()),
        }
    }
    text
}

fn json_shown(json: &JsonTemplate, shown: &impl Fn(&Template) -> String) -> String {
    match json {
        JsonTemplate::Literal(value) => value.to_string(),
        JsonTemplate::Text(template) => serde_json::Value::from(shown(template)).to_string(),
        JsonTemplate::List(items) => {
            let items: Vec<String> = items.iter().map(|item| json_shown(item, shown)).collect();
            format!("[{}]", items.join(", "))
        }
        JsonTemplate::Map(entries) => {
            let entries: Vec<String> = entries
                .iter()
                .map(|(key, value)| format!("\"{key}\": {}", json_shown(value, shown)))
                .collect();
            format!("{{{}}}", entries.join(", "))
        }
    }
}

fn auth(auth: &AuthPlan) -> String {
    match auth {
        AuthPlan::None => "none".to_owned(),
        AuthPlan::Bearer { .. } => "bearer token".to_owned(),
        AuthPlan::ApiKey { name, location, .. } => {
            format!("key in the {} `{name}`", place(*location))
        }
        AuthPlan::Basic { username, .. } => format!("basic, as `{}`", username.shown()),
        AuthPlan::Token(plan) => token(plan),
        AuthPlan::Several(auths) => auths.iter().map(self::auth).collect::<Vec<_>>().join("; "),
    }
}

fn token(plan: &TokenPlan) -> String {
    let url = SafeUrl(&plan.request.url);
    let sent = &plan.sent;
    let mut text = match &plan.grant {
        Grant::OAuth2(grant) => {
            let what = match grant.as_str() {
                "refresh_token" => "a refresh token",
                "client_credentials" => "client credentials",
                "password" => "a password",
                other => other,
            };
            format!("{} token for {what} from {url}", sent.before.trim_end())
        }
        Grant::Login => {
            let from = match &plan.token {
                TokenSource::Body(path) => format!("the token at {path}"),
                TokenSource::Header(name) => format!("the token in the header {name}"),
                TokenSource::Cookie(name) => format!("the cookie {name}"),
            };
            format!("{from} of a login at {url}, sent in the {} `{}`", place(sent.location), sent.name)
        }
    };
    if let Some(file) = plan.refresh.as_ref().and_then(|refresh| refresh.file.as_ref()) {
        text.push_str(&format!(", the next refresh token kept in {}", file.display()));
    }
    text
}

fn place(location: KeyLocation) -> &'static str {
    match location {
        KeyLocation::Header => "header",
        KeyLocation::Query => "parameter",
        KeyLocation::Cookie => "cookie",
    }
}

fn target(target: &TokenTarget) -> String {
    match target {
        TokenTarget::Query(name) => format!("`{name}`"),
        TokenTarget::Body(keys) => format!("`{}` of the body", keys.join(".")),
    }
}

fn paging(paging: &Paging) -> String {
    let mut text = match &paging.paginator {
        PaginatorPlan::Auto => "found on the first page".to_owned(),
        PaginatorPlan::SinglePage => "one".to_owned(),
        PaginatorPlan::Cursor { from, into } => {
            let from = match from {
                CursorSource::Body(path) => format!("cursor at {path}"),
                CursorSource::LastRecord(path) => format!("{path} of the last record"),
                CursorSource::Header(name) => format!("cursor in the header {name}"),
            };
            format!("{from}, sent as {}", target(into))
        }
        PaginatorPlan::Offset { start, into, .. } => format!("offset {} from {start}", target(into)),
        PaginatorPlan::PageNumber { start, into, .. } => format!("number {} from {start}", target(into)),
        PaginatorPlan::JsonLink { path } => format!("link at {path}"),
        PaginatorPlan::HeaderLink { rel } => format!("Link header, rel \"{rel}\""),
    };
    if let Some(cursor) = &paging.sending.initial_cursor {
        text.push_str(&format!(", at first {cursor}"));
    }
    if paging.sending.omit_first {
        text.push_str(", none in the first request");
    }
    if paging.sending.placed {
        text.push_str(" (by its placeholder alone)");
    }
    if let Some(limit) = paging.limit {
        let sent = paging.limit_into.as_ref().map_or(String::new(), |into| format!(" ({})", target(into)));
        text.push_str(&format!(", {limit} records each{sent}"));
    }
    let mut ends = Vec::new();
    if let Some(flag) = &paging.has_more {
        let optional = if flag.required { "" } else { " (where it is there)" };
        ends.push(format!("{} is false{optional}", flag.path));
    }
    if let Some(total) = &paging.total {
        let optional = if total.required { "" } else { " (where it is there)" };
        ends.push(format!("{} is reached{optional}", total.from));
    }
    if let PaginatorPlan::Offset { maximum: Some(maximum), .. }
    | PaginatorPlan::PageNumber { maximum: Some(maximum), .. } = &paging.paginator
    {
        ends.push(format!("{maximum} is reached"));
    }
    if paging.stop_after_short_page {
        ends.push("a page is short".to_owned());
    } else if paging.stop_after_empty_page && !matches!(paging.paginator, PaginatorPlan::Auto) {
        ends.push("a page is empty".to_owned());
    }
    if !ends.is_empty() {
        text.push_str(&format!("; until {}", ends.join(" or ")));
    }
    match paging.drift {
        DriftWatch::Off => text.push_str("; not watched for drift"),
        DriftWatch::Verify => text.push_str("; again until two readings agree"),
        DriftWatch::Watch => {}
    }
    text
}

fn incremental(cursor: &IncrementalPlan) -> String {
    let mut text = format!("by {}", cursor.cursor_name);
    let format = match &cursor.format {
        CursorFormat::AsIs => String::new(),
        CursorFormat::Unix => " in unix seconds".to_owned(),
        CursorFormat::UnixMillis => " in unix milliseconds".to_owned(),
        CursorFormat::Iso => " in RFC 3339".to_owned(),
        CursorFormat::Date => " as a date".to_owned(),
        CursorFormat::Pattern(pattern) => format!(" as {pattern}"),
    };
    match &cursor.start_param {
        Some(param) => text.push_str(&format!(", start sent as `{param}`{format}")),
        None if cursor.end_param.is_none() => text.push_str(", start not sent by a parameter of its own"),
        None => {}
    }
    if let Some(param) = &cursor.end_param {
        text.push_str(&format!(", end as `{param}`{format}"));
    }
    if let Some(value) = &cursor.initial_value {
        text.push_str(&format!("; at first from {}", value_shown(value)));
    }
    if let Some(value) = &cursor.end_value {
        text.push_str(&format!(" to {}", value_shown(value)));
    }
    match cursor.window.map(|window| window.size) {
        Some(WindowSize::Seconds(seconds)) => text.push_str(&format!(", in windows of {}", length(seconds))),
        Some(WindowSize::Months(1)) => text.push_str(", in windows of a month"),
        Some(WindowSize::Months(months)) => text.push_str(&format!(", in windows of {months} months")),
        Some(WindowSize::Whole) => text.push_str(" to the start of the run"),
        None => {}
    }
    match cursor.stop {
        Some(StopPlan::AtStart) => text.push_str("; newest first, to the page that reaches below the start"),
        Some(StopPlan::AtEnd) => {
            text.push_str("; oldest first, to the page that reaches the end of the range");
        }
        None => {}
    }
    if let Some(retention) = &cursor.retention {
        let again = retention.fallback.as_ref().map_or_else(
            || "it is read from its beginning".to_owned(),
            |other| format!("`{other}` is read in full"),
        );
        text.push_str(&format!("; after {} without a run {again}", length(retention.seconds)));
    }
    if let Some(lag) = cursor.lag {
        text.push_str(&format!("; {lag} earlier than it ended"));
    }
    text
}

/// Seconds in the largest unit that they are whole in.
fn length(seconds: i64) -> String {
    let units = [(86_400, "d"), (3600, "h"), (60, "m")];
    let unit = units.into_iter().find(|(size, _)| seconds % size == 0);
    let (size, unit) = unit.unwrap_or((1, "s"));
    format!("{}{unit}", seconds / size)
}

fn value_shown(value: &CursorValue) -> String {
    match value {
        CursorValue::Int(number) => number.to_string(),
        CursorValue::Float(number) => number.to_string(),
        CursorValue::Text(text) => text.clone(),
    }
}

fn load(load: &LoadPlan) -> String {
    let how = match load.disposition {
        Disposition::Append => "append to",
        Disposition::Replace => "replace",
        Disposition::Merge => "merge into",
        Disposition::Skip => "skip",
    };
    let mut text = format!("{how} `{}`", load.table);
    if !load.primary_key.is_empty() {
        text.push_str(&format!(", key {}", load.primary_key.join(", ")));
        if let Some(other) = &load.fallback_key {
            text.push_str(&format!(" (or {other}, where records lack it)"));
        }
    }
    if !load.merge_key.is_empty() {
        text.push_str(&format!(", merge key {}", load.merge_key.join(", ")));
    }
    text
}
