//! A request from its plan, the parent's fields, the cursor and the page token.

use http::{HeaderName, HeaderValue, header};
use url::Url;

use super::paginate::Token;
use crate::error::{Error, ErrorKind, Result};
use crate::plan::{
    BodyPlan, JsonTemplate, Method, PageValue, PaginatorPlan, Paging, ParamValue, Part, Plan, ResourcePlan,
    Template, TokenTarget,
};

/// What fills the holes of a resource's templates: the same for all pages of a partition.
#[derive(Clone, Debug, Default)]
pub(super) struct Fill {
    /// The parent's fields, as JSON, and those of the item after them.
    pub(super) parent: Vec<serde_json::Value>,
    /// How many of them are the parent's.
    pub(super) own: usize,
    /// Where the cursor starts, as it is written into requests.
    pub(super) start: Option<String>,
    /// Where it ends.
    pub(super) end: Option<String>,
    /// Where the first run started.
    pub(super) initial: Option<String>,
    /// The page that is asked for, where placeholders say which.
    pub(super) page: Option<Asked>,
}

/// A page as placeholders say it.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    /// Its number or token; none where the first request goes without.
    token: Option<serde_json::Value>,
    limit: Option<u64>,
}

/// A request, ready but for its credentials.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    pub(super) body: Option<Vec<u8>>,
    /// Who asks, as the slots know it: 0 is nobody's resource.
    pub(super) line: usize,
}

fn wrong(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Request, message)
}

/// Builds the request for a page. `paging` is the resource's own, or what was found on its first page.
pub(super) fn build(
    plan: &Plan,
    resource: &ResourcePlan,
    paging: &Paging,
    fill: &Fill,
    token: &Token,
) -> Result<Request> {
    let request = &resource.request;
    let value = said_of(paging, token);
    let placed;
    let fill = if paging.sending.placed || paging.limit.is_some() && paging.limit_into.is_none() {
        let page = Some(Asked { token: value.clone(), limit: paging.limit });
        placed = Fill { page, ..fill.clone() };
        &placed
    } else {
        fill
    };
    let mut headers = Vec::new();
    for (name, text) in &plan.client.headers {
        if !request.headers.iter().any(|(own, _)| own.eq_ignore_ascii_case(name)) {
            headers.push(header(name, text.expose())?);
        }
    }
    for (name, template) in &request.headers {
        if let Some(text) = fill.text(template)? {
            headers.push(header(name, &text)?);
        }
    }
    let mut url = match token {
        // A link carries its own query (dlt.md §1.6).
        Token::Link(url) => url.clone(),
        _ => match fill.whole_url(&request.path) {
            Some(url) => absolute(url)?,
            None => join(&plan.client.base_url, &fill.path(&request.path)?)?,
        },
    };
    let mut json = match &request.body {
        Some(BodyPlan::Json(template)) => Some(fill.json(template)?),
        _ => None,
    };
    if !matches!(token, Token::Link(_)) {
        add_params(&mut url, resource, fill)?;
        add_cursor(&mut url, resource, fill);
        if let (Some(limit), Some(target)) = (paging.limit, &paging.limit_into) {
            inject(&mut url, &mut json, target, serde_json::Value::from(limit));
        }
        let target = match &paging.paginator {
            PaginatorPlan::Cursor { into, .. }
            | PaginatorPlan::Offset { into, .. }
            | PaginatorPlan::PageNumber { into, .. } => Some(into),
            _ => None,
        };
        if let (Some(value), Some(target), false) = (value, target, paging.sending.placed) {
            inject(&mut url, &mut json, target, value);
        }
    }
    let body = match (&request.body, json) {
        (Some(BodyPlan::Form(fields)), _) => {
            headers
                .push((header::CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded")));
            let mut form = url::form_urlencoded::Serializer::new(String::new());
            for (name, template) in fields {
                if let Some(text) = fill.text(template)? {
                    form.append_pair(name, &text);
                }
            }
            Some(form.finish().into_bytes())
        }
        (_, Some(json)) => {
            headers.push((header::CONTENT_TYPE, HeaderValue::from_static("application/json")));
            Some(json.to_string().into_bytes())
        }
        (Some(BodyPlan::Text(template)), _) => {
            if !headers.iter().any(|(name, _)| *name == header::CONTENT_TYPE) {
                headers.push((header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8")));
            }
            let text = fill.text(template)?;
            let text =
                text.ok_or_else(|| wrong("the text of the request needs a value and there is none"))?;
            Some(text.into_bytes())
        }
        (_, None) => None,
    };
    Ok(Request { method: request.method, url, headers, body, line: 0 })
}

/// What a request says of the page that it asks for.
fn said_of(paging: &Paging, token: &Token) -> Option<serde_json::Value> {
    let first = match (&paging.paginator, token) {
        (PaginatorPlan::Offset { start, .. }, Token::Offset(at))
        | (PaginatorPlan::PageNumber { start, .. }, Token::Page(at)) => start == at,
        _ => false,
    };
    match token {
        Token::Cursor(cursor) => Some(cursor.as_str().into()),
        Token::Offset(_) | Token::Page(_) if first && paging.sending.omit_first => None,
        Token::Offset(number) | Token::Page(number) => Some((*number).into()),
        Token::First => paging.sending.initial_cursor.as_deref().map(Into::into),
        Token::Link(_) => None,
    }
}

pub(super) fn header(name: &str, value: &str) -> Result<(HeaderName, HeaderValue)> {
    let parsed = HeaderName::try_from(name)
        .map_err(|error| wrong("not a header name").with("path", name).caused_by(error))?;
    let mut value = HeaderValue::try_from(value)
        .map_err(|_| wrong("a header's value has characters that no header may have").with("path", name))?;
    value.set_sensitive(true);
    Ok((parsed, value))
}

/// A relative path is appended to the base URL, whatever slashes they have; an absolute one stands for itself.
fn join(base: &Url, path: &str) -> Result<Url> {
    if is_url(path) {
        return absolute(path);
    }
    let path = path.trim_start_matches('/');
    let base = base.as_str().trim_end_matches('/');
    let text = if path.is_empty() { base.to_owned() } else { format!("{base}/{path}") };
    parsed(&text)
}

fn is_url(path: &str) -> bool {
    path.starts_with("http://") || path.starts_with("https://")
}

/// A path that is a URL of its own. Whether it may be asked is decided by its origin.
fn absolute(path: &str) -> Result<Url> {
    let url = parsed(path)?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong("the path is a URL with a user in it")
            .with("url", shown(&url))
            .hint("write user and password as `auth: {type: http_basic, ...}`"));
    }
    Ok(url)
}

fn parsed(text: &str) -> Result<Url> {
    Url::parse(text)
        .map_err(|error| wrong("the path does not make a URL").with("path", text).caused_by(error))
}

/// A link without user and password: credentials are the configuration's, never the API's.
pub(super) fn without_user(mut url: Url) -> Url {
    if url.set_username("").is_err() || url.set_password(None).is_err() {
        tracing::debug!(scheme = url.scheme(), "a URL that can have no user");
    }
    url
}

fn add_params(url: &mut Url, resource: &ResourcePlan, fill: &Fill) -> Result<()> {
    for (name, value) in &resource.request.params {
        let Some(name) = fill.text(name)? else { continue };
        let templates = match value {
            ParamValue::One(template) => std::slice::from_ref(template),
            ParamValue::Many(templates) => templates.as_slice(),
        };
        for template in templates {
            if let Some(text) = fill.text(template)? {
                url.query_pairs_mut().append_pair(&name, &text);
            }
        }
    }
    Ok(())
}

fn add_cursor(url: &mut Url, resource: &ResourcePlan, fill: &Fill) {
    let Some(incremental) = &resource.incremental else { return };
    for (param, value) in [(&incremental.start_param, &fill.start), (&incremental.end_param, &fill.end)] {
        if let (Some(param), Some(value)) = (param, value) {
            set_query(url, param, value);
        }
    }
}

fn inject(
    url: &mut Url,
    json: &mut Option<serde_json::Value>,
    target: &TokenTarget,
    value: serde_json::Value,
) {
    match target {
        TokenTarget::Query(name) => {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            set_query(url, name, &text);
        }
        TokenTarget::Body(keys) => {
            let mut place = json.get_or_insert_with(|| serde_json::json!({}));
            for key in keys {
                if !place.is_object() {
                    *place = serde_json::json!({});
                }
                place = &mut place[key.as_str()];
            }
            *place = value;
        }
    }
}

/// Sets a query parameter, in place of any of its name.
pub(super) fn set_query(url: &mut Url, name: &str, value: &str) {
    without_query(url, name);
    url.query_pairs_mut().append_pair(name, value);
}

/// Takes the query parameters of a name away.
pub(super) fn without_query(url: &mut Url, name: &str) {
    let kept: Vec<(String, String)> = url
        .query_pairs()
        .filter(|(own, _)| own != name)
        .map(|(own, value)| (own.into_owned(), value.into_owned()))
        .collect();
    if kept.is_empty() {
        url.set_query(None);
    } else {
        url.query_pairs_mut().clear().extend_pairs(kept);
    }
}

impl Fill {
    /// A template as text; none where it needs a cursor and there is none yet.
    fn text(&self, template: &Template) -> Result<Option<String>> {
        self.filled(template, |value| value.to_owned())
    }

    /// The URL where the path is nothing but one field of the parent that holds one (`path: "{resources.items.url}"`): a
    /// link that the API gives, and checked like one.
    fn whole_url(&self, template: &Template) -> Option<&str> {
        let [part] = template.parts.as_slice() else { return None };
        self.parent.get(self.place(part)?)?.as_str().filter(|value| is_url(value))
    }

    /// Where the value of a part is in `parent`.
    fn place(&self, part: &Part) -> Option<usize> {
        match part {
            Part::Parent(index) | Part::Joined(index, _) => Some(*index),
            Part::Each(index) => Some(self.own + index),
            Part::Text(_) | Part::CursorStart | Part::CursorEnd | Part::CursorInitial | Part::Page(_) => None,
        }
    }

    /// A path: values are encoded, so that they cannot change it.
    fn path(&self, template: &Template) -> Result<String> {
        for part in &template.parts {
            // `customers//orders` would be another path.
            if let Some(place) = self.place(part)
                && self.parent_text(place)?.is_empty()
            {
                let whose = if matches!(part, Part::Each(_)) {
                    "the item of `for_each`"
                } else {
                    "the parent record"
                };
                return Err(wrong(format!("{whose} has an empty value for a placeholder of the path")));
            }
        }
        let filled = self
            .filled(template, segment)?
            .ok_or_else(|| wrong("the path needs a cursor and there is none"))?;
        if filled.split('/').any(|part| part == "." || part == "..") {
            return Err(wrong("a value would lead out of the path").with("path", filled));
        }
        Ok(filled)
    }

    fn filled(&self, template: &Template, encode: impl Fn(&str) -> String) -> Result<Option<String>> {
        let mut filled = String::new();
        for part in &template.parts {
            match part {
                Part::Text(text) => filled.push_str(text.expose()),
                Part::Parent(index) => filled.push_str(&encode(&self.parent_text(*index)?)),
                Part::Joined(index, separator) => filled.push_str(&encode(&self.joined(*index, separator)?)),
                Part::Each(index) => filled.push_str(&encode(&self.parent_text(self.own + index)?)),
                Part::CursorStart | Part::CursorEnd | Part::CursorInitial => match self.cursor(part) {
                    Some(cursor) => filled.push_str(&encode(cursor)),
                    None => return Ok(None),
                },
                Part::Page(value) => match self.page(*value) {
                    Some(serde_json::Value::String(text)) => filled.push_str(&encode(&text)),
                    Some(other) => filled.push_str(&encode(&other.to_string())),
                    None => return Ok(None),
                },
            }
        }
        Ok(Some(filled))
    }

    /// What is said of the page.
    fn page(&self, value: PageValue) -> Option<serde_json::Value> {
        let page = self.page.as_ref()?;
        match value {
            PageValue::Limit => page.limit.map(Into::into),
            PageValue::Offset | PageValue::Page | PageValue::Cursor => page.token.clone(),
        }
    }

    fn cursor(&self, part: &Part) -> Option<&str> {
        match part {
            Part::CursorStart => self.start.as_deref(),
            Part::CursorEnd => self.end.as_deref(),
            Part::CursorInitial => self.initial.as_deref(),
            Part::Text(_) | Part::Parent(_) | Part::Joined(..) | Part::Each(_) | Part::Page(_) => None,
        }
    }

    /// The values of a batch in one text. A value that holds what stands between them could be taken for two.
    fn joined(&self, index: usize, separator: &str) -> Result<String> {
        let values = self.parent.get(index).and_then(serde_json::Value::as_array);
        let values = values.ok_or_else(|| wrong("a batch has no values"))?;
        let texts: Vec<String> = values
            .iter()
            .map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned))
            .collect();
        if let Some(text) = texts.iter().find(|text| text.contains(separator)) {
            return Err(wrong("a value of the parent holds the separator of its batch")
                .with("path", text)
                .with("limit", format!("separator: {separator}"))
                .hint("choose another `separator`, or send the values as a list in `json`"));
        }
        Ok(texts.join(separator))
    }

    fn parent_text(&self, index: usize) -> Result<String> {
        match self.parent.get(index) {
            Some(serde_json::Value::String(text)) => Ok(text.clone()),
            Some(serde_json::Value::Null) | None => {
                Err(wrong("the parent record has no value for a placeholder"))
            }
            Some(other) => Ok(other.to_string()),
        }
    }

    pub(super) fn json(&self, template: &JsonTemplate) -> Result<serde_json::Value> {
        Ok(match template {
            JsonTemplate::Literal(value) => value.clone(),
            JsonTemplate::Text(template) => match template.parts.as_slice() {
                [Part::Parent(index)] => self.parent.get(*index).cloned().unwrap_or_default(),
                [Part::Each(index)] => self.parent.get(self.own + index).cloned().unwrap_or_default(),
                [Part::Page(value)] => self.page(*value).unwrap_or_default(),
                [part @ (Part::CursorStart | Part::CursorEnd | Part::CursorInitial)] => {
                    match self.cursor(part) {
                        Some(text) => text.parse::<i64>().map_or_else(|_| text.into(), Into::into),
                        None => serde_json::Value::Null,
                    }
                }
                _ => self.text(template)?.into(),
            },
            JsonTemplate::List(items) => {
                serde_json::Value::Array(items.iter().map(|item| self.json(item)).collect::<Result<_>>()?)
            }
            JsonTemplate::Map(entries) => {
                let filled = entries.iter().map(|(key, value)| Ok((key.clone(), self.json(value)?)));
                serde_json::Value::Object(filled.collect::<Result<_>>()?)
            }
        })
    }
}

/// A value as one segment of a path: everything but unreserved characters is encoded.
fn segment(value: &str) -> String {
    let mut encoded = String::with_capacity(value.len());
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric()
            || matches!(byte, b'-' | b'_' | b'.' | b'~' | b':' | b'@' | b'$' | b'!' | b',')
        {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

/// A URL for people: without user, password and the values of its query.
pub(super) fn shown(url: &Url) -> String {
    let mut shown = url.clone();
    // Both can fail only for URLs without a host, which have no user.
    if shown.set_username("").is_err() || shown.set_password(None).is_err() {
        return url.scheme().to_owned();
    }
    let names: Vec<String> = url.query_pairs().map(|(name, _)| format!("{name}=…")).collect();
    shown.set_query(None);
    shown.set_fragment(None);
    if names.is_empty() { shown.to_string() } else { format!("{shown}?{}", names.join("&")) }
}

/// A value for people; a URL without what it may hold of secrets.
pub(super) fn shown_value(value: &serde_json::Value) -> String {
    match value.as_str() {
        Some(text) => Url::parse(text).map_or_else(|_| text.to_owned(), |url| shown(&url)),
        None => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_appended_to_the_base() {
        let base = Url::parse("https://api.example.com/v1/").unwrap();
        for (path, url) in [
            ("/customers", "https://api.example.com/v1/customers"),
            ("customers/x", "https://api.example.com/v1/customers/x"),
            ("", "https://api.example.com/v1"),
            ("https://other.example.com/a", "https://other.example.com/a"),
        ] {
            assert_eq!(join(&base, path).unwrap().as_str(), url);
        }
    }

    #[test]
    fn a_value_cannot_change_the_path() {
        let template =
            Template { parts: vec![Part::Text(crate::plan::Text::Plain("x/".to_owned())), Part::Parent(0)] };
        let path = |value: &str| Fill { parent: vec![value.into()], ..Fill::default() }.path(&template);
        assert_eq!(path("a b/c?d#e%").unwrap(), "x/a%20b%2Fc%3Fd%23e%25");
        assert_eq!(path("../admin").unwrap(), "x/..%2Fadmin");
        assert!(path("..").is_err());
        assert!(path("").is_err());
        assert!(Fill { parent: vec![serde_json::Value::Null], ..Fill::default() }.path(&template).is_err());
    }

    #[test]
    fn a_shown_url_has_no_values() {
        let url = Url::parse("https://u:p@api.example.com/v1?api_key=sk_1&limit=5").unwrap();
        assert_eq!(shown(&url), "https://api.example.com/v1?api_key=…&limit=…");
    }

    #[test]
    fn no_header_is_smuggled_in() {
        assert!(header("X-A", "a\r\nX-B: c").is_err());
    }
}
