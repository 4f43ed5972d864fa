//! The request for a token, and what its answer says.

use std::time::Duration;

use http::{HeaderValue, header};
use jiff::Timestamp;

use super::basic;
use crate::error::{Error, ErrorKind, Result};
use crate::extract::client::Answer;
use crate::extract::request::{Fill, Request, header};
use crate::extract::session::Session;
use crate::json::{Document, Path};
use crate::plan::{Grant, TokenBody, TokenPlan, TokenSource};
use crate::secret::{Secret, is_secret_name};
use crate::timestamp;

/// Longest life of a token that is believed; nobody runs for a year, and clocks have an end.
const LONGEST_LIFE: Duration = Duration::from_secs(365 * 24 * 3600);

/// Numbers beyond this are milliseconds since 1970: as seconds they would be the year 5138.
const MILLIS: f64 = 1e11;

/// What a token endpoint gave.
#[derive(Debug)]
pub(super) struct Given {
    pub(super) token: Secret,
    /// How long the token lives from the request on.
    pub(super) life: Duration,
    /// The refresh token for the next time, if it says one.
    pub(super) refresh: Option<Secret>,
}

/// The request that asks for a token.
pub(super) fn request(plan: &TokenPlan, refresh: Option<&Secret>) -> Result<Request> {
    const REFRESH_TOKEN: &str = "refresh_token";
    let mut headers = vec![(header::ACCEPT, HeaderValue::from_static("application/json"))];
    let body = match &plan.request.body {
        TokenBody::Empty => None,
        TokenBody::Form(fields) => {
            headers
                .push((header::CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded")));
            let mut form = url::form_urlencoded::Serializer::new(String::new());
            form.extend_pairs(fields.iter().map(|(name, value)| (name, value.expose())));
            form.extend_pairs(refresh.map(|token| (REFRESH_TOKEN, token.expose())));
            Some(form.finish().into_bytes())
        }
        TokenBody::Json(template) => {
            headers.push((header::CONTENT_TYPE, HeaderValue::from_static("application/json")));
            let mut json = Fill::default().json(template)?;
            if let (Some(token), Some(object)) = (refresh, json.as_object_mut()) {
                object.insert(REFRESH_TOKEN.to_owned(), token.expose().into());
            }
            Some(json.to_string().into_bytes())
        }
    };
    if let Some((id, secret)) = &plan.request.basic {
        headers.push((header::AUTHORIZATION, basic(id, secret)?));
    }
    for (name, value) in &plan.request.headers {
        let own = header(name, value.expose())?;
        headers.retain(|(known, _)| *known != own.0);
        headers.push(own);
    }
    Ok(Request { method: plan.request.method, url: plan.request.url.clone(), headers, body, line: 0 })
}

/// What the answer gives, or why it gives no token.
pub(super) fn given(plan: &TokenPlan, answer: Answer, session: &Session) -> Result<Given> {
    let status = answer.status;
    let refused = |message: &str| Error::new(ErrorKind::Auth, message).with("status", status.as_u16());
    let login = plan.grant == Grant::Login;
    let headers = answer.headers;
    let begins = session.begins(&answer.body);
    let document = Document::parse(answer.body);
    let text = |path: &Path| {
        let document = document.as_ref().ok()?;
        let found = path.first(document, document.root())?;
        document.scalar(found).map(std::borrow::Cow::into_owned)
    };
    // Zoho answers errors with 200 (apis.md §3.3); what `error` is in a login's answer nobody knows.
    if !login && let Some(error) = text(&Path::key("error")) {
        let detail = text(&Path::key("error_description")).unwrap_or_default();
        return Err(refused("the token endpoint refuses")
            .with("body", session.scrubbed(format!("{error} {detail}").trim_end()))
            .hint(
                "check client id, client secret and refresh token, and that they belong to this token URL; some \
                 endpoints want them as `token_request: {auth: basic}` or `{body: json}`",
            ));
    }
    if !status.is_success() {
        let what = if login { "the login is refused" } else { "the token endpoint refuses" };
        let error = refused(what).hint("check the credentials, and that they belong to this address");
        return Err(if begins.is_empty() { error } else { error.with("body", begins) });
    }
    let in_body = matches!(plan.token, TokenSource::Body(_));
    if in_body && let Err(error) = &document {
        return Err(refused("the token endpoint's answer is not JSON").with("body", error));
    }
    let (token, place) = match &plan.token {
        TokenSource::Body(path) => (text(path), format!("`{path}`")),
        TokenSource::Header(name) => {
            let value = headers.get(name.as_str()).and_then(|value| value.to_str().ok());
            (value.map(|value| value.trim().to_owned()), format!("the header `{name}`"))
        }
        TokenSource::Cookie(name) => {
            let set = headers.get_all(header::SET_COOKIE).iter().filter_map(|value| value.to_str().ok());
            (set.filter_map(|set| cookie(set, name)).next(), format!("the cookie `{name}`"))
        }
    };
    let Some(token) = token.filter(|token| !token.is_empty()) else {
        let message = "the token endpoint's answer has no access token";
        let error = refused(message).with("path", &place);
        return Err(if login {
            error.hint("check `token_path`, `token_header` or `token_cookie`, and what the login answers")
        } else {
            error
        });
    };
    let within = plan.expiry.within.as_ref().and_then(&text).and_then(|text| text.parse::<f64>().ok());
    let until =
        plan.expiry.at.as_ref().and_then(&text).and_then(|text| seconds_until(&text, session.env.now()));
    let life = within
        .or(until)
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .unwrap_or(plan.expiry.default)
        .min(LONGEST_LIFE);
    if let Ok(document) = &document {
        hide(&document.value(document.root()), session);
    }
    let refresh = plan.refresh.is_some().then(|| text(&Path::key("refresh_token"))).flatten();
    let given = Given { token: Secret::new(token), life, refresh: refresh.map(Secret::new) };
    for secret in given.refresh.iter().chain([&given.token]) {
        session.keep_secret(secret);
    }
    Ok(given)
}

/// Makes every text known that the answer gives under the name of a secret: an API may repeat them.
fn hide(value: &serde_json::Value, session: &Session) {
    match value {
        serde_json::Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    serde_json::Value::String(text) if is_secret_name(name) => {
                        session.keep_secret(&Secret::new(text.as_str()));
                    }
                    other => hide(other, session),
                }
            }
        }
        serde_json::Value::Array(items) => items.iter().for_each(|item| hide(item, session)),
        _ => {}
    }
}

/// The value of the cookie of this name, if that is the one set.
fn cookie(set: &str, name: &str) -> Option<String> {
    let (own, value) = set.split(';').next()?.split_once('=')?;
    (own.trim() == name).then(|| value.trim().trim_matches('"').to_owned())
}

/// Seconds from now to a moment: a timestamp, or seconds or milliseconds since 1970.
#[expect(clippy::cast_precision_loss, reason = "a token's life needs no microseconds")]
fn seconds_until(text: &str, now: Timestamp) -> Option<f64> {
    let text = text.trim();
    let at = match text.parse::<f64>() {
        Ok(number) if number >= MILLIS => number / 1e3,
        Ok(number) => number,
        Err(_) => timestamp::parse(text.as_bytes())? as f64 / 1e6,
    };
    Some((at - now.as_millisecond() as f64 / 1e3).max(0.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_token_is_written_in_many_ways() {
        let now: Timestamp = "2024-05-01T00:00:00Z".parse().unwrap();
        for (text, seconds) in [
            ("2024-05-01T01:00:00Z", 3600.0),
            ("2024-05-01T02:00:00.500+01:00", 3600.5),
            ("1714525200", 3600.0),
            ("1714525200000", 3600.0),
            ("2024-04-30T00:00:00Z", 0.0),
        ] {
            assert_eq!(seconds_until(text, now), Some(seconds), "{text}");
        }
        assert_eq!(seconds_until("soon", now), None);
    }

    #[test]
    fn a_cookie_is_what_is_set_before_its_attributes() {
        assert_eq!(cookie("sid=\"a=b\"; Path=/; HttpOnly", "sid").as_deref(), Some("a=b"));
        assert_eq!(cookie("other=1; sid=2", "sid"), None);
    }
}
