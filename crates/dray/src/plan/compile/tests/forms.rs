//! Forms that dlt takes beside the usual ones, and documents that say more than a configuration.

use super::{explained, planned};
use crate::config::parse::Format;
use crate::plan::{BodyPlan, ParamValue, Part, Plan};

fn good(client: &str, resource: &str) -> Plan {
    let text = format!("client: {{base_url: 'https://api.example.com'{client}}}\nresources: [{resource}]");
    let plan = planned(&text, Format::Yaml);
    assert!(plan.is_ok(), "{}", explained(&plan));
    plan.unwrap()
}

fn refused(text: &str) -> String {
    let plan = planned(text, Format::Yaml);
    assert!(plan.is_err(), "{}", explained(&plan));
    explained(&plan)
}

fn of_resource(resource: &str) -> String {
    refused(&format!("client: {{base_url: 'https://api.example.com'}}\nresources: [{resource}]"))
}

fn said(plan: &Plan) -> String {
    plan.notes.iter().map(|note| note.text.clone()).collect::<Vec<_>>().join("\n")
}

fn fixed(parts: &[Part]) -> String {
    let text = |part: &Part| match part {
        Part::Text(text) => text.expose().to_owned(),
        other => format!("{other:?}"),
    };
    parts.iter().map(text).collect()
}

#[test]
fn a_form_repeats_its_fields() {
    for data in ["{id: [1, 2], left: null, kind: x}", "[[id, 1], [id, 2], [kind, x]]"] {
        let plan = good("", &format!("{{name: posts, endpoint: {{method: POST, data: {data}}}}}"));
        let Some(BodyPlan::Form(form)) = &plan.resources[0].request.body else { panic!("{plan:?}") };
        let fields: Vec<(&str, String)> =
            form.iter().map(|(name, value)| (name.as_str(), fixed(&value.parts))).collect();
        let field = |name, value: &str| (name, value.to_owned());
        assert_eq!(fields, [field("id", "1"), field("id", "2"), field("kind", "x")], "{data}");
    }
    let plan = good("", "{name: posts, endpoint: {method: POST, data: 'a=1'}}");
    let Some(BodyPlan::Text(text)) = &plan.resources[0].request.body else { panic!("{plan:?}") };
    assert_eq!(fixed(&text.parts), "a=1");
    for other in ["json: {a: 1}", "text: b"] {
        let said = of_resource(&format!("{{name: posts, endpoint: {{method: POST, data: 'a=1', {other}}}}}"));
        assert!(said.contains("`text` excludes `json` and `data`"), "{said}");
    }
    let said = of_resource("{name: posts, endpoint: {method: POST, data: [[a]]}}");
    assert!(said.contains("data[0]: expected a name and a value, found a list"), "{said}");
}

#[test]
fn a_contract_is_kept_or_refused() {
    for contract in ["evolve", "{tables: evolve, columns: evolve}", "{data_type: evolve}"] {
        good("", &format!("{{name: posts, schema_contract: {contract}}}"));
    }
    for contract in ["freeze", "discard_value", "{tables: discard_row, columns: freeze}"] {
        good("", &format!("{{name: posts, schema_contract: {contract}}}"));
    }
    let said = of_resource("{name: posts, schema_contract: {tables: evolve, data_type: discard_row}}");
    assert!(
        said.contains("schema_contract.data_type: `data_type: discard_row` is not supported yet"),
        "{said}"
    );
    let said = of_resource("{name: posts, schema_contract: {rows: evolve, columns: frozen}}");
    assert!(said.contains("unknown key `rows`") && said.contains("unknown contract `frozen`"), "{said}");
}

#[test]
fn a_request_may_repeat_what_incremental_says() {
    let incremental = "incremental: {cursor_path: updated, initial_value: 1, lag: 3600}";
    let params = "params: {back: '{incremental.lag}', by: '{incremental.cursor_path}'}";
    let plan = good("", &format!("{{name: posts, endpoint: {{{incremental}, {params}}}}}"));
    let sent: Vec<String> = plan.resources[0]
        .request
        .params
        .iter()
        .map(|(name, value)| match value {
            ParamValue::One(value) => format!("{}={}", fixed(&name.parts), fixed(&value.parts)),
            other @ ParamValue::Many(_) => format!("{other:?}"),
        })
        .collect();
    assert_eq!(sent, ["back=3600", "by=updated"]);
    let said = of_resource(
        "{name: posts, endpoint: {incremental: {cursor_path: updated}, params: {back: '{incremental.lag}'}}}",
    );
    assert!(said.contains("unknown value `{incremental.lag}`"), "{said}");
}

#[test]
fn white_space_around_a_header_is_left_out() {
    let plan = good(", headers: {\"X-Key\\t\": a}", "posts");
    assert_eq!(plan.client.headers[0].0, "X-Key");
    assert!(said(&plan).contains("white space around the header `X-Key`"), "{}", said(&plan));
}

#[test]
fn headers_in_an_auth_are_the_clients() {
    let auth = ", auth: {type: oauth2, token_url: 'https://a.example.com/t', client_id: a, client_secret: b, \
                headers: {Authorization: 'Bearer {access_token}', X-Account: '<your_account_id>', X-Kind: k}}";
    let plan = good(auth, "posts");
    let headers: Vec<&str> = plan.client.headers.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(headers, ["X-Account", "X-Kind"]);
    assert!(said(&plan).contains("the header `X-Account` comes from the secret `account_id`"));
    let plan = good(", second_key: {name: X-Second, location: header}", "posts");
    assert_eq!(plan.client.headers[0].0, "X-Second");
}

#[test]
fn an_auth_that_is_not_there_is_refused_with_the_nearest_way() {
    for (kind, way) in [
        ("cookie", "location: cookie"),
        ("oauth1", "requests are not signed"),
        ("custom", "several are a list"),
        ("bearrer", "nearest is `bearer`"),
    ] {
        let text =
            format!("client: {{base_url: 'https://a.example.com', auth: {{type: {kind}}}}}\nresources: [a]");
        let said = refused(&text);
        assert!(said.contains(way), "{said}");
    }
}

#[test]
fn prose_beside_a_configuration_is_left_out() {
    let client = "client:\n  base_url: https://a.example.com\n  auth: {type: oauth2, flow: client_credentials, \
                  token_url: 'https://a.example.com/t', client_id: \"{{ dlt.secrets['id'] }}\", client_secret: s, \
                  location: header, header_name: Authorization}\n";
    let prose = "notes:\n- the first key is `${x`\nerrors: []\n";
    let plan = planned(&format!("{client}resources: [a]\n{prose}"), Format::Yaml);
    assert!(plan.is_ok(), "{}", explained(&plan));
    assert!(said(&plan.unwrap()).contains("`notes`, `errors` tell of the API and are not read"));
    let said = refused(&format!("{client}{prose}"));
    assert!(said.contains("this file tells of an API (`notes`, `errors`) and configures nothing"), "{said}");
    assert_eq!(said.lines().count(), 2, "{said}");
}

#[test]
fn what_is_missing_is_said_once() {
    assert_eq!(refused("resources: [a]"), "1:1 : missing key `client`");
    let said = refused("client: {base_url: 'https://<your-domain>.example.com'}\nresources: [a]");
    assert!(said.contains("`base_url` still has the placeholder `<your-domain>`"), "{said}");
}
