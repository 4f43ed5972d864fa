use jiff::Timestamp;

use super::*;
use crate::config::load::{read_text_as, read_text_partly};
use crate::config::parse::Format;
use crate::plan::prepare;

fn converted(text: &str, format: Format) -> Converted {
    let file = format!("folder/api.{}", if format == Format::Python { "py" } else { "yaml" });
    let (loaded, problems) = read_text_partly(file, text.to_owned(), format).unwrap();
    convert(loaded, &problems)
}

/// What a configuration does, without how it was read.
fn planned(text: &str, format: Format) -> String {
    let loaded = read_text_as("api".to_owned(), text.to_owned(), format)
        .unwrap_or_else(|error| panic!("{error:?}\n{text}"));
    let mut sources = Sources::new(Timestamp::UNIX_EPOCH);
    sources.placeholders = true;
    let prepared = prepare(loaded, &[], &sources);
    let mut plan = prepared.plan.unwrap_or_else(|| panic!("{}\n{text}", prepared.diagnostics));
    plan.notes.clear();
    format!("{:?} {plan:#?}", prepared.name)
}

#[track_caller]
fn same_plan(text: &str, format: Format) -> String {
    let converted = converted(text, format);
    assert!(converted.left_out.is_empty(), "{}", converted.left_out);
    assert_eq!(planned(text, format), planned(&converted.yaml, Format::Yaml), "{}", converted.yaml);
    converted.yaml
}

#[test]
fn a_python_file_becomes_yaml_with_the_same_plan() {
    let text = r#"
import dlt
from dlt.sources.rest_api import rest_api_source
VERSION = "v2"
PAGES = {"type": "page_number", "base_page": 1, "total_path": None}
source = rest_api_source({
    "client": {
        "base_url": f"https://api.example.com/{VERSION}/",
        "auth": BearerTokenAuth(token=dlt.secrets["shop_token"]),
        "paginator": PAGES,
    },
    "resource_defaults": {"primary_key": "id", "write_disposition": "merge"},
    "resources": [
        "customers",
        {"name": "orders", "endpoint": {
            "path": "customers/{customer_id}/orders",
            "params": {"customer_id": {"type": "resolve", "resource": "customers", "field": "id"},
                       "since": {"type": "incremental", "cursor_path": "at", "initial_value": "2024-01-01"}},
            "data_selector": "data.items[*]",
            "paginator": OffsetPaginator(limit=50, total_path=None),
        }, "include_from_parent": ["id"]},
    ],
})
"#;
    insta::assert_snapshot!(same_plan(text, Format::Python), @r#"
    # Converted from api.py.
    # Looked up when it is read: the secret `shop_token`.

    client:
      base_url: https://api.example.com/v2/
      auth: {type: bearer, token: "${secrets.shop_token}"}
      paginator: {type: page_number, base_page: 1, total_path: null}

    resource_defaults:
      primary_key: id
      write_disposition: merge

    resources:
      - customers

      - name: orders
        endpoint:
          path: "customers/{customer_id}/orders"
          params:
            customer_id: {type: resolve, resource: customers, field: id}
            since: {type: incremental, cursor_path: at, initial_value: 2024-01-01}
          data_selector: data.items[*]
          paginator: {type: offset, limit: 50, total_path: null}
        include_from_parent: [id]
    "#);
}

#[test]
fn a_dialect_becomes_dlts_spelling_and_says_how_it_was_read() {
    let text = "
BASE_CONFIG:
  base_url: https://api.example.com/
  auth: {type: oauth2, token_url: 'https://api.example.com/token', client_id: '${secrets.id}', client_secret: '${secrets.s}'}
ENDPOINTS:
  - {name: charges, path: charges, primary_key: id, pagination: {type: offset, offset_param: starting_after, limit: 100}}
  - {name: plans, path: plans, pagination: {type: page_number, page_param: page, limit: 10}}
";
    insta::assert_snapshot!(same_plan(text, Format::Yaml), @r#"
    # Converted from api.yaml.
    # Read: BASE_CONFIG and ENDPOINTS are read as `client` and `resources`.
    # Read: auth `oauth2` is read as `oauth2_client_credentials`.
    # Read: `token_url` is read as `access_token_url`.
    # Read: `pagination` is read as `paginator` (charges, plans).
    # Read: the paginator's `limit` is sent as the parameter `limit` (charges, plans).
    # Looked up when it is read: the secret `id`, the secret `s`.

    client:
      base_url: https://api.example.com/
      auth:
        type: oauth2_client_credentials
        access_token_url: https://api.example.com/token
        client_id: "${secrets.id}"
        client_secret: "${secrets.s}"

    resources:
      # Read: endpoints with a `primary_key` are merged by it.
      # Read: `offset` by `starting_after` is read as a cursor: the `id` of the page's last record, until
      #   `has_more` is false or a page is empty.
      - name: charges
        primary_key: id
        write_disposition: merge
        endpoint:
          path: charges
          paginator:
            type: cursor
            limit: 100
            cursor_param: starting_after
            cursor_field: id
            has_more_path: has_more
            has_more_optional: true

      # Read: pages are counted from 1 (`base_page: 1`).
      - name: plans
        endpoint: {path: plans, paginator: {type: page_number, page_param: page, limit: 10, base_page: 1}}
    "#);
}

#[test]
fn what_is_computed_is_left_out_and_marked() {
    let text = r#"
def clean(row): return cleaner.clean(row)
NAMES = fetch_names()
config: RESTAPIConfig = {
    "client": {"base_url": "https://api.example.com/", "session": make_session()},
    "resources": [
        make_resource(),
        {"name": "orders", "endpoint": {"path": "orders", "params": {"at": NAMES, "n": 1}},
         "processing_steps": [{"map": clean}]},
        {"name": "plans", "write_disposition": {"disposition": "merge", "strategy": "scd2"}},
    ],
}
"#;
    let converted = converted(text, Format::Python);
    insta::assert_snapshot!(converted.yaml, @r#"
    # Converted from api.py.

    # NOT CONVERTED: line 5: client.session: `make_session(...)` cannot be read, expected a literal: nothing in
    #   the file is executed; leave it out: `client.headers`, `client.retry`, `client.timeout` and
    #   `client.rate_limit` say what a session is used for
    client:
      base_url: https://api.example.com/

    # NOT CONVERTED: line 7: resources[0]: `make_resource(...)` cannot be read, expected a literal: nothing in the
    #   file is executed; write the resource as a dict; a parent that only lists values becomes a list in `params`
    #   of its child
    resources:
      # NOT CONVERTED: line 2: resources[1].processing_steps[0].map: `clean` cannot be read as a step:
      #   `cleaner.clean(...)` would have to be executed; write a program in jq as text: {"filter": ".total > 0"},
      #   {"map": ".name |= ascii_downcase"}, {"explode": ".lines[]"}; or "keep", "drop", "rename", "set"
      - name: orders
        endpoint:
          path: orders
          # NOT CONVERTED: line 3: resources[1].endpoint.params.at: `fetch_names(...)` cannot be read, expected a
          #   literal: nothing in the file is executed; write its result itself, or ${secrets.NAME}, ${env.NAME},
          #   ${vars.NAME} or ${now - 30d} in a text
          params: {n: 1}

      - name: plans
        # NOT CONVERTED: line 10: resources[1].write_disposition.strategy: `strategy: scd2` is not supported yet;
        #   `delete-insert` and `upsert` are
        write_disposition: {disposition: merge}
    "#);
    planned(&converted.yaml, Format::Yaml);
}

#[test]
fn a_secret_in_clear_does_not_come_along() {
    let text = "
client:
  base_url: https://me:pa55word@api.example.com/
  headers: {X-Api-Key: k-1234-5678, Accept: text/html}
resources:
  - name: a
    endpoint: {path: a, auth: {type: bearer, token: sk_live_1}, params: {api_key: k-1234-5678, sort_key: at}}
  - name: b
    endpoint: {path: b, auth: {type: bearer, token: sk_live_2}, json: {password: '{resources.a.id}'}}
";
    let converted = converted(text, Format::Yaml);
    assert!(converted.left_out.is_empty(), "{}", converted.left_out);
    assert_eq!(converted.moved, ["password", "x_api_key", "token", "token_2"]);
    insta::assert_snapshot!(converted.yaml, @r#"
    # Converted from api.yaml.
    # Looked up when it is read: the secret `password`, the secret `token_2`, the secret `token`, the secret
    #   `x_api_key`.

    client:
      # The file held this secret in clear. Set it as `password` in .dray/secrets.toml, or in the environment as
      #   PASSWORD.
      base_url: "https://me:${secrets.password}@api.example.com/"
      headers:
        # The file held this secret in clear. Set it as `x_api_key` in .dray/secrets.toml, or in the environment
        #   as X_API_KEY.
        X-Api-Key: "${secrets.x_api_key}"
        Accept: text/html

    resources:
      - name: a
        endpoint:
          path: a
          auth:
            type: bearer
            # The file held this secret in clear. Set it as `token` in .dray/secrets.toml, or in the environment
            #   as TOKEN.
            token: "${secrets.token}"
          params: {api_key: "${secrets.x_api_key}", sort_key: at}

      - name: b
        endpoint:
          path: b
          auth:
            type: bearer
            # The file held this secret in clear. Set it as `token_2` in .dray/secrets.toml, or in the environment
            #   as TOKEN_2.
            token: "${secrets.token_2}"
          json: {password: "{resources.a.id}"}
    "#);
    for secret in &converted.secrets {
        if secret.expose() != "{resources.a.id}" {
            assert!(!converted.yaml.contains(secret.expose()), "{}", converted.yaml);
        }
    }
    planned(&converted.yaml, Format::Yaml);
}

#[test]
fn what_is_only_not_set_is_no_problem() {
    let text = "
client: {base_url: 'https://${env.HOST}/', concurrency: '${config.workers}'}
resources: [{name: a, endpoint: {path: a, params: {x: '${vars.x}', y: '${vars.x}'}}}]
";
    let converted = converted(text, Format::Yaml);
    assert!(converted.left_out.is_empty(), "{}", converted.left_out);
    insta::assert_snapshot!(converted.yaml, @r#"
    # Converted from api.yaml.
    # Looked up when it is read: the configuration value `workers`, the environment variable `HOST`, the variable
    #   `x`.

    client:
      base_url: "https://${env.HOST}/"
      concurrency: "${config.workers}"

    resources:
      - name: a
        endpoint: {path: a, params: {x: "${vars.x}", y: "${vars.x}"}}
    "#);
}

#[test]
fn the_shipped_connectors_stay_what_they_are() {
    for (name, text) in crate::config::connectors::shipped_all() {
        assert!(!same_plan(text, Format::Yaml).is_empty(), "{name}");
    }
}
