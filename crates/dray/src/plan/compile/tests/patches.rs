//! A file with one thing broken, and what is said about it.

use super::{explained, planned};
use crate::config::parse::Format;
use crate::plan::{AuthPlan, Disposition};

/// The golden file, of which a patch replaces whole top-level keys.
fn problems(patch: &str) -> String {
    let client = "client: {base_url: 'https://api.example.com/v1', auth: {token: t}}";
    let resources = "resources: [posts]";
    let mut lines = Vec::new();
    for line in [client, resources] {
        let key = line.split(':').next().unwrap();
        lines.push(if patch.starts_with(key) { patch } else { line });
    }
    let plan = planned(&lines.join("\n"), Format::Yaml);
    assert!(plan.is_err(), "{}", explained(&plan));
    explained(&plan)
}

#[test]
fn the_golden_file_is_right() {
    let plan = planned("client: {base_url: 'https://api.example.com/v1'}\nresources: [posts]", Format::Yaml);
    assert!(plan.is_ok(), "{}", explained(&plan));
}

#[test]
fn unknown_key() {
    let patch = r#"resources: [{name: posts, endpoint: {path: posts, data_selectr: data}}]"#;
    insta::assert_snapshot!(problems(patch), @r#"
    2:51 resources[0].endpoint.data_selectr: unknown key `data_selectr`
      = nearest is `data_selector`; expected one of `path`, `method`, `params`, `json`, `data`, `text`, `headers`, `paginator`, `data_selector`, `incremental`, `response_actions`, `format`, `auth`, `expand`, `parent_filter`, `data_selector_required`
    "#);
}

#[test]
fn unknown_key_of_a_paginator() {
    let patch =
        r#"resources: [{name: posts, endpoint: {paginator: {type: offset, limit: 10, ofset_param: skip}}}]"#;
    insta::assert_snapshot!(problems(patch), @r#"
    2:75 resources[0].endpoint.paginator.ofset_param: unknown key `ofset_param`
      = nearest is `offset_param`; `offset` knows `total_path`, `stop_after_empty_page`, `has_more_path`, `has_more_optional`, `limit`, `limit_param`, `limit_body_path`, `offset`, `offset_param`, `offset_body_path`, `maximum_offset`, `drift`, `total_header`, `omit_first`
    "#);
}

#[test]
fn a_key_of_another_paginator() {
    let patch = r#"resources: [{name: posts, endpoint: {paginator: {type: json_link, cursor_path: next}}}]"#;
    insta::assert_snapshot!(problems(patch), @r#"
    2:67 resources[0].endpoint.paginator.cursor_path: `cursor_path` is a key of `cursor`, not of `json_link`
      = `json_link` knows `has_more_path`, `has_more_optional`, `limit`, `limit_param`, `limit_body_path`, `next_url_path`
    "#);
}

#[test]
fn wrong_kind() {
    let patch = r#"resources: [{name: posts, endpoint: {params: [a]}}]"#;
    insta::assert_snapshot!(problems(patch), @"2:46 resources[0].endpoint.params: expected a mapping of names to values, found a list");
}

#[test]
fn missing_name() {
    let patch = r#"resources: [{endpoint: posts}]"#;
    insta::assert_snapshot!(problems(patch), @"2:13 resources[0]: missing key `name`");
}

#[test]
fn duplicate_name() {
    let patch = r#"resources: [posts, {name: posts}]"#;
    insta::assert_snapshot!(problems(patch), @"2:27 resources[1].name: there is another resource `posts`");
}

#[test]
fn a_filter_of_parents_without_a_parent_or_without_a_condition() {
    let patch = r#"resources: [posts, {name: a, endpoint: {path: a, parent_filter: "@.x == 1"}}, {name: b, endpoint: {path: "b/{resources.posts.id}/c", parent_filter: "x = 1"}}]"#;
    insta::assert_snapshot!(problems(patch), @r#"
    2:65 resources[1].endpoint.parent_filter: `parent_filter` stands here, but the resource has no parent
      = a parent is named by a placeholder: `{resources.<name>.<field>}`
    2:149 resources[2].endpoint.parent_filter: `x = 1` says nothing of the record, which is `@`: `@.automatic == true`
      = write a JSONPath condition on the parent's record, such as `@.automatic == true && @.amount > 0`
    "#);
}

#[test]
fn two_resources_in_one_table() {
    let patch = r#"resources: [{name: a, table_name: posts}, {name: b, table_name: Posts, write_disposition: replace}]"#;
    insta::assert_snapshot!(problems(patch), @r#"
    2:65 resources[1].table_name: `a` and `b` would fill one table `posts`, but one replaces its rows and the other does not
      = give one of them another `table_name`, or both the same `write_disposition`
    "#);
    let patch = r#"resources: [{name: a, table_name: p, max_table_nesting: 1}, {name: b, table_name: p}]"#;
    insta::assert_snapshot!(problems(patch), @r#"
    2:83 resources[1].table_name: `a` and `b` would fill one table `p`, but their `max_table_nesting` differs
      = give one of them another `table_name`, or both the same
    "#);
    let patch = "resources: [{name: a, table_name: p, write_disposition: merge, primary_key: id}, {name: b, table_name: p, write_disposition: merge, primary_key: [id, x]}]";
    insta::assert_snapshot!(problems(patch), @r#"
    2:104 resources[1].table_name: `a` and `b` would fill one table `p`, but they merge by different keys
      = give one of them another `table_name`, or both the same `primary_key` and `merge_key`
    "#);
}

#[test]
fn a_table_that_is_also_a_nested_one() {
    let patch = r#"resources: [posts__lines__x, posts]"#;
    insta::assert_snapshot!(problems(patch), @r#"
    2:13 resources[0]: the table `posts__lines__x` of resource `posts__lines__x` is also that of lists `lines__x` in records of `posts`
      = give one of the two another `table_name`
    "#);
    let flat = "client: {base_url: 'https://api.example.com/v1'}\nresources: [{name: posts, max_table_nesting: 0}, posts__lines]";
    assert!(planned(flat, Format::Yaml).is_ok());
}

#[test]
fn a_table_among_those_about_loads() {
    let patch = r#"resources: [{name: posts, table_name: _dlt_loads}]"#;
    insta::assert_snapshot!(problems(patch), @r#"
    2:39 resources[0].table_name: a table `_dlt_loads` would stand among those about loads
      = give the resource a `table_name` that does not begin with `_dlt_` or `_dray_`
    "#);
}

#[test]
fn resources_that_merge_by_one_key_share_a_table() {
    let resource = |name: &str| {
        format!("{{name: {name}, table_name: posts, write_disposition: merge, primary_key: id}}")
    };
    let text = format!(
        "client: {{base_url: 'https://api.example.com/v1'}}\nresources: [{}, {}]",
        resource("a"),
        resource("b")
    );
    let plan = planned(&text, Format::Yaml).unwrap();
    assert_eq!(plan.notes[0].shown(), "b: fills the table `posts` together with `a`");
    // One that is not selected may be named on the command line.
    let text = text.replacen("name: a,", "name: a, selected: false,", 1);
    assert_eq!(planned(&text, Format::Yaml).unwrap().notes[0].shown(), plan.notes[0].shown());
}

#[test]
fn resources_that_append_name_their_rows_in_a_shared_table() {
    let text = "client: {base_url: 'https://api.example.com/v1'}\nresource_defaults: {primary_key: id}\nresources: \
                [Posts, posts, {name: more, table_name: posts, write_disposition: merge}, alone]";
    let plan = planned(text, Format::Yaml).unwrap();
    let shared = |place: usize| plan.resources[place].load.shared.as_ref();
    assert_eq!(shared(0).unwrap().others, ["posts", "more"]);
    assert!(shared(2).unwrap().merges && shared(3).is_none());
    let inherited: Vec<bool> = plan.resources.iter().map(|resource| resource.load.key_inherited).collect();
    assert_eq!(inherited, [true, true, false, true]);
}

#[test]
fn a_null_takes_the_default_back() {
    let text = "client: {base_url: 'https://api.example.com/v1'}\nresource_defaults: {primary_key: id, write_disposition: merge, \
                table_name: all, max_table_nesting: 0, drop: [x], set: {n: 1}, processing_steps: [{filter: .a}], \
                columns: {a: {data_type: text}}, endpoint: {data_selector: data, headers: {X-A: b}, \
                incremental: {cursor_path: at, initial_value: 1}, paginator: single_page, params: {a: 1}}}\nresources: \
                [{name: same, table_name: same}, {name: posts, primary_key: null, write_disposition: null, table_name: null, \
                max_table_nesting: null, drop: null, processing_steps: null, columns: null, endpoint: {data_selector: null, \
                headers: null, incremental: null, paginator: null, params: {a: null}}}]";
    let plan = planned(text, Format::Yaml).unwrap();
    let [same, posts] = plan.resources.as_slice() else { panic!("two resources") };
    assert_eq!(
        (same.load.primary_key.as_slice(), same.load.disposition),
        (&["id".to_owned()][..], Disposition::Merge)
    );
    assert!(same.incremental.is_some() && same.selector.is_some() && !same.request.headers.is_empty());
    assert_eq!((posts.load.table.as_str(), posts.load.disposition), ("posts", Disposition::Append));
    assert!(
        posts.load.primary_key.is_empty()
            && posts.load.columns.is_empty()
            && posts.load.max_nesting.is_none()
    );
    assert!(posts.incremental.is_none() && posts.selector.is_none() && posts.request.headers.is_empty());
    assert!(posts.request.params.is_empty());
    // Of the steps `set` is left.
    assert_eq!((same.transform.steps.len(), posts.transform.steps.len()), (3, 1));
}

#[test]
fn a_lag_that_appends_is_noted() {
    let incremental = "incremental: {cursor_path: at, initial_value: 1, lag: 5}";
    let text = |disposition: &str| {
        format!(
            "client: {{base_url: 'https://api.example.com/v1'}}\nresources: [{{name: posts, primary_key: id, \
             write_disposition: {disposition}, endpoint: {{path: posts, {incremental}}}}}]"
        )
    };
    let notes = |disposition| planned(&text(disposition), Format::Yaml).unwrap().notes;
    assert!(notes("append")[0].text.starts_with("`lag` reads the newest records again"));
    assert!(notes("merge").is_empty());
}

#[test]
fn unknown_parent() {
    let patch = r#"resources: [posts, {name: comments, endpoint: 'posts/{resources.post.id}/comments'}]"#;
    insta::assert_snapshot!(problems(patch), @r#"
    2:47 resources[1].endpoint: no resource `post`
      = nearest is `posts`
    "#);
}

#[test]
fn refers_to_itself() {
    let patch = r#"resources: [{name: posts, endpoint: 'x/{resources.posts.id}/y'}]"#;
    insta::assert_snapshot!(problems(patch), @"2:37 resources[0].endpoint: `posts` refers to itself");
}

#[test]
fn cycle() {
    let patch = r#"resources: [{name: a, endpoint: 'a/{resources.b.id}/x'}, {name: b, endpoint: 'b/{resources.a.id}/x'}]"#;
    insta::assert_snapshot!(problems(patch), @"2:33 resources[0].endpoint: resources need each other: `a` -> `b` -> `a`");
}

#[test]
fn two_parents() {
    let patch = r#"resources: [a, b, {name: c, endpoint: 'c/{resources.a.id}/{resources.b.id}/x'}]"#;
    insta::assert_snapshot!(problems(patch), @r#"
    2:39 resources[2].endpoint: two parents, `a` and `b`, of which neither stands above the other
      = make one the child of the other (a placeholder of `a` in `b`, or the other way round), or list the values of one of them with `for_each`
    "#);
    let patch = r#"resources: [a, {name: b, endpoint: {path: 'a/{resources.a.id}/b', incremental: {cursor_path: t}}}, {name: c, endpoint: 'c/{resources.a.slug}/{resources.b.id}/x'}]"#;
    insta::assert_snapshot!(problems(patch), @r#"
    2:120 resources[2].endpoint: `b` cannot hand down `slug` of `a`: it is incremental, and its requests do not use that field
      = carry it as a column: `include_from_parent: [slug]` in `b`, and `{resources.b._a_slug}` here
    "#);
}

#[test]
fn a_batch_and_what_belongs_to_one_record() {
    let patch = r#"resources: [a,
        {name: b, endpoint: {path: 'b/{resources.a.id}', params: {ids: {type: resolve, resource: a, field: id, batch: 5}}}},
        {name: c, include_from_parent: [id], endpoint: {path: c, params: {ids: {type: resolve, resource: a, field: id, batch: 5}}}},
        {name: d, endpoint: {path: d, incremental: {cursor_path: t}, json: {ids: {type: resolve, resource: a, field: id, batch: 5}}}},
        {name: e, endpoint: {path: e, params: {ids: {type: resolve, resource: a, field: id, batch: 0}}}},
        {name: f, endpoint: {path: f, params: {ids: {type: resolve, resource: a, field: id, separator: x}}}},
        {name: g, endpoint: {path: g, json: {ids: {type: resolve, resource: a, batch: 5}}}}]"#;
    insta::assert_snapshot!(problems(patch), @r##"
    3:119 resources[1].endpoint.params.ids.batch: `batch` asks for several records at once, and a placeholder names a field of one of them
      = use fields of the parent in the request as a batch only, or leave `batch` out
    4:40 resources[2].include_from_parent: `include_from_parent` names a field of one record, and `batch` asks for several at once
      = rows of a batch tell themselves whose they are; leave one of the two out
    5:129 resources[3].endpoint.json.ids.batch: an incremental cursor belongs to one record of the parent, and `batch` asks for several at once
      = leave `batch` or `incremental` out: batches are not the same from run to run
    6:100 resources[4].endpoint.params.ids.batch: `batch` is a number from 1 to 1000
    7:53 resources[5].endpoint.params.ids: `ids` resolves a placeholder that the path does not have
      = as a parameter it is written `ids: "{resources.a.id}"`
    7:104 resources[5].endpoint.params.ids.separator: `separator` is a text between the values of a `batch`
    8:51 resources[6].endpoint.json.ids: a batch in a body needs `resource`, `field` and a number as `batch`
      = write `{type: resolve, resource: items, field: id, batch: 50}`
    "##);
}

#[test]
fn bad_path() {
    let patch = r#"resources: [{name: posts, endpoint: {data_selector: 'data['}}]"#;
    insta::assert_snapshot!(problems(patch), @"2:53 resources[0].endpoint.data_selector: `data[` is not a JSONPath: `[` after `data` is not understood");
}

#[test]
fn include_without_parent() {
    let patch = r#"resources: [{name: posts, include_from_parent: [id]}]"#;
    insta::assert_snapshot!(problems(patch), @r#"
    2:48 resources[0].include_from_parent: `include_from_parent` stands here, but the resource has no parent
      = a parent is named by a placeholder: `{resources.<name>.<field>}`
    "#);
}

#[test]
fn nothing_gives_the_placeholder() {
    let patch = r#"resources: [users, {name: posts, endpoint: 'groups/{group_id}/posts'}]"#;
    insta::assert_snapshot!(problems(patch), @r#"
    2:44 resources[1].endpoint: nothing gives `{group_id}` its value: no resource's path ends in `groups`, and none is named after `group_id`; the file has `users`
      = write `{resources.<name>.<field>}` in its place, or give `params: {group_id: ...}`
    "#);
}

#[test]
fn cursor_without_incremental() {
    let patch = r#"resources: [{name: posts, endpoint: {params: {since: '{incremental.start_value}'}}}]"#;
    insta::assert_snapshot!(problems(patch), @r#"
    2:54 resources[0].endpoint.params.since: `{incremental.start_value}` stands here, but the endpoint has no `incremental`
      = add `incremental: {cursor_path: ...}` to the endpoint
    "#);
}

#[test]
fn unknown_cursor_value() {
    let patch = r#"resources: [{name: posts, endpoint: {params: {since: '{incremental.start_vale}'}, incremental: {cursor_path: at}}}]"#;
    insta::assert_snapshot!(problems(patch), @r#"
    2:54 resources[0].endpoint.params.since: unknown value `{incremental.start_vale}`
      = nearest is `start_value`; known are `start_value`, `last_value`, `initial_value`, `end_value`
    "#);
}

#[test]
fn incremental_without_cursor_path() {
    let patch = r#"resources: [{name: posts, endpoint: {incremental: {start_param: since}}}]"#;
    insta::assert_snapshot!(problems(patch), @"2:51 resources[0].endpoint.incremental: missing key `cursor_path`");
}

#[test]
fn window_without_start() {
    let patch = r#"resources: [{name: posts, endpoint: {incremental: {cursor_path: at, end_value: 5}}}]"#;
    insta::assert_snapshot!(problems(patch), @"2:80 resources[0].endpoint.incremental.end_value: `end_value` needs `initial_value`: together they are the window that is read");
}

#[test]
fn param_and_body() {
    let patch = r#"resources: [{name: posts, endpoint: {paginator: {type: cursor, cursor_param: c, cursor_body_path: page.c}}}]"#;
    insta::assert_snapshot!(problems(patch), @r#"
    2:99 resources[0].endpoint.paginator.cursor_body_path: a parameter and a place in the body exclude each other
      = keep one of the two keys
    "#);
}

#[test]
fn nothing_ends() {
    let patch = r#"resources: [{name: posts, endpoint: {paginator: {type: page_number, total_path: null, stop_after_empty_page: false}}}]"#;
    insta::assert_snapshot!(problems(patch), @r#"
    2:49 resources[0].endpoint.paginator: nothing ends this paginator
      = give `total_path`, `has_more_path` or a maximum, or leave `stop_after_empty_page` on
    "#);
}

#[test]
fn maximum_before_start() {
    let patch = r#"resources: [{name: posts, endpoint: {paginator: {type: page_number, base_page: 1, maximum_page: 1}}}]"#;
    insta::assert_snapshot!(problems(patch), @r#"
    2:49 resources[0].endpoint.paginator: `maximum_page: 1` ends before the first page at 1
      = `maximum_page` is the first that is not asked for
    "#);
}

#[test]
fn offset_without_limit() {
    let patch = r#"resources: [{name: posts, endpoint: {paginator: {type: offset}}}]"#;
    insta::assert_snapshot!(problems(patch), @r#"
    2:49 resources[0].endpoint.paginator: `offset` needs `limit`
      = write `{type: offset, limit: 100}`
    "#);
}

#[test]
fn foreign_origin() {
    let patch = r#"resources: [{name: posts, endpoint: 'https://evil.example.org/posts'}]"#;
    insta::assert_snapshot!(problems(patch), @r#"
    2:37 resources[0].endpoint: the path leads to another origin, `https://evil.example.org`, which would get the API's credentials
      = if that is meant, add `client.allowed_origins: ["https://evil.example.org"]`
    "#);
}

#[test]
fn base_url_without_scheme() {
    let patch = r#"client: {base_url: api.example.com/v1}"#;
    insta::assert_snapshot!(problems(patch), @r#"
    1:20 client.base_url: `base_url` has no scheme
      = expected a URL such as `https://api.example.com/v1/`
    "#);
}

#[test]
fn base_url_with_placeholder() {
    let patch = r#"client: {base_url: 'https://{subdomain}.example.com'}"#;
    insta::assert_snapshot!(problems(patch), @r#"
    1:20 client.base_url: `base_url` still has the placeholder `{subdomain}`
      = write the value in its place, use `${vars.NAME}`, or pass `--set client.base_url=...`
    "#);
}

#[test]
fn header_with_line_break() {
    let patch = r#"client: {base_url: 'https://api.example.com', headers: {X-A: "a\nb"}}"#;
    insta::assert_snapshot!(problems(patch), @r#"
    1:62 client.headers.X-A: a header's value cannot hold a line break
      = a secret read from a file often ends in one
    "#);
}

#[test]
fn python_only() {
    let patch = r#"client: {base_url: 'https://api.example.com', session: x}"#;
    insta::assert_snapshot!(problems(patch), @r#"
    1:47 client.session: `session` exists only in Python
      = `client.headers`, `client.retry` and `client.timeout` say what a session is used for
    "#);
}

#[test]
fn functions() {
    let patch = r#"resources: [{name: posts, processing_steps: [{filter: .x}], endpoint: {incremental: {cursor_path: at, convert: f}}}]"#;
    insta::assert_snapshot!(problems(patch), @r#"
    2:103 resources[0].endpoint.incremental.convert: `convert` is a Python function
      = use `format`: `unix`, `unix_milliseconds`, `iso`, `date`, or a pattern such as `%Y-%m-%d`
    "#);
}

#[test]
fn not_supported_yet() {
    let patch = r#"resources: [{name: posts, write_disposition: {disposition: merge, strategy: scd2}}]"#;
    insta::assert_snapshot!(problems(patch), @r#"
    2:77 resources[0].write_disposition.strategy: `strategy: scd2` is not supported yet
      = `delete-insert` and `upsert` are
    "#);
}

#[test]
fn sort_without_key() {
    let patch = r#"resources: [{name: posts, columns: {at: {dedup_sort: desc}}}]"#;
    insta::assert_snapshot!(problems(patch), @"2:41 resources[0].columns.at: `dedup_sort` needs `primary_key`: else no two rows are the same");
}

#[test]
fn method_that_writes() {
    let patch = r#"resources: [{name: posts, endpoint: {method: DELETE}}]"#;
    insta::assert_snapshot!(problems(patch), @"2:46 resources[0].endpoint.method: `DELETE` does not read: only GET and POST are sent");
}

#[test]
fn unknown_auth() {
    let patch = r#"client: {base_url: 'https://api.example.com', auth: {type: bearrer, token: x}}"#;
    insta::assert_snapshot!(problems(patch), @r##"
    1:60 client.auth.type: unknown auth type `bearrer`
      = nearest is `bearer`; expected one of `bearer`, `api_key`, `http_basic`, `oauth2_client_credentials`, `oauth2_refresh_token`, `oauth2_password`, `login`, `none`
    "##);
}

#[test]
fn unknown_column_type() {
    let patch = r#"resources: [{name: posts, columns: {at: {data_type: timestmp}}}]"#;
    insta::assert_snapshot!(problems(patch), @r#"
    2:53 resources[0].columns.at.data_type: unknown data type `timestmp`
      = nearest is `timestamp`; expected one of `text`, `bigint`, `double`, `bool`, `timestamp`, `date`, `time`, `decimal`, `wei`, `json`, `binary`
    "#);
}

#[test]
fn params_of_mappings() {
    let patch = r#"resources: [{name: posts, endpoint: {params: {filter: {a: 1}}}}]"#;
    insta::assert_snapshot!(problems(patch), @r#"
    2:55 resources[0].endpoint.params.filter: a mapping is not the value of a parameter
      = write text, a number, a list, or `{type: resolve, resource, field}` or `{type: incremental, cursor_path}`
    "#);
}

#[test]
fn resolve_without_placeholder() {
    let patch = r#"resources: [posts, {name: comments, endpoint: {params: {post: {type: resolve, resource: posts, field: id}}}}]"#;
    insta::assert_snapshot!(problems(patch), @r#"
    2:63 resources[1].endpoint.params.post: `post` resolves a placeholder that the path does not have
      = as a parameter it is written `post: "{resources.posts.id}"`
    "#);
}

#[test]
fn braces() {
    let patch = r#"resources: [{name: posts, endpoint: {json: {query: '{ posts { id } }'}}}]"#;
    insta::assert_snapshot!(problems(patch), @r#"
    2:52 resources[0].endpoint.json.query: `}` without `{`
      = braces that are meant as such are doubled: `{{` and `}}`
    "#);
}

#[test]
fn what_follows_from_a_problem_is_not_said() {
    let patch =
        r#"resources: [posts, {name: c, include_from_parent: [id], endpoint: 'x/{resources.psts.id}/y'}]"#;
    insta::assert_snapshot!(problems(patch), @r#"
    2:67 resources[1].endpoint: no resource `psts`
      = nearest is `posts`
    "#);
}

#[test]
fn origins_that_may_not_be_allowed() {
    let patch = r#"client: {base_url: 'https://api.example.com', allowed_origins: ['http://files.example.com', 'https://169.254.169.254', 'files.example.com', 'https://u@x.example.com']}"#;
    insta::assert_snapshot!(problems(patch), @r"
    1:64 client.allowed_origins: `http://files.example.com` is not https, but `base_url` is
      = credentials would travel in clear; no switch allows that
    1:64 client.allowed_origins: `https://169.254.169.254` is an address of the machine's own network
      = no API may lead there: link-local addresses answer with the machine's credentials
    1:64 client.allowed_origins: `files.example.com` is not an origin
      = an origin is scheme, host and port: `https://files.example.com`
    1:64 client.allowed_origins: `https://u@x.example.com` is not an origin
      = an origin is scheme, host and port: `https://files.example.com`
    ");
}

#[test]
fn certificates_come_with_their_keys() {
    let patch = r#"client: {base_url: 'https://api.example.com', tls: {client_cert_file: client.pem, verify: false}}"#;
    insta::assert_snapshot!(problems(patch), @r"
    1:71 client.tls.client_cert_file: a client certificate needs both `client_cert_file` and `client_key_file`
      = both may name one file that holds certificate and key
    1:83 client.tls.verify: `verify` is not a key here
      = certificates are always verified; `ca_file` adds an authority of your own
    ");
}

#[test]
fn a_user_in_the_base_url_is_basic_auth() {
    let plan = |auth: &str| {
        let text =
            format!("client: {{base_url: 'https://me:p%40ss@api.example.com/v1'{auth}}}\nresources: [posts]");
        planned(&text, Format::Yaml).unwrap_or_else(|problems| panic!("{problems}"))
    };
    let read = plan("");
    assert_eq!(read.client.base_url.as_str(), "https://api.example.com/v1/");
    let AuthPlan::Basic { username, password } = &read.resources[0].auth else {
        panic!("{:?}", read.resources)
    };
    assert_eq!((username.expose(), password.expose()), ("me", "p@ss"));
    // What is written as `auth` wins, also where it says none.
    let read = plan(", auth: {token: t}");
    assert_eq!(read.client.base_url.as_str(), "https://api.example.com/v1/");
    assert!(matches!(read.resources[0].auth, AuthPlan::Bearer { .. }));
    assert!(read.notes.iter().any(|note| note.text.contains("`base_url` are not used")));
    assert_eq!(plan(", auth: null").resources[0].auth, AuthPlan::None);
}

#[test]
fn limits_and_rejects_out_of_range() {
    let patch = "client: {base_url: 'https://api.example.com', max_body: 1MB, max_rejects: few, rejects: drop, limits: {body: 1MB, depth: 1000, columns: 3, width: 5}}";
    insta::assert_snapshot!(problems(patch), @r"
    1:75 client.max_rejects: expected a whole number, found text
    1:89 client.rejects: unknown way to treat rejects `drop`
      = expected one of `count`, `keep`
    1:110 client.limits.body: `max_body` says this already
      = keep one of the two
    1:122 client.limits.depth: expected a number from 1 to 512
    1:137 client.limits.columns: expected a number from 10 to 100000
    1:140 client.limits.width: unknown key `width`
      = expected one of `body`, `wire`, `redirects`, `ratio`, `headers`, `depth`, `keys`, `values`, `items`, `columns`, `tables`
    ");
}

#[test]
fn a_window_needs_its_ends_and_times() {
    let patch = |keys: &str| {
        problems(&format!(
            "resources: [{{name: posts, endpoint: {{path: posts, incremental: {{cursor_path: at, {keys}}}}}}}]"
        ))
    };
    let until = "start_param: since, end_param: until";
    insta::assert_snapshot!(patch("window: 30d, initial_value: '2024-01-01'"), @r#"
    2:90 resources[0].endpoint.incremental.window: `window` needs a way to send where a window ends
      = give `end_param`, or write `{incremental.end_value}` where the API expects it
    "#);
    insta::assert_snapshot!(patch(&format!("window: 30d, {until}")), @r#"
    2:90 resources[0].endpoint.incremental.window: `window` needs to know where the first window begins
      = give `initial_value`, as in `initial_value: "2024-01-01T00:00:00Z"`
    "#);
    insta::assert_snapshot!(patch(&format!("window: soon, {until}")), @r#"
    2:90 resources[0].endpoint.incremental.window: not a duration
      = written as `500ms`, `30s`, `5m`, `1h`, or as seconds
    "#);
    insta::assert_snapshot!(patch(&format!("window: {{length: 30d}}, {until}")), @r#"
    2:90 resources[0].endpoint.incremental.window: missing key `size`
      = write `window: 30d` or `window: {size: 30d}`
    2:91 resources[0].endpoint.incremental.window.length: unknown key `length`
      = expected one of `size`
    "#);
    insta::assert_snapshot!(patch(&format!("window: 30d, initial_value: 5, {until}")), @r#"
    2:90 resources[0].endpoint.incremental.window: `window` needs cursors that are times, and `initial_value` does not say what it is
      = give `format: unix` or `unix_milliseconds`, or write it as `2024-01-01T00:00:00Z`
    "#);
    insta::assert_snapshot!(patch(&format!("window: 12h, initial_value: '2024-01-01', {until}")), @r#"
    2:90 resources[0].endpoint.incremental.window: dates are sent, so a window is whole days
      = write `window: 1d` or more
    "#);
    insta::assert_snapshot!(patch(&format!("window: 1d, last_value_func: min, initial_value: '2024-01-01', {until}")), @r#"
    2:90 resources[0].endpoint.incremental.window: `window` goes forward in time: it cannot go with `last_value_func: min`
    "#);
}

#[test]
fn what_cannot_mend_a_gap() {
    let feed = |more: &str, other: &str| {
        let text = format!(
            "resources: [{{name: events, endpoint: {{path: events, incremental: {{cursor_path: at{more}}}}}}}, {{name: posts{other}}}]"
        );
        problems(&text)
    };
    for (more, other, said) in [
        (", fallback: posts", "", "`fallback` is read once `retention` has passed, and there is none"),
        (", retention: 30d, fallback: post", "", "there is no other resource `post`\n  = nearest is `posts`"),
        (", retention: 30d, fallback: posts", "", "`posts` cannot be read in full again"),
        (", retention: 30d, initial_value: 0", "", "`retention` needs cursors that are times"),
        (
            ", retention: 30d, start_param: '{resources.posts.id}'}, params: {of: '{resources.posts.id}'",
            "",
            "`retention` is for resources without a parent",
        ),
    ] {
        let found = feed(more, other);
        assert!(found.contains(said), "{found}");
    }
}
