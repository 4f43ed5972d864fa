//! R11: values from an API that try to be more than values: in paths, parameters, headers, bodies and cursors.

use dray_sim::{Api, Options, Request, Response, Sim};
use serde_json::json;

use crate::read::read;
use crate::suite::{Bench, Outcome, Suite};

/// The suite.
pub(super) const SUITE: Suite = Suite {
    id: "R11",
    name: "hostile values in requests",
    criterion: "a request has the shape of its template, and the value in its place; else a clear error and no request",
    dlt: "4 of 6 ids change the URL (`..`, `?`, `#`, `/`); encoded ones and line breaks are safe",
    run,
};

/// Values that change a URL, a header or a body where nobody encodes them.
const HOSTILE: &[&str] = &[
    "plain-7",
    "..",
    ".",
    "../admin",
    "../../admin/secret",
    "..\\..\\admin",
    "%2e%2e",
    "%2e%2e%2fadmin",
    "%252e%252e/",
    ".%2e/",
    "/",
    "//evil.example",
    "/admin",
    "a/b",
    "a//b",
    "\\",
    "?",
    "1?admin=true",
    "1&admin=true",
    "1#fragment",
    "#",
    "%",
    "%zz",
    "%00",
    "\u{0}",
    "a\r\nX-Admin: 1",
    "a\nX-Admin: 1",
    "a\rX-Admin: 1",
    "a%0d%0aX-Admin: 1",
    "a HTTP/1.1\r\nHost: evil.example\r\n\r\n",
    "\u{7f}",
    "\t",
    " ",
    "a b+c",
    "\u{202e}txt",
    "\u{ff0e}\u{ff0e}\u{ff0f}admin",
    "\u{1f512}",
    "ﬁ\u{0301}",
    "http://evil.example/x",
    "https:evil.example",
    "javascript:alert(1)",
    "@evil.example",
    ":80",
    ";jsessionid=1",
    "a;b=c,d",
    "{resources.parents.id}",
    "${secrets.key}",
    "'\"<>`|^",
    "\",\"admin\":true,\"x\":\"",
    "x=1&x=2",
    "~!$&'()*+,;=:@",
    "",
];

/// Where the value goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Middle,
    End,
    Beside,
    Whole,
    Parameter,
    Name,
    Header,
    Body,
    Form,
    Cursor,
}

const PLACES: &[Place] = &[
    Place::Middle,
    Place::End,
    Place::Beside,
    Place::Whole,
    Place::Parameter,
    Place::Name,
    Place::Header,
    Place::Body,
    Place::Form,
    Place::Cursor,
];

fn run(bench: &Bench) -> Outcome {
    let mut outcome = Outcome::default();
    let mut refused = 0;
    for (number, value) in HOSTILE.iter().enumerate() {
        for (at, place) in PLACES.iter().enumerate() {
            // A share takes every value once, and the places by turns.
            if bench.of(number % PLACES.len(), at) != at {
                continue;
            }
            let result = tried(*place, value).map(|asked| refused += usize::from(!asked));
            outcome.case(format!("{value:?} in {place:?}"), result);
        }
    }
    outcome.figure("hostile values", HOSTILE.len());
    outcome.figure("places in a request", PLACES.len());
    outcome.figure("refused with a clear error", refused);
    outcome
}

fn endpoint(place: Place) -> &'static str {
    match place {
        Place::Middle => "path: \"items/{resources.parents.id}/detail\"",
        Place::End => "path: \"items/{resources.parents.id}\"",
        Place::Beside => "path: \"items/{resources.parents.id}.json\"",
        Place::Whole => "path: \"{resources.parents.id}\"",
        Place::Parameter => "path: items, params: {q: \"{resources.parents.id}\"}",
        Place::Name => "path: items, params: {\"f[{resources.parents.id}]\": 1}",
        Place::Header => "path: items, headers: {X-Value: \"{resources.parents.id}\"}",
        Place::Body => "path: items, method: POST, json: {q: \"<{resources.parents.id}>\"}",
        Place::Form => "path: items, method: POST, data: {q: \"{resources.parents.id}\"}",
        Place::Cursor => "path: items",
    }
}

/// Whether the request was made; `Err` where it was made wrongly, or not made without a word.
fn tried(place: Place, value: &'static str) -> Result<bool, String> {
    let answer = move |request: &Request| {
        let cursor = (request.param("cursor").is_none() && place == Place::Cursor).then_some(value);
        let data = json!({"data": [{"id": value}], "cursors": {"next": cursor}});
        Response::json(&data)
    };
    let sim = Sim::start(Options { api: Api::custom(answer), ..Options::default() });
    let sim = sim.map_err(|error| error.to_string())?;
    let things = if place == Place::Cursor {
        "  - {name: things, endpoint: {path: items, data_selector: data, paginator: {type: cursor, cursor_param: cursor}}}"
            .to_owned()
    } else {
        format!(
            "  - {{name: parents, endpoint: {{path: parents, data_selector: data, paginator: single_page}}}}\n  \
             - {{name: things, endpoint: {{data_selector: data, paginator: single_page, {}}}}}",
            endpoint(place)
        )
    };
    let config = format!(
        "client: {{base_url: \"{}/v1/\", auth: {{token: secret-token}}, retry: {{max_retries: 0}}}}\nresources:\n{things}",
        sim.origin()
    );
    let ended = read(&config, &[])?;
    let requests = sim.requests();
    let broken = sim.connection_errors();
    if !broken.is_empty() {
        return Err(format!("the server could not read a request: {}", broken.join(", ")));
    }
    // An empty cursor is none: the chain is complete.
    let first = if place == Place::Cursor && value.is_empty() { 0 } else { 1 };
    match (requests.as_slice(), ended.failure()) {
        ([_], Some(error)) => {
            let says = error.contains("things") && error.len() > 40;
            says.then_some(false).ok_or_else(|| format!("it is not said why: {error}"))
        }
        (_, Some(error)) => Err(format!("asked, and failed: {error}")),
        (requests, None) => {
            let [asked] = requests.get(first..).unwrap_or_default() else {
                return Err(format!("{} requests", requests.len()));
            };
            shaped(place, value, asked).map(|()| true)
        }
    }
}

/// The request has the template's shape and the value in its place.
fn shaped(place: Place, value: &str, asked: &Request) -> Result<(), String> {
    let expected: Vec<String> = match place {
        Place::Middle => vec!["items".to_owned(), value.to_owned(), "detail".to_owned()],
        Place::End => vec!["items".to_owned(), value.to_owned()],
        Place::Beside => vec!["items".to_owned(), format!("{value}.json")],
        Place::Whole => vec![value.to_owned()],
        _ => vec!["items".to_owned()],
    };
    let path = asked.path.strip_prefix("/v1/").ok_or_else(|| format!("left the base URL: {}", asked.path))?;
    let segments: Vec<String> = path.split('/').map(decoded).collect();
    let path_is_right = segments == expected && asked.path.bytes().all(|byte| byte.is_ascii_graphic());
    let name = format!("f[{value}]");
    let query: Vec<(&str, &str)> =
        asked.query.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let expected: Vec<(&str, &str)> = match place {
        Place::Parameter => vec![("q", value)],
        Place::Name => vec![(name.as_str(), "1")],
        Place::Cursor if !value.is_empty() => vec![("cursor", value)],
        _ => Vec::new(),
    };
    let rest_is_right = match place {
        // White space around a header's value is not part of it (RFC 9110 §5.5).
        Place::Header => asked.header("x-value") == Some(value.trim_matches([' ', '\t'])),
        Place::Body => asked.json() == Some(json!({"q": format!("<{value}>")})),
        Place::Form => asked.form() == [("q".to_owned(), value.to_owned())],
        _ => asked.body.is_empty(),
    };
    let smuggled = asked.header("x-admin").is_some();
    let right = path_is_right && query == expected && rest_is_right && !smuggled;
    right.then_some(()).ok_or_else(|| {
        let body = String::from_utf8_lossy(&asked.body);
        format!("asked for {} with {query:?}, {:?} and {body:?}", asked.path, asked.header("x-value"))
    })
}

/// A segment as it is meant, decoded independently of what encoded it.
fn decoded(segment: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = segment.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        let digits = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) if *first == b'%' => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            _ => bytes.push(*first),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
