//! Files that cannot be read to their end, command lines that fit nothing: exit code 2, and nothing left behind.

use std::process::Command;

use crate::support::{broken, yaml};

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
                {'name': 'posts', 'processing_steps': [{'map': lambda row: f(row)}]},\n    ],\n}\n";
    insta::assert_snapshot!(broken("api.py", text, &[]), @r#"
    api.py:4:68: resources[0].processing_steps[0].map: the lambda cannot be read as a step: `f(...)` would have to be executed
      |
    4 |         {'name': 'posts', 'processing_steps': [{'map': lambda row: f(row)}]},
      |                                                                    ^
      = help: write a program in jq as text: {"filter": ".total > 0"}, {"map": ".name |= ascii_downcase"}, {"explode": ".lines[]"}; or "keep", "drop", "rename", "set"
    error: 1 problem in api.py
    "#);
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
    api.yaml:1:20: client.base_url: `secret` in `${secret.path}` is not known, expected secrets.NAME, env.NAME, vars.NAME, config.NAME, now, today or a function
      |
    1 | client: {base_url: "https://${env.HOST}/${secret.path}"}
      |                    ^
      = help: did you mean `secrets`?
    error: 1 problem in api.yaml
    "#);
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
      = help: nearest is `retry`; expected one of `base_url`, `headers`, `auth`, `paginator`, `retry`, `rate_limit`, `concurrency`, `timeout`, `allowed_origins`, `max_body`, `tls`, `limits`, `rejects`, `max_rejects`, `response_actions`
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
    help: shipped connectors: fastbill, fastbill_api, orb, stripe, zoho_billing
    ");
    insta::assert_snapshot!(said(&["demo", "strpe"]), @r"
    error: no demo `strpe`
    help: demos: fastbill, fastbill_api, orb, stripe, zoho_billing
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

#[test]
fn a_report_that_cannot_be_written() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("api.yaml"), yaml("  - posts\n")).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_dray"));
    command.current_dir(folder.path()).env_clear();
    let output = command.args(["run", "api.yaml", "--report", "missing/report.json"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).unwrap();
    insta::assert_snapshot!(said, @"error: the report's folder does not exist (file: missing/report.json)");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}
