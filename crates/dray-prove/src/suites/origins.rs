//! R10: an API that leads elsewhere, by every way that there is, with every kind of credential.

use dray_sim::{Api, Options, Request, Response, Sim};
use serde_json::{Value, json};

use crate::credentials::{ALL, Credential, found, token_answer};
use crate::load::{Folder, failure};
use crate::secure::Secure;
use crate::suite::{Bench, Outcome, Suite};
use crate::trap::Trap;

/// The suite.
pub(super) const SUITE: Suite = Suite {
    id: "R10",
    name: "credentials and origins",
    criterion: "no byte of a credential reaches another origin, and the run says where the API led",
    dlt: "10 of 11 ways that were tried leak; only a bearer token on a redirect stays",
    run,
};

/// How an API leads away from itself.
#[derive(Clone, Copy, Debug)]
struct Way {
    name: &'static str,
    leads: Leads,
    /// `TRAP` is the trap's port, `API` the API's own.
    target: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Leads {
    NextInBody,
    NextInHeader,
    Redirect(u16),
    ParentField,
    /// As `NextInBody`, from an API over TLS.
    FromHttps,
}

const WAYS: &[Way] = &[
    way("next link in the body", Leads::NextInBody, "http://127.0.0.1:TRAP/steal?page=2"),
    way("next link in a header", Leads::NextInHeader, "http://127.0.0.1:TRAP/steal"),
    way("redirect 302", Leads::Redirect(302), "http://127.0.0.1:TRAP/steal"),
    way("redirect 307, body and all", Leads::Redirect(307), "http://127.0.0.1:TRAP/steal"),
    way("path that is a parent's URL", Leads::ParentField, "http://127.0.0.1:TRAP/steal"),
    way("https to http", Leads::FromHttps, "http://127.0.0.1:TRAP/steal"),
    way("another name of the machine", Leads::NextInBody, "http://localhost:TRAP/steal"),
    way("the API's name as a user", Leads::NextInBody, "http://127.0.0.1:API@127.0.0.1:TRAP/steal"),
    way("link without a scheme", Leads::NextInBody, "//127.0.0.1:TRAP/steal"),
    way("link with backslashes", Leads::NextInBody, "http:\\\\127.0.0.1:TRAP\\steal"),
    way("redirect to another name", Leads::Redirect(301), "http://localhost:TRAP/steal"),
    way("port of a parent's URL", Leads::ParentField, "http://localhost:TRAP/steal"),
];

const fn way(name: &'static str, leads: Leads, target: &'static str) -> Way {
    Way { name, leads, target }
}

fn run(bench: &Bench) -> Outcome {
    let mut outcome = Outcome::default();
    let mut bytes = 0;
    let mut shown = 0;
    for (number, credential) in ALL.iter().enumerate() {
        // A share takes each kind and each way at least once.
        let ways = WAYS.iter().enumerate().filter(|(at, _)| bench.of(at % ALL.len(), number) == number);
        for (_, way) in ways {
            let result = leak(credential, *way, false).and_then(|seen| {
                bytes += seen.len();
                seen.is_empty()
                    .then_some(())
                    .ok_or_else(|| format!("{} bytes arrived at the other origin", seen.len()))
            });
            outcome.case(format!("{} by {}", credential.name, way.name), result);
        }
        if bench.of(number % 3, 0) == 0 {
            // A trap that sees nothing proves nothing: where the origin is allowed, the credential must be there.
            let result =
                WAYS.first().ok_or_else(|| "no way".to_owned()).and_then(|way| control(credential, way));
            shown += usize::from(result.is_ok());
            outcome.case(format!("{} to an allowed origin", credential.name), result);
        }
    }
    outcome.figure("kinds of credentials", ALL.len());
    outcome.figure("ways out", WAYS.len());
    outcome.figure("bytes at the other origin", bytes);
    outcome.figure("credentials seen where the origin is allowed", shown);
    outcome
}

/// The trap gets what the API gets, and nothing that is for the token endpoint.
fn control(credential: &Credential, way: &Way) -> Result<(), String> {
    let seen = leak(credential, *way, true)?;
    // Parameters belong to the first page; a link carries its own.
    if credential.name != "a parameter" {
        found(&seen, credential.sent()).ok_or("the credential did not arrive, though it may")?;
    }
    if credential.for_tokens {
        for (name, secret) in credential.secrets {
            if let Some(how) = found(&seen, secret) {
                return Err(format!("{name} went beyond the token endpoint, as {how}"));
            }
        }
    }
    Ok(())
}

/// Runs against an API that leads to a trap, and gives what the trap saw.
fn leak(credential: &Credential, way: Way, allowed: bool) -> Result<Vec<u8>, String> {
    let trap = Trap::start().map_err(|error| error.to_string())?;
    let folder = Folder::new().map_err(|error| error.to_string())?;
    let port = trap.port();
    let target = move |own: &str| way_target(way.target, port, own);
    let leads = way.leads;
    let answer = move |request: &Request| {
        if request.path == "/token" {
            return token_answer(request);
        }
        let own = request.header("host").and_then(|host| host.rsplit(':').next()).unwrap_or_default();
        leading(leads, &request.path, &target(own))
    };
    let sim = Sim::start(Options { api: Api::custom(answer), ..Options::default() });
    let sim = sim.map_err(|error| error.to_string())?;
    let link = way_target(way.target, port, "0");
    let secure = Secure::start(move |_| json!({"data": [{"id": 1}], "next": link}).to_string());
    let secure = secure.map_err(|error| error.to_string())?;
    let token_url = format!("{}/token", sim.origin());
    let (origin, tls) = match way.leads {
        Leads::FromHttps => {
            let file = folder.path().join("authority.pem");
            std::fs::write(&file, secure.authority()).map_err(|error| error.to_string())?;
            (secure.origin(), format!(", tls: {{ca_file: \"{}\"}}", file.display()))
        }
        _ => (sim.origin().to_owned(), String::new()),
    };
    let origins = if allowed { format!(", allowed_origins: [\"{}\"]", trap.origin()) } else { String::new() };
    let config = format!(
        "client: {{{}{tls}{origins}}}\nresources:\n{}",
        credential.client(&origin, &token_url),
        resources(credential, way.leads)
    );
    let ended = folder.load(&config, credential.secrets);
    let seen = trap.bytes();
    match failure(&ended) {
        None if allowed => Ok(seen),
        None => Err("the run says that it succeeded".to_owned()),
        Some(error) if allowed => Err(format!("the run failed: {error}")),
        Some(error) => {
            let says = if way.leads == Leads::FromHttps {
                error.contains("from https to http")
            } else {
                error.contains("another origin") && error.contains("client.allowed_origins")
            };
            (says && error.contains("things"))
                .then_some(seen)
                .ok_or_else(|| format!("it is not said why: {error}"))
        }
    }
}

fn way_target(target: &str, trap: u16, own: &str) -> String {
    target.replace("TRAP", &trap.to_string()).replace("API", own)
}

fn resources(credential: &Credential, leads: Leads) -> String {
    let paginator = match leads {
        Leads::NextInBody | Leads::FromHttps => "paginator: {type: json_link, next_url_path: next}",
        Leads::NextInHeader => "paginator: header_link",
        Leads::Redirect(_) | Leads::ParentField => "paginator: single_page",
    };
    if leads == Leads::ParentField {
        return format!(
            "  - {{name: lists, endpoint: {{path: lists, data_selector: data, paginator: single_page}}}}\n  \
             - {{name: things, endpoint: {{path: \"{{resources.lists.lines.url}}\", data_selector: data{}}}}}",
            credential.endpoint(paginator)
        );
    }
    format!(
        "  - {{name: things, endpoint: {{path: things, data_selector: data{}}}}}",
        credential.endpoint(paginator)
    )
}

/// The API's answer: a page, and where it goes on.
fn leading(leads: Leads, path: &str, target: &str) -> Response {
    let page = |more: Value| {
        let mut page = json!({"data": [{"id": 1, "lines": {"url": target}}]});
        if let (Some(page), Value::Object(more)) = (page.as_object_mut(), more) {
            page.extend(more);
        }
        Response::json(&page)
    };
    match leads {
        Leads::NextInBody | Leads::FromHttps => page(json!({"next": target})),
        Leads::NextInHeader => page(json!({})).with_header("link", format!("<{target}>; rel=\"next\"")),
        Leads::Redirect(status) if path == "/things" => {
            Response::status(status).with_header("location", target)
        }
        Leads::Redirect(_) | Leads::ParentField => page(json!({})),
    }
}
