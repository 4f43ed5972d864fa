//! Values that templates make, and parts that `when` leaves out: from the file to the plan.

use crate::config::load::read_text_as;
use crate::config::parse::Format;
use crate::config::secrets::Sources;
use crate::plan::{Plan, explain, prepare};

/// The plan of a file, or its problems, one a line.
pub(super) fn prepared(yaml: &str, environment: &[(&str, &str)]) -> Result<Plan, String> {
    let loaded = read_text_as("shop.yaml".to_owned(), yaml.to_owned(), Format::Yaml).unwrap();
    let mut sources = Sources::new("2024-05-19T22:33:44Z".parse().unwrap());
    for (name, value) in environment {
        sources.environment.insert((*name).to_owned(), (*value).to_owned());
    }
    let prepared = prepare(loaded, &[], &sources);
    prepared.plan.ok_or_else(|| super::rendered(&prepared.diagnostics))
}

const SHOP: &str = "client: {base_url: https://api.example.com}
resources:
  - {name: customers, enabled: \"${env.CUSTOMERS:-}\", endpoint: {path: customers}}
  - {name: notes, endpoint: {path: \"customers/{customer_id}/notes\"}}
  - {name: orders, when: \"${env.ORDERS:-yes}\", endpoint: {path: \"c/{resources.customers.id}/orders\"}}
  - plans
";

#[test]
fn a_child_of_what_is_left_out_is_a_problem_unless_it_is_left_out_too() {
    insta::assert_snapshot!(prepared(SHOP, &[]).unwrap_err(), @r##"
    4:36 resources[1].endpoint.path: `customers` would give `{customer_id}` its value, and is left out by its `when`
      = give the child the same `when`; a parent that is only read for its children has `selected: false`
    5:65 resources[2].endpoint.path: `customers` is left out by its `when`, and `orders` is asked for each of its records
      = give the child the same `when`; a parent that is only read for its children has `selected: false`
    "##);
    let plan = prepared(SHOP, &[("CUSTOMERS", "1"), ("ORDERS", "no")]).unwrap();
    let names: Vec<&str> = plan.resources.iter().map(|resource| resource.name.as_str()).collect();
    assert_eq!(names, ["customers", "notes", "plans"]);
    assert!(explain(&plan).contains("orders: left out by `when`"));
}

#[test]
fn a_condition_on_the_clock_keeps_the_digests_of_the_others() {
    let yaml = "client: {base_url: https://api.example.com}\nresources:\n  \
                - {name: a, when: \"${equals(today:%Y, '2024')}\", endpoint: {path: a}}\n  - b\n";
    let plan = prepared(yaml, &[]).unwrap();
    let alone = prepared("client: {base_url: https://api.example.com}\nresources: [b]\n", &[]).unwrap();
    assert_eq!(plan.resources[1].fingerprint, alone.resources[0].fingerprint);
    // Under no clock but its own is it there: nothing of it is carried on.
    assert_eq!(plan.resources[0].fingerprint, "");
}

fn with_auth(auth: &str) -> Result<Plan, String> {
    prepared(
        &format!("client: {{base_url: https://api.example.com/v1, auth: {auth}}}\nresources: [posts]\n"),
        &[("KEY", "swordfish")],
    )
}

#[test]
fn auths_that_cannot_be_are_refused_with_the_rule() {
    let refused: Vec<String> = [
        "[{token: a}, {type: http_basic, username: b, password: c}]",
        "[{type: api_key, name: k, api_key: a, location: query}, {type: api_key, name: K, api_key: a, location: query}, \
         {type: api_key, name: k, api_key: b, location: query}]",
        "[{type: login, path: a, token_path: b, name: X-A}, {type: login, path: a, token_path: b, name: X-B}]",
        "[[{token: a}]]",
        "{type: login, path: a}",
        "{type: login, token_path: a, token_cookie: b}",
        "{type: login, path: a, url: 'https://x.example', token_path: b, json: {}, data: {}}",
        "{type: login, path: a, token_path: b, location: cookie}",
        "{type: login, path: a, token_path: 'b[', format: x}",
        "{type: oauth2_client_credentials, access_token_url: 'https://a.example/t', client_id: a, client_secret: b, \
         refresh_token_file: f}",
        "{type: oauth2_password, access_token_url: 'https://a.example/t', username: a, password: b, refresh_token: c}",
        "{type: oauth2_password, access_token_url: 't', token_request: {auth: digest, bod: json}}",
    ]
    .into_iter()
    .map(|auth| with_auth(auth).unwrap_err())
    .collect();
    insta::assert_snapshot!(refused.join("\n"), @r##"
    1:67 client.auth[1]: a second auth in the header `authorization`
      = each auth of a list needs a header, parameter or cookie of its own: give it another `name`
    1:165 client.auth[2]: a second auth in the parameter `k`
      = each auth of a list needs a header, parameter or cookie of its own: give it another `name`
    1:105 client.auth[1]: a second auth that fetches a token: a request has one of them
    1:55 client.auth[0]: expected a mapping, found a list
    1:54 client.auth: missing key `token_path`
      = one of `token_path: data.token`, `token_header: X-Token`, `token_cookie: session` says where the token stands in the answer
    1:54 client.auth: missing key `path`
      = write `path: auth/login`, or `url: https://...`
    1:54 client.auth: the token has more than one place
      = one of `token_path: data.token`, `token_header: X-Token`, `token_cookie: session` says where the token stands in the answer
    1:54 client.auth: `json` and `data`: a request has one body
    1:74 client.auth.path: `path` beside `url`: a login has one address
    1:54 client.auth: missing key `name`
      = a token outside the header `Authorization` needs the name of its parameter or cookie
    1:89 client.auth.token_path: `b[` is not a JSONPath: `[` after `b` is not understood
    1:103 client.auth.format: `format: x` needs one placeholder
      = write `format: "Bearer {token}"`
    1:181 client.auth.refresh_token_file: `refresh_token_file` stands here, but no refresh token is used
      = it belongs to `type: oauth2_refresh_token`, whose `refresh_token` is the first
    1:54 client.auth: a password and a refresh token: a token is asked for with one of them
      = leave out `refresh_token`, or write `type: oauth2_refresh_token`
    1:54 client.auth.username: the secret `username` is not set
      = looked in the environment for USERNAME, SOURCES__REST_API__USERNAME, SOURCES__REST_API__CREDENTIALS__USERNAME, SOURCES__USERNAME, CREDENTIALS__USERNAME, DRAY_SECRETS__USERNAME
    1:54 client.auth.password: the secret `password` is not set
      = looked in the environment for PASSWORD, SOURCES__REST_API__PASSWORD, SOURCES__REST_API__CREDENTIALS__PASSWORD, SOURCES__PASSWORD, CREDENTIALS__PASSWORD, DRAY_SECRETS__PASSWORD
    1:96 client.auth.access_token_url: the token endpoint is not a URL
      = expected one such as `https://accounts.example.com/oauth/v2/token`
    1:123 client.auth.token_request.auth: unknown auth `digest`
      = expected one of `form`, `basic`
    1:131 client.auth.token_request.bod: unknown key `bod`
      = nearest is `body`; expected one of `auth`, `body`, `headers`, `fields`
    "##);
}

#[test]
fn auths_are_explained_without_their_secrets() {
    let explained: Vec<String> = [
        "[{type: api_key, name: X-A, api_key: '${secrets.key}'}, {type: api_key, name: b, api_key: x, location: query}]",
        "[{type: api_key, name: X-A, api_key: '${secrets.key}'}, null, {type: none}]",
        "[]",
        "{type: login, path: /auth/login, json: {p: '${secrets.key}'}, token_path: data.token}",
        "{type: login, url: 'https://id.example.com/in', token_cookie: sid, location: cookie, name: sid}",
        "{type: oauth2, token_url: 'https://id.example.com/t', username: ann, password: '${secrets.key}'}",
        "{type: oauth2, token_url: 'https://id.example.com/t', client_id: a, client_secret: b, grant_type: account_credentials}",
        "{type: oauth2_refresh_token, access_token_url: 'https://id.example.com/t', client_id: a, client_secret: b, \
         refresh_token: c, refresh_token_file: .dray/shop.json}",
    ]
    .into_iter()
    .map(|auth| {
        let text = explain(&with_auth(auth).unwrap());
        text.lines().find_map(|line| line.trim().strip_prefix("auth ").map(str::trim)).unwrap().to_owned()
    })
    .collect();
    insta::assert_snapshot!(explained.join("\n"), @r##"
    key in the header `X-A`; key in the parameter `b`
    key in the header `X-A`
    none
    the token at data.token of a login at https://api.example.com/v1/auth/login, sent in the header `Authorization`
    the cookie sid of a login at https://id.example.com/in, sent in the cookie `sid`
    Bearer token for a password from https://id.example.com/t
    Bearer token for account_credentials from https://id.example.com/t
    Bearer token for a refresh token from https://id.example.com/t, the next refresh token kept in .dray/shop.json
    "##);
}

#[test]
fn a_form_of_cursors_that_tells_no_day_is_refused() {
    let yaml = "client: {base_url: https://api.example.com}\nresources:\n  - name: a\n    endpoint:\n      \
                incremental: {cursor_path: at, cursor_format: '%H:%M', convert: iso_z}\n";
    insta::assert_snapshot!(prepared(yaml, &[]).unwrap_err(), @r##"
    5:53 resources[0].endpoint.incremental.cursor_format: `cursor_format: %H:%M` does not tell the day of a cursor
      = write the pattern of the records' cursors: `%d.%m.%Y`, `%m/%d/%Y %I:%M %p`; ISO 8601, RFC 2822 and numbers are understood without it
    "##);
}
