//! Credentials stay with the origins they were configured for, and in no text.

use dray::error::ErrorKind;
use dray_sim::{Fault, Response, Sim};
use serde_json::json;

use crate::support::{Told, asked, plan, read, records, script, things};

const KEY: &str = "swordfish-4242";
const AUTH: &str = "auth: {token: \"${secrets.key}\"}";
const KEY_IN_QUERY: &str =
    "auth: {type: api_key, name: api_key, api_key: \"${secrets.key}\", location: query}";
const THINGS: &str = "  - {name: things, endpoint: {path: things, data_selector: data}}";

/// Another server, which gives a page to everybody.
fn elsewhere() -> Sim {
    script(|_| Response::json(&json!({"data": records(10..12), "access_token": "stolen", "next": null})))
}

/// An API that leads to `link` on its first page.
fn leading_to(link: String) -> Sim {
    script(move |_| Response::json(&json!({"data": records(0..2), "next": link})))
}

#[test]
fn a_redirect_to_another_origin_is_refused_before_it_is_followed() {
    let other = elsewhere();
    for client in [AUTH, KEY_IN_QUERY] {
        let sim = elsewhere();
        sim.fault(Fault::redirect(format!("{}steal", other.base_url())).always());
        let told = things(plan(&sim, client, THINGS));
        told.failed(ErrorKind::Request, "another origin");
        told.failed(ErrorKind::Request, "client.allowed_origins");
        assert_eq!(sim.requests().len(), 1);
    }
    assert!(other.requests().is_empty());
}

#[test]
fn a_link_to_another_origin_is_refused_before_it_is_followed() {
    let other = elsewhere();
    let sim = leading_to(format!("{}steal", other.base_url()));
    let told = things(plan(&sim, AUTH, THINGS));
    told.failed(ErrorKind::Request, "another origin");
    let header = script({
        let link = format!("<{}steal>; rel=next", other.base_url());
        move |_| Response::json(&records(0..2)).with_header("link", link.clone())
    });
    let resource = "  - {name: things, endpoint: {path: things, paginator: header_link}}";
    things(plan(&header, AUTH, resource)).failed(ErrorKind::Request, "another origin");
    assert!(other.requests().is_empty());
}

#[test]
fn an_allowed_origin_is_followed_with_credentials() {
    let other = elsewhere();
    let client = format!("{AUTH}, allowed_origins: [\"{}\"]", other.origin());
    let told = things(plan(&leading_to(format!("{}more", other.base_url())), &client, THINGS));
    assert_eq!(told.ids(), [0, 1, 10, 11]);
    let sim = elsewhere();
    sim.fault(Fault::redirect(format!("{}moved", other.base_url())));
    assert_eq!(things(plan(&sim, &client, THINGS)).ids(), [10, 11]);
    let paths: Vec<_> = other.requests().iter().map(|request| request.path.clone()).collect();
    assert_eq!(paths, ["/more", "/moved"]);
    for request in other.requests() {
        assert_eq!(request.header("authorization"), Some(format!("Bearer {KEY}").as_str()));
    }
}

#[test]
fn a_redirect_within_the_api_is_followed_and_circles_are_not() {
    let sim = elsewhere();
    sim.fault(Fault::redirect("/moved?a=1").on("/things"));
    assert_eq!(things(plan(&sim, KEY_IN_QUERY, THINGS)).ids(), [10, 11]);
    let moved = asked(&sim, "/moved").remove(0);
    assert_eq!((moved.param("a"), moved.param("api_key")), (Some("1"), Some(KEY)));
    let sim = elsewhere();
    sim.fault(Fault::redirect("/things").always());
    let told = things(plan(&sim, AUTH, THINGS));
    told.failed(ErrorKind::Request, "in circles");
    // The first, and ten that were followed.
    assert_eq!(told.requests, 11);
}

#[test]
fn a_token_endpoint_that_redirects_elsewhere_takes_no_secret_along() {
    let other = elsewhere();
    let sim = elsewhere();
    let to = format!("{}token", other.base_url());
    let redirect = Response::status(307).with_header("location", to);
    sim.fault(Fault::respond(redirect).on("/token").always());
    // Even to an origin that may have the API's credentials.
    let client = format!(
        "allowed_origins: [\"{}\"], auth: {{type: oauth2_client_credentials, access_token_url: \"{}token\", \
         client_id: me, client_secret: \"${{secrets.key}}\"}}",
        other.origin(),
        sim.base_url()
    );
    let told = things(plan(&sim, &client, THINGS));
    told.failed(ErrorKind::Request, "token endpoint redirects");
    assert!(other.requests().is_empty());
}

/// Everything that could be printed of a failure.
fn shown(told: &Told) -> String {
    let error = told.error();
    format!("{error}\n{error:?}\n{}\n{}", error.chain(), error.advice().unwrap_or_default())
}

#[test]
fn a_key_in_the_query_is_in_no_error() {
    let echo = || {
        script(|request| {
            let query: Vec<_> = request.query.iter().map(|(name, value)| format!("{name}={value}")).collect();
            let body = json!({"error": format!("no such page: {}?{}", request.path, query.join("&"))});
            Response::status(400).with_json(&body)
        })
    };
    let faults = [
        None,
        Some(Fault::status(404)),
        Some(Fault::status(401)),
        Some(Fault::status(503)),
        Some(Fault::closed()),
        Some(Fault::truncated()),
        Some(Fault::html()),
        Some(Fault::empty()),
        Some(Fault::redirect(format!("http://127.0.0.1:9/x?api_key={KEY}"))),
        Some(Fault::redirect(format!("/things?api_key={KEY}"))),
        Some(Fault::respond(Response::json(&json!({"data": [], "next": format!("http://x:y/?k={KEY}")})))),
    ];
    for fault in faults {
        let sim = echo();
        if let Some(fault) = fault {
            sim.fault(fault.always());
        }
        let resource =
            "  - {name: things, endpoint: {path: things, data_selector: data, paginator: json_link}}";
        let told = things(plan(&sim, KEY_IN_QUERY, resource));
        assert_eq!(sim.requests()[0].param("api_key"), Some(KEY));
        let shown = shown(&told);
        assert!(!shown.contains("swordfish"), "{shown}");
    }
}

#[test]
fn a_token_that_the_api_repeats_is_in_no_error() {
    let sim = script(|request| {
        if request.path == "/token" {
            return Response::json(&json!({"access_token": "fetched-token-77"}));
        }
        let said = request.header("authorization").unwrap().to_owned();
        Response::status(403).with_json(&json!({"message": format!("not allowed with {said}")}))
    });
    let client = format!(
        "auth: {{type: oauth2_client_credentials, access_token_url: \"{}token\", client_id: me, \
         client_secret: \"${{secrets.key}}\"}}",
        sim.base_url()
    );
    let told = things(plan(&sim, &client, THINGS));
    told.failed(ErrorKind::Auth, "not allowed with");
    let shown = shown(&told);
    assert!(!shown.contains("fetched-token-77"), "{shown}");
}

#[test]
fn a_key_in_the_query_follows_links_without_being_in_them() {
    let sim = script(|request| {
        assert_eq!(request.query.iter().filter(|(name, _)| name == "api_key").count(), 1);
        let page = request.param("page").map_or(1, |page| page.parse::<u64>().unwrap());
        // An API that repeats the whole query in its links.
        let next = format!("/things?api_key={KEY}&page={}", page + 1);
        Response::json(&json!({"data": records(page..page + 1), "next": (page < 3).then_some(next)}))
    });
    assert_eq!(things(plan(&sim, KEY_IN_QUERY, THINGS)).ids(), [1, 2, 3]);
}

#[test]
fn a_parent_value_cannot_change_the_path() {
    for (id, path) in [
        (json!("../admin"), "/parents/..%2Fadmin/children"),
        (json!("../../admin?"), "/parents/..%2F..%2Fadmin%3F/children"),
        (json!("x?admin=1"), "/parents/x%3Fadmin%3D1/children"),
        (json!("x#y"), "/parents/x%23y/children"),
        (json!("%2e%2e"), "/parents/%252e%252e/children"),
        (json!("\\..\\admin"), "/parents/%5C..%5Cadmin/children"),
        (json!(17), "/parents/17/children"),
    ] {
        let sim = script(move |request| match request.path.as_str() {
            "/parents" => Response::json(&json!([{ "id": id }])),
            _ => Response::json(&json!([{"id": 1}])),
        });
        let told = read(plan(&sim, AUTH, FAMILY));
        assert_eq!(told["children"].ids(), [1]);
        let requests = sim.requests();
        assert_eq!((requests[1].path.as_str(), requests[1].query.len()), (path, 0));
    }
    for id in ["..", "."] {
        let sim = script(move |request| match request.path.as_str() {
            "/parents" => Response::json(&json!([{ "id": id }])),
            _ => Response::json(&json!([{"id": 1}])),
        });
        let told = read(plan(&sim, AUTH, FAMILY));
        told["children"].failed(ErrorKind::Request, "out of the path");
        assert_eq!(sim.requests().len(), 1);
    }
}

const FAMILY: &str = "  - {name: parents, endpoint: {path: parents, data_selector: $, paginator: single_page}}\n  \
    - {name: children, endpoint: {path: \"parents/{resources.parents.id}/children\", data_selector: $, \
    paginator: single_page}}";

/// A child whose whole path is a field of its parent.
const LINKED: &str = "  - {name: parents, endpoint: {path: parents, data_selector: $, paginator: single_page}}\n  \
    - {name: children, endpoint: {path: \"{resources.parents.url}\", data_selector: $, paginator: single_page}}";

/// What the child of a parent with this `url` told.
fn linked(sim: &Sim, client: &str) -> Told {
    read(plan(sim, client, LINKED)).remove("children").unwrap()
}

fn parent_at(url: impl Fn(&str) -> String + Send + Sync + 'static) -> Sim {
    script(move |request| match request.path.as_str() {
        "/parents" => Response::json(&json!([{ "url": url(request.header("host").unwrap()) }])),
        _ => Response::json(&records(5..6)),
    })
}

#[test]
fn a_parent_value_that_is_a_url_goes_nowhere_else() {
    let other = elsewhere();
    let steal = format!("{}steal", other.base_url());
    let sim = parent_at(move |_| steal.clone());
    let told = linked(&sim, AUTH);
    told.failed(ErrorKind::Request, "another origin");
    told.failed(ErrorKind::Request, "client.allowed_origins");
    assert!(other.requests().is_empty());
    assert_eq!(sim.requests().len(), 1);
}

#[test]
fn a_parent_value_that_is_a_url_of_the_api_is_followed() {
    let sim = parent_at(|host| format!("http://{host}/things/5?full=1"));
    assert_eq!(linked(&sim, AUTH).ids(), [5]);
    let asked = asked(&sim, "/things/5").remove(0);
    assert_eq!((asked.param("full"), asked.header("authorization").is_some()), (Some("1"), true));
    // Anything but a whole URL stays one segment.
    let sim = parent_at(|host| format!("//{host}/things/5"));
    linked(&sim, AUTH);
    assert!(sim.requests()[1].path.starts_with("/%2F%2F"), "{:?}", sim.requests()[1].path);
}

#[test]
fn a_user_in_a_link_is_dropped() {
    for link in ["http://me:other-password@HOST/more", "/more"] {
        let sim = script(move |request| {
            let next = link.replace("HOST", request.header("host").unwrap());
            let last = request.path == "/more";
            Response::json(&json!({"data": records(0..1), "next": (!last).then_some(next)}))
        });
        assert_eq!(things(plan(&sim, AUTH, THINGS)).ids(), [0, 0]);
        let more = asked(&sim, "/more").remove(0);
        let sent: Vec<_> = more.headers.iter().filter(|(name, _)| name == "authorization").collect();
        assert_eq!(sent.len(), 1, "{link}");
        assert_eq!(sent[0].1, format!("Bearer {KEY}"));
    }
}

#[test]
fn no_link_leads_to_the_machines_own_network() {
    for host in
        ["169.254.169.254", "2852039166", "[fd00:ec2::254]", "[::ffff:169.254.169.254]", "100.100.100.200"]
    {
        let told = things(plan(&leading_to(format!("http://{host}/latest/meta-data/")), AUTH, THINGS));
        told.failed(ErrorKind::Request, "this machine's own network");
    }
    for link in ["ftp://127.0.0.1/x", "file:///etc/passwd", "data:application/json,[]"] {
        let told = things(plan(&leading_to(link.to_owned()), AUTH, THINGS));
        told.failed(ErrorKind::Request, "neither http nor https");
    }
}

#[test]
fn other_names_and_ports_of_the_same_machine_are_other_origins() {
    let sim = elsewhere();
    let port = sim.origin().rsplit(':').next().unwrap().to_owned();
    for link in [
        format!("http://localhost:{port}/x"),
        format!("http://127.0.0.2:{port}/x"),
        "http://127.0.0.1:9/x".to_owned(),
    ] {
        things(plan(&leading_to(link), AUTH, THINGS)).failed(ErrorKind::Request, "another origin");
    }
}

#[test]
fn a_secret_at_the_edge_of_what_is_shown_is_hidden_too() {
    // 2048 bytes are shown: the secret lies across that edge.
    for before in 2030..2050 {
        let body = format!("{}{KEY}", "x".repeat(before));
        let sim = script(move |_| Response::status(400).with_body(body.clone()));
        let shown = shown(&things(plan(&sim, AUTH, THINGS)));
        assert!(!shown.contains("swo"), "{before}: {shown}");
    }
}
