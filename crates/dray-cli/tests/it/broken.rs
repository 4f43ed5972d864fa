//! Broken configurations: exit code 2, every problem with its place, and nothing left behind.

use std::process::Command;

/// What the program says of a broken file; it creates nothing.
#[track_caller]
fn broken(file: &str, text: &str, more: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(file), text).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_dray"))
        .current_dir(folder.path())
        .env_clear()
        .args(["run", file, "--report", "report.json"])
        .args(more)
        .output()
        .unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "");
    let left: Vec<_> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(left, [file]);
    stderr
}

/// A file in YAML with these lines for its resources.
fn yaml(resources: &str) -> String {
    format!("client:\n  base_url: https://api.example.com/\nresources:\n{resources}")
}

#[test]
fn an_unknown_key() {
    let text = yaml("  - name: posts\n    endpoint: {path: posts, data_selectr: data}\n");
    insta::assert_snapshot!(broken("api.yaml", &text, &[]), @r"
    api.yaml:5:29: resources[0].endpoint.data_selectr: unknown key `data_selectr`
      |
    5 |     endpoint: {path: posts, data_selectr: data}
      |                             ^
      = help: nearest is `data_selector`; expected one of `path`, `method`, `params`, `json`, `data`, `headers`, `paginator`, `data_selector`, `incremental`, `response_actions`, `auth`, `expand`, `data_selector_required`
    error: 1 problem in api.yaml
    ");
}

#[test]
fn a_wrong_type() {
    let text = yaml("  - name: posts\n    endpoint: {path: posts, params: [1, 2]}\n");
    insta::assert_snapshot!(broken("api.yaml", &text, &[]), @r"
    api.yaml:5:37: resources[0].endpoint.params: expected a mapping of names to values, found a list
      |
    5 |     endpoint: {path: posts, params: [1, 2]}
      |                                     ^
    error: 1 problem in api.yaml
    ");
}

#[test]
fn a_wrong_type_of_a_number() {
    let text = yaml("  - name: posts\n    endpoint: {path: posts, paginator: {type: offset, limit: many}}\n");
    insta::assert_snapshot!(broken("api.yaml", &text, &[]), @r"
    api.yaml:5:62: resources[0].endpoint.paginator.limit: expected a whole number, found text
      |
    5 |     endpoint: {path: posts, paginator: {type: offset, limit: many}}
      |                                                              ^
    error: 1 problem in api.yaml
    ");
}

#[test]
fn no_base_url() {
    insta::assert_snapshot!(broken("api.yaml", "client: {headers: {a: b}}\nresources: [posts]\n", &[]), @r"
    api.yaml:1:9: client: missing key `base_url`
      |
    1 | client: {headers: {a: b}}
      |         ^
      = help: write `base_url: https://api.example.com/v1/`, or pass `--set client.base_url=...`
    error: 1 problem in api.yaml
    ");
}

#[test]
fn no_resources() {
    insta::assert_snapshot!(broken("api.yaml", "client: {base_url: https://api.example.com/}\n", &[]), @r"
    api.yaml:1:1: missing key `resources`
      |
    1 | client: {base_url: https://api.example.com/}
      | ^
    error: 1 problem in api.yaml
    ");
}

#[test]
fn an_empty_file() {
    insta::assert_snapshot!(broken("api.yaml", "", &[]), @r"
    api.yaml:1:1: the file is empty, expected a mapping
    error: 1 problem in api.yaml
    ");
}

#[test]
fn bad_yaml() {
    let text = yaml("  - name: posts\n   endpoint: {path: posts\n");
    insta::assert_snapshot!(broken("api.yaml", &text, &[]), @r"
    api.yaml:5:4: this is not YAML: while parsing a block collection, did not find expected '-' indicator
      |
    5 |    endpoint: {path: posts
      |    ^
    error: 1 problem in api.yaml
    ");
}

#[test]
fn bad_json() {
    let text =
        "{\n  \"client\": {\"base_url\": \"https://api.example.com/\"},\n  \"resources\": [\"posts\",]\n}\n";
    insta::assert_snapshot!(broken("api.json", text, &[]), @r#"
    api.json:3:25: this is not JSON: expected value
      |
    3 |   "resources": ["posts",]
      |                         ^
    error: 1 problem in api.json
    "#);
}

#[test]
fn bad_toml() {
    let text = "resources = ['posts']\n[client]\nbase_url = https://api.example.com/\n";
    insta::assert_snapshot!(broken("api.toml", text, &[]), @r"
    api.toml:3:12: this is not TOML: string values must be quoted, expected literal string
      |
    3 | base_url = https://api.example.com/
      |            ^
    error: 1 problem in api.toml
    ");
}

#[test]
fn bad_python() {
    let text = "config = {\n    'client': {'base_url': 'https://api.example.com/'},\n    'resources': ['posts',\n}\n";
    insta::assert_snapshot!(broken("api.py", text, &[]), @r"
    api.py:4:1: this is not Python: expected `]`, found `}`
      |
    4 | }
      | ^
    error: 1 problem in api.py
    ");
}

#[test]
fn a_function_in_python() {
    let text = "config = {\n    'client': {'base_url': 'https://api.example.com/'},\n    'resources': [\n        \
                {'name': 'posts', 'processing_steps': [{'map': lambda row: row}]},\n    ],\n}\n";
    insta::assert_snapshot!(broken("api.py", text, &[]), @r"
    api.py:4:56: resources[0].processing_steps[0].map: a lambda cannot be read, expected a literal: nothing in the file is executed
      |
    4 |         {'name': 'posts', 'processing_steps': [{'map': lambda row: row}]},
      |                                                        ^
      = help: leave it out; a function can only be given through the library
    error: 1 problem in api.py
    ");
}

#[test]
fn an_unknown_paginator() {
    let text = yaml("  - name: posts\n    endpoint: {path: posts, paginator: {type: ofset, limit: 5}}\n");
    insta::assert_snapshot!(broken("api.yaml", &text, &[]), @r"
    api.yaml:5:47: resources[0].endpoint.paginator.type: unknown paginator `ofset`
      |
    5 |     endpoint: {path: posts, paginator: {type: ofset, limit: 5}}
      |                                               ^
      = help: nearest is `offset`; expected one of `auto`, `single_page`, `page_number`, `offset`, `cursor`, `json_link`, `json_response`, `header_link`, `header_cursor`
    error: 1 problem in api.yaml
    ");
}

#[test]
fn a_key_of_another_paginator() {
    let text = yaml(
        "  - name: posts\n    endpoint:\n      path: posts\n      paginator: {type: cursor, cursor_path: next, base_page: 1}\n",
    );
    insta::assert_snapshot!(broken("api.yaml", &text, &[]), @r"
    api.yaml:7:52: resources[0].endpoint.paginator.base_page: `base_page` is a key of `page_number`, not of `cursor`
      |
    7 |       paginator: {type: cursor, cursor_path: next, base_page: 1}
      |                                                    ^
      = help: `cursor` knows `stop_after_empty_page`, `has_more_path`, `has_more_optional`, `limit`, `limit_param`, `limit_body_path`, `cursor_path`, `cursor_field`, `cursor_param`, `cursor_body_path`
    error: 1 problem in api.yaml
    ");
}

#[test]
fn a_missing_secret() {
    let text = "client:\n  base_url: https://api.example.com/\n  auth: {type: bearer, token: \"${secrets.api_key}\"}\n\
                resources: [posts]\n";
    insta::assert_snapshot!(broken("api.yaml", text, &[]), @r#"
    api.yaml:3:31: client.auth.token: the secret `api_key` is not set
      |
    3 |   auth: {type: bearer, token: "${secrets.api_key}"}
      |                               ^
      = help: looked in the environment for API_KEY, SOURCES__REST_API__API_KEY, SOURCES__API__API_KEY, API__SOURCES__REST_API__API_KEY, SOURCES__REST_API__CREDENTIALS__API_KEY, SOURCES__API_KEY, CREDENTIALS__API_KEY, DRAY_SECRETS__API_KEY; in .dray/secrets.toml (no such file); in .dlt/secrets.toml (no such file)
    error: 1 problem in api.yaml
    "#);
}

#[test]
fn a_missing_variable_and_a_misspelt_template() {
    let text = "client: {base_url: \"https://${env.HOST}/${secret.path}\"}\nresources: [posts]\n";
    insta::assert_snapshot!(broken("api.yaml", text, &[]), @r#"
    api.yaml:1:20: client.base_url: `secret` in `${secret.path}` is not known, expected secrets.NAME, env.NAME, vars.NAME, config.NAME, now or today
      |
    1 | client: {base_url: "https://${env.HOST}/${secret.path}"}
      |                    ^
      = help: did you mean `secrets`?
    error: 1 problem in api.yaml
    "#);
}

#[test]
fn an_unknown_parent() {
    let text = yaml("  - posts\n  - name: comments\n    endpoint: \"posts/{resources.post.id}/comments\"\n");
    insta::assert_snapshot!(broken("api.yaml", &text, &[]), @r#"
    api.yaml:6:15: resources[1].endpoint: no resource `post`
      |
    6 |     endpoint: "posts/{resources.post.id}/comments"
      |               ^
      = help: nearest is `posts`
    error: 1 problem in api.yaml
    "#);
}

#[test]
fn a_cycle() {
    let text = yaml(
        "  - {name: a, endpoint: \"a/{resources.b.id}\"}\n  - {name: b, endpoint: \"b/{resources.a.id}\"}\n",
    );
    insta::assert_snapshot!(broken("api.yaml", &text, &[]), @r#"
    api.yaml:4:25: resources[0].endpoint: resources need each other: `a` -> `b` -> `a`
      |
    4 |   - {name: a, endpoint: "a/{resources.b.id}"}
      |                         ^
    error: 1 problem in api.yaml
    "#);
}

#[test]
fn an_unknown_placeholder() {
    let text = yaml("  - posts\n  - name: comments\n    endpoint: \"comments/{unheard}\"\n");
    insta::assert_snapshot!(broken("api.yaml", &text, &[]), @r#"
    api.yaml:6:15: resources[1].endpoint: nothing gives `{unheard}` its value: no resource's path ends in `comments`, and none is named after `unheard`; the file has `posts`
      |
    6 |     endpoint: "comments/{unheard}"
      |               ^
      = help: write `{resources.<name>.<field>}` in its place, or give `params: {unheard: ...}`
    error: 1 problem in api.yaml
    "#);
}

#[test]
fn a_name_twice() {
    let text = yaml("  - posts\n  - name: posts\n    endpoint: other\n");
    insta::assert_snapshot!(broken("api.yaml", &text, &[]), @r"
    api.yaml:5:11: resources[1].name: there is another resource `posts`
      |
    5 |   - name: posts
      |           ^
    error: 1 problem in api.yaml
    ");
}

#[test]
fn a_bad_json_path() {
    let text = yaml("  - name: posts\n    endpoint: {path: posts, data_selector: \"data[\"}\n");
    insta::assert_snapshot!(broken("api.yaml", &text, &[]), @r#"
    api.yaml:5:44: resources[0].endpoint.data_selector: `data[` is not a JSONPath: `[` after `data` is not understood
      |
    5 |     endpoint: {path: posts, data_selector: "data["}
      |                                            ^
    error: 1 problem in api.yaml
    "#);
}

#[test]
fn an_unsupported_write_disposition() {
    let text = yaml("  - name: posts\n    write_disposition: upsert\n    endpoint: posts\n");
    insta::assert_snapshot!(broken("api.yaml", &text, &[]), @r"
    api.yaml:5:24: resources[0].write_disposition: unknown write disposition `upsert`
      |
    5 |     write_disposition: upsert
      |                        ^
      = help: expected one of `append`, `replace`, `merge`, `skip`
    error: 1 problem in api.yaml
    ");
}

#[test]
fn incremental_without_a_cursor() {
    let text = yaml("  - name: posts\n    endpoint: {path: posts, incremental: {start_param: since}}\n");
    insta::assert_snapshot!(broken("api.yaml", &text, &[]), @r"
    api.yaml:5:42: resources[0].endpoint.incremental: missing key `cursor_path`
      |
    5 |     endpoint: {path: posts, incremental: {start_param: since}}
      |                                          ^
    error: 1 problem in api.yaml
    ");
}

#[test]
fn several_problems_at_once() {
    let text = "client:\n  base_ulr: https://api.example.com/\n  auth: {type: baerer, token: x}\nresources:\n  \
                - name: posts\n    primary_kye: id\n    endpoint: {path: posts, method: FETCH}\n  - endpoint: x\n";
    insta::assert_snapshot!(broken("api.yaml", text, &[]), @r"
    api.yaml:2:3: client.base_ulr: unknown key `base_ulr`
      |
    2 |   base_ulr: https://api.example.com/
      |   ^
      = help: nearest is `base_url`; expected one of `base_url`, `headers`, `auth`, `paginator`, `retry`, `rate_limit`, `concurrency`, `timeout`, `allowed_origins`, `max_body`

    api.yaml:2:3: client: missing key `base_url`
      |
    2 |   base_ulr: https://api.example.com/
      |   ^
      = help: write `base_url: https://api.example.com/v1/`, or pass `--set client.base_url=...`

    api.yaml:3:16: client.auth.type: unknown auth type `baerer`
      |
    3 |   auth: {type: baerer, token: ***}
      |                ^
      = help: nearest is `bearer`; expected one of `bearer`, `api_key`, `http_basic`, `oauth2_client_credentials`, `oauth2_refresh_token`, `none`

    api.yaml:6:5: resources[0].primary_kye: unknown key `primary_kye`
      |
    6 |     primary_kye: id
      |     ^
      = help: nearest is `primary_key`; expected one of `name`, `endpoint`, `primary_key`, `merge_key`, `write_disposition`, `columns`, `selected`, `include_from_parent`, `table_name`, `max_table_nesting`, `parallelized`, `schema_contract`

    api.yaml:7:37: resources[0].endpoint.method: unknown method `FETCH`
      |
    7 |     endpoint: {path: posts, method: FETCH}
      |                                     ^
      = help: expected one of `GET`, `POST`

    api.yaml:8:5: resources[1]: missing key `name`
      |
    8 |   - endpoint: x
      |     ^
    error: 6 problems in api.yaml
    ");
}

#[test]
fn a_key_that_only_python_has() {
    let text =
        yaml("  - name: posts\n    endpoint: posts\n").replace("resources:", "  session: x\nresources:");
    insta::assert_snapshot!(broken("api.yaml", &text, &[]), @r"
    api.yaml:3:3: client.session: `session` exists only in Python
      |
    3 |   session: x
      |   ^
      = help: `client.headers`, `client.retry` and `client.timeout` say what a session is used for
    error: 1 problem in api.yaml
    ");
}

#[test]
fn overrides_that_fit_nothing() {
    let text = yaml("  - posts\n");
    let more =
        ["--set", "client.retyr.max_retries=1", "--set", "client", "--set", "resources.pots.endpoint.path=x"];
    insta::assert_snapshot!(broken("api.yaml", &text, &more), @r"
    api.yaml: --set: no `=` here, expected KEY.PATH=VALUE
      = help: KEY.PATH=VALUE, for example client.base_url=https://api.example.com

    api.yaml: --set resources.pots.endpoint.path: nothing in this list is named `pots`
      = help: did you mean `posts`?

    api.yaml: client.retyr: unknown key `retyr`
      = help: nearest is `retry`; expected one of `base_url`, `headers`, `auth`, `paginator`, `retry`, `rate_limit`, `concurrency`, `timeout`, `allowed_origins`, `max_body`
    error: 3 problems in api.yaml
    ");
}

#[test]
fn an_unknown_resource() {
    insta::assert_snapshot!(broken("api.yaml", &yaml("  - posts\n"), &["post"]), @r"
    error: no resource `post`
    help: did you mean `posts`?
    ");
}

#[test]
fn an_unknown_destination() {
    let said = broken("api.yaml", &yaml("  - posts\n"), &["--to", "postgres://localhost/x"]);
    insta::assert_snapshot!(said, @r"
    error: `postgres://localhost/x` is not a destination that is known
    help: write duckdb:PATH, as in --to duckdb:data.duckdb
    ");
}

#[test]
fn an_unknown_connector_file_or_option() {
    let said = |arguments: &[&str]| {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_dray"));
        let output = command.current_dir(folder.path()).env_clear().args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        String::from_utf8(output.stderr).unwrap()
    };
    insta::assert_snapshot!(said(&["run", "strpe"]), @r"
    error: no file and no connector `strpe`
    help: did you mean the connector `stripe`?
    ");
    insta::assert_snapshot!(said(&["run", "missing.yaml"]), @"error: cannot use the configuration: cannot read missing.yaml: No such file or directory (os error 2)");
    insta::assert_snapshot!(said(&["run", "shop.xml"]), @r"
    error: no file and no connector `shop.xml`
    help: shipped connectors: fastbill, orb, stripe, zoho_billing
    ");
    insta::assert_snapshot!(said(&["demo", "strpe"]), @r"
    error: no demo `strpe`
    help: demos: fastbill, orb, stripe, zoho_billing
    ");
    insta::assert_snapshot!(said(&["schema"]), @r"
    error: neither a configuration nor a pipeline is given
    help: name the configuration that was run, or --pipeline NAME
    ");
    insta::assert_snapshot!(said(&["run", "stripe", "--st", "a=b"]), @r"
    error: unexpected argument '--st' found

      tip: to pass '--st' as a value, use '-- --st'

    Usage: dray run <CONFIG> [RESOURCE]...

    For more information, try '--help'.
    ");
}
