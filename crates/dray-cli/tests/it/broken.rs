//! Files whose content is wrong: exit code 2, every problem with its place, and nothing left behind.

use crate::support::{broken, yaml};

#[test]
fn an_unknown_key() {
    let text = yaml("  - name: posts\n    endpoint: {path: posts, data_selectr: data}\n");
    insta::assert_snapshot!(broken("api.yaml", &text, &[]), @r"
    api.yaml:5:29: resources[0].endpoint.data_selectr: unknown key `data_selectr`
      |
    5 |     endpoint: {path: posts, data_selectr: data}
      |                             ^
      = help: nearest is `data_selector`; expected one of `path`, `method`, `params`, `json`, `data`, `text`, `headers`, `paginator`, `data_selector`, `incremental`, `response_actions`, `format`, `auth`, `expand`, `parent_filter`, `data_selector_required`
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
      = help: `cursor` knows `stop_after_empty_page`, `has_more_path`, `has_more_optional`, `limit`, `limit_param`, `limit_body_path`, `cursor_path`, `cursor_field`, `cursor_param`, `cursor_body_path`, `initial_cursor`
    error: 1 problem in api.yaml
    ");
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
      = help: nearest is `base_url`; expected one of `base_url`, `headers`, `auth`, `paginator`, `retry`, `rate_limit`, `concurrency`, `timeout`, `allowed_origins`, `max_body`, `tls`, `limits`, `rejects`, `max_rejects`, `response_actions`

    api.yaml:2:3: client: missing key `base_url`
      |
    2 |   base_ulr: https://api.example.com/
      |   ^
      = help: write `base_url: https://api.example.com/v1/`, or pass `--set client.base_url=...`

    api.yaml:3:16: client.auth.type: unknown auth type `baerer`
      |
    3 |   auth: {type: baerer, token: ***}
      |                ^
      = help: nearest is `bearer`; expected one of `bearer`, `api_key`, `http_basic`, `oauth2_client_credentials`, `oauth2_refresh_token`, `oauth2_password`, `login`, `none`

    api.yaml:6:5: resources[0].primary_kye: unknown key `primary_kye`
      |
    6 |     primary_kye: id
      |     ^
      = help: nearest is `primary_key`; expected one of `name`, `endpoint`, `primary_key`, `merge_key`, `write_disposition`, `columns`, `selected`, `include_from_parent`, `for_each`, `include_from_each`, `table_name`, `max_table_nesting`, `parallelized`, `schema_contract`, `processing_steps`, `keep`, `drop`, `rename`, `set`, `table_format`

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
