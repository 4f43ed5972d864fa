//! The words of the dialect (one row each), and what they are read as.

use super::{explained, planned};
use crate::config::parse::Format;

/// The plan of one resource, without what is always the same.
fn shown(client: &str, endpoint: &str) -> String {
    let text = format!(
        "client: {{base_url: 'https://api.example.com'{client}}}\nresources: [lists, {{name: posts, endpoint: {endpoint}}}]"
    );
    let plan = planned(&text, Format::Yaml);
    assert!(plan.is_ok(), "{}", explained(&plan));
    let text = explained(&plan);
    let usual = ["side by side", "load", "retry       3 times"];
    let lines: Vec<&str> = text
        .split_once("\nposts\n")
        .map_or("", |(_, posts)| posts)
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !usual.iter().any(|usual| line.starts_with(usual)))
        .collect();
    lines.join("\n")
}

fn paginator(paginator: &str) -> String {
    shown("", &format!("{{paginator: {paginator}}}"))
}

fn auth(auth: &str) -> String {
    shown(&format!(", auth: {auth}"), "posts")
}

#[test]
fn cursor_with_limit() {
    let written =
        r#"{type: cursor, limit: 50, cursor_param: cursor, cursor_path: pagination_metadata.next_cursor}"#;
    insta::assert_snapshot!(paginator(written), @r#"
    GET https://api.example.com/posts
    auth          none
    pages         cursor at pagination_metadata.next_cursor, sent as `cursor`, 50 records each (`limit`)
    records       found on the first page
    read as
    - posts: the paginator's `limit` is sent as the parameter `limit`
    "#);
}

#[test]
fn page_number_with_limit_param() {
    let written = r#"{type: page_number, page_param: page, limit_param: per_page, limit: 200}"#;
    insta::assert_snapshot!(paginator(written), @r#"
    GET https://api.example.com/posts
    auth          none
    pages         number `page` from 1, 200 records each (`per_page`); until total is reached (where it is there) or a page is short
    records       found on the first page
    read as
    - posts: pages are counted from 1 (`base_page: 1`)
    "#);
}

#[test]
fn offset_without_total() {
    let written = r#"{type: offset, limit: 100}"#;
    insta::assert_snapshot!(paginator(written), @r#"
    GET https://api.example.com/posts
    auth          none
    pages         offset `offset` from 0, 100 records each (`limit`); until total is reached (where it is there) or a page is short
    records       found on the first page
    "#);
}

#[test]
fn starting_after() {
    let written = r#"{type: offset, limit_param: limit, offset_param: starting_after, limit: 100}"#;
    insta::assert_snapshot!(paginator(written), @r#"
    GET https://api.example.com/posts
    auth          none
    pages         id of the last record, sent as `starting_after`, 100 records each (`limit`); until has_more is false (where it is there)
    records       found on the first page
    read as
    - posts: `offset` by `starting_after` is read as a cursor: the `id` of the page's last record, until `has_more` is false or a page is empty
    "#);
}

#[test]
fn start_from_page() {
    let written =
        r#"{type: page_number, page_param: p, start_from_page: 0, page_size: 20, page_size_param: size}"#;
    insta::assert_snapshot!(paginator(written), @r#"
    GET https://api.example.com/posts
    auth          none
    pages         number `p` from 0, 20 records each (`size`); until total is reached (where it is there) or a page is short
    records       found on the first page
    read as
    - posts: `page_size_param` is read as `limit_param`
    - posts: `page_size` is read as `limit`
    - posts: `start_from_page` is read as `base_page`
    "#);
}

#[test]
fn link_header_as_cursor() {
    let written = r#"{type: cursor, cursor_path: headers.link.next.url, cursor_param: page}"#;
    insta::assert_snapshot!(paginator(written), @r#"
    GET https://api.example.com/posts
    auth          none
    pages         Link header, rel "next"
    records       found on the first page
    read as
    - posts: `cursor_path: headers.link.next.url` is read as paginator `header_link`
    "#);
}

#[test]
fn link_in_the_body_as_cursor() {
    let written = r#"{type: cursor, cursor_path: '@odata.nextLink', cursor_param: x}"#;
    insta::assert_snapshot!(paginator(written), @r#"
    GET https://api.example.com/posts
    auth          none
    pages         link at ['@odata.nextLink']
    records       found on the first page
    read as
    - posts: `cursor_path: @odata.nextLink` holds URLs: read as paginator `json_link`
    "#);
}

#[test]
fn cursor_value_in_jinja() {
    let written = r#"{type: cursor, cursor_value: "{{ response.get('meta', {}).get('next') }}", cursor_param: c, stop_condition: 'not response.meta.has_more'}"#;
    insta::assert_snapshot!(paginator(written), @r#"
    GET https://api.example.com/posts
    auth          none
    pages         cursor at meta.next, sent as `c`; until meta.has_more is false (where it is there)
    records       found on the first page
    read as
    - posts: `cursor_value` is read as `cursor_path`
    - posts: `cursor_path: {{ response.get('meta', {}).get('next') }}` is read as `meta.next`
    - posts: `stop_condition: not response.meta.has_more` is read as `has_more_path: meta.has_more`
    "#);
}

#[test]
fn page_token() {
    let written = r#"{type: page_token, token_param: pageToken, next_page_token_jsonpath: nextPageToken}"#;
    insta::assert_snapshot!(paginator(written), @r#"
    GET https://api.example.com/posts
    auth          none
    pages         cursor at nextPageToken, sent as `pageToken`
    records       found on the first page
    read as
    - posts: paginator `page_token` is read as `cursor`
    - posts: `token_param` is read as `cursor_param`
    - posts: `next_page_token_jsonpath` is read as `cursor_path`
    "#);
}

#[test]
fn page_param_of_offset() {
    let written = r#"{type: page_number, limit: 100, limit_param: limit, offset_param: page}"#;
    insta::assert_snapshot!(paginator(written), @r#"
    GET https://api.example.com/posts
    auth          none
    pages         number `page` from 1, 100 records each (`limit`); until total is reached (where it is there) or a page is short
    records       found on the first page
    read as
    - posts: `offset_param` is read as `page_param`
    - posts: pages are counted from 1 (`base_page: 1`)
    "#);
}

#[test]
fn custom() {
    let written = r#"{type: custom}"#;
    insta::assert_snapshot!(paginator(written), @r#"
    GET https://api.example.com/posts
    auth          none
    pages         found on the first page
    records       found on the first page
    read as
    - posts: paginator `custom` is read as `auto`
    "#);
}

#[test]
fn none() {
    let written = r#"none"#;
    insta::assert_snapshot!(paginator(written), @r#"
    GET https://api.example.com/posts
    auth          none
    pages         one
    records       found on the first page
    read as
    - posts: paginator `none` is read as `single_page`
    "#);
}

#[test]
fn json_link_words() {
    let written = r#"{type: json_link, next_link_jsonpath: $.links.next}"#;
    insta::assert_snapshot!(paginator(written), @r#"
    GET https://api.example.com/posts
    auth          none
    pages         link at $.links.next
    records       found on the first page
    read as
    - posts: `next_link_jsonpath` is read as `next_url_path`
    "#);
}

#[test]
fn oauth2_with_refresh_token() {
    let written = r#"{type: oauth2, client_id: a, client_secret: b, refresh_token: c, token_url: 'https://a.example.com/t', scopes: [x, y]}"#;
    insta::assert_snapshot!(auth(written), @r#"
    GET https://api.example.com/posts
    auth          Bearer token for a refresh token from https://a.example.com/t
    pages         found on the first page
    records       found on the first page
    read as
    - auth `oauth2` is read as `oauth2_refresh_token`
    - `token_url` is read as `access_token_url`
    - `scope` is sent with the request for the token
    "#);
}

#[test]
fn api_key_with_format_and_no_value() {
    let written = r#"{type: api_key, location: header, name: Authorization, format: 'Bearer {token}'}"#;
    insta::assert_snapshot!(auth(written), @r#"
    GET https://api.example.com/posts
    auth          key in the header `Authorization`
    pages         found on the first page
    records       found on the first page
    read as
    - the value of `Bearer {token}` comes from the secret `token`, else `api_key`, else `access_token`, else `client_secret`
    "#);
}

#[test]
fn api_key_in_params() {
    let written = r#"{type: apiKey, location: params, key_name: k, value: v}"#;
    insta::assert_snapshot!(auth(written), @r#"
    GET https://api.example.com/posts
    auth          key in the parameter `k`
    pages         found on the first page
    records       found on the first page
    read as
    - `location: params` is read as `query`
    - auth `apiKey` is read as `api_key`
    - `key_name` is read as `name`
    - `value` is read as `api_key`
    "#);
}

#[test]
fn bearer_with_format() {
    let written = r#"{type: bearer, location: header, name: Authorization, format: 'Bearer {api_key}'}"#;
    insta::assert_snapshot!(auth(written), @r#"
    GET https://api.example.com/posts
    auth          bearer token
    pages         found on the first page
    records       found on the first page
    read as
    - the token comes from the secret `api_key`, else `token`, else `access_token`, else `client_secret`
    "#);
}

#[test]
fn bearer_under_another_name() {
    let written = r#"{type: bearer, name: X-Token, format: '{token}'}"#;
    insta::assert_snapshot!(auth(written), @r#"
    GET https://api.example.com/posts
    auth          key in the header `X-Token`
    pages         found on the first page
    records       found on the first page
    read as
    - auth `bearer` is read as `api_key`
    - the value of `{token}` comes from the secret `token`, else `api_key`, else `access_token`, else `client_secret`
    "#);
}

#[test]
fn basic_without_password() {
    let written = r#"{type: basic, username: u}"#;
    insta::assert_snapshot!(auth(written), @r#"
    GET https://api.example.com/posts
    auth          basic, as `u`
    pages         found on the first page
    records       found on the first page
    read as
    - auth `basic` is read as `http_basic`
    - `basic` without `password` sends an empty one
    "#);
}

#[test]
fn samples_stand_for_secrets() {
    let written = r#"{type: oauth2, client_id: '{client_id}', client_secret: '<your_client_secret>', token_url: 'https://a.example.com/t', grant_type: client_credentials}"#;
    insta::assert_snapshot!(auth(written), @r#"
    GET https://api.example.com/posts
    auth          Bearer token for client credentials from https://a.example.com/t
    pages         found on the first page
    records       found on the first page
    read as
    - auth `oauth2` is read as `oauth2_client_credentials`
    - `token_url` is read as `access_token_url`
    - `client_id` comes from the secret `client_id`
    - `client_secret` comes from the secret `client_secret`
    "#);
}

#[test]
fn list_selector() {
    let written = r#"{path: posts, data_selector: [Response, Items]}"#;
    insta::assert_snapshot!(shown("", written), @r#"
    GET https://api.example.com/posts
    auth          none
    pages         found on the first page
    records       Response.Items
    read as
    - posts: `data_selector` ["Response", "Items"] is read as `Response.Items`
    "#);
}

#[test]
fn whole_body() {
    let written = r#"{path: posts, data_selector: []}"#;
    insta::assert_snapshot!(shown("", written), @r#"
    GET https://api.example.com/posts
    auth          none
    pages         found on the first page
    records       the whole body
    read as
    - posts: `data_selector` [] is read as `$`
    "#);
}

#[test]
fn jinja_path() {
    let written = r#"{path: '/lists/{{ list_id }}/forms.json'}"#;
    insta::assert_snapshot!(shown("", written), @r#"
    GET https://api.example.com/lists/{lists.id}/forms.json
    parent        once for each record of lists; rows carry list_id (its id)
    auth          none
    pages         found on the first page
    records       found on the first page
    read as
    - posts: `/lists/{{ list_id }}/forms.json` is read as `/lists/{list_id}/forms.json`
    - posts: `{list_id}` in the path is `id` of each record of `lists`, which every row carries as `list_id`
    "#);
}

#[test]
fn incremental_words() {
    let written = r#"{path: posts, incremental: {cursor_path: at, param_name: since, format: YYYY-MM-DD}}"#;
    insta::assert_snapshot!(shown("", written), @r#"
    GET https://api.example.com/posts
    auth          none
    pages         found on the first page
    records       found on the first page
    incremental   by at, start sent as `since` as a date
    read as
    - posts: `param_name` is read as `start_param`
    - posts: `format: YYYY-MM-DD` is read as `date`
    "#);
}

#[test]
fn incremental_sync() {
    let written = r#"{path: posts, incremental_sync: {type: datetime, cursor_field: updated_at, start_datetime: '2020-01-01T00:00:00Z', datetime_format: '%Y-%m-%dT%H:%M:%SZ', start_time_option: {inject_into: query, field_name: modified_since}, step: P30D}}"#;
    insta::assert_snapshot!(shown("", written), @r#"
    GET https://api.example.com/posts
    auth          none
    pages         found on the first page
    records       found on the first page
    incremental   by updated_at, start sent as `modified_since` as %Y-%m-%dT%H:%M:%SZ; at first from 2020-01-01T00:00:00Z
    read as
    - posts: `incremental_sync` is read as `incremental`
    - posts: `incremental_sync.step` is ignored
    "#);
}

#[test]
fn a_step_of_incremental_sync_is_a_window() {
    let written = r#"{path: posts, incremental_sync: {cursor_field: at, start_datetime: '2020-01-01', datetime_format: '%Y-%m-%d', start_time_option: {field_name: since}, end_time_option: {field_name: until}, step: P30D, cursor_granularity: P1D}}"#;
    insta::assert_snapshot!(shown("", written), @r#"
    GET https://api.example.com/posts
    auth          none
    pages         found on the first page
    records       found on the first page
    incremental   by at, start sent as `since` as a date, end as `until` as a date; at first from 2020-01-01, in windows of 30d
    read as
    - posts: `incremental_sync` is read as `incremental`
    - posts: `incremental_sync.cursor_granularity` is ignored
    - posts: `format: %Y-%m-%d` is read as `date`
    "#);
}

#[test]
fn error_handler() {
    let written = r#"{path: posts, error_handler: {retry_on_status_codes: [429, 500], max_retries: 5, backoff_factor: 1}}"#;
    insta::assert_snapshot!(shown("", written), @r#"
    GET https://api.example.com/posts
    auth          none
    pages         found on the first page
    records       found on the first page
    read as
    - `error_handler` is read as `client.retry`
    "#);
}

#[test]
fn http_method_and_body() {
    let written = r#"{path: posts, http_method: POST, body: {q: 1}}"#;
    insta::assert_snapshot!(shown("", written), @r#"
    POST https://api.example.com/posts
    body          {"q": 1}
    auth          none
    pages         found on the first page
    records       found on the first page
    read as
    - posts: `http_method` is read as `method`
    - posts: `body` is read as `json`
    "#);
}

#[test]
fn a_param_for_the_placeholder() {
    let written = r#"{path: 'x/{site}/y', params: {site: s1, a: [1, 2]}}"#;
    insta::assert_snapshot!(shown("", written), @r#"
    GET https://api.example.com/x/s1/y
    parameter     a = 1, 2
    auth          none
    pages         found on the first page
    records       found on the first page
    "#);
}
