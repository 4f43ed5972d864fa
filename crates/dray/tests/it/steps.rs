//! Processing steps in whole runs: what is loaded, what children, cursors and reports see of it, and that a run that stops
//! in the middle loses and doubles nothing.

use dray::config::load::read_text_as;
use dray::config::parse::Format;
use dray::config::secrets::Sources;
use dray::error::ErrorKind;
use dray::plan::prepare;
use dray::report::Status;
use dray_sim::{Request, Response, Sim};
use serde_json::{Value, json};

use crate::support::{Bench, of, plan, read, script, things};

/// One page.
fn list(records: Value) -> Sim {
    script(move |_| Response::json(&records))
}

fn one(keys: &str) -> String {
    format!(
        "  - {{name: things, endpoint: {{path: items, data_selector: $, paginator: single_page}}, {keys}}}"
    )
}

#[test]
fn records_are_filtered_mapped_and_taken_apart_before_they_are_loaded() {
    let sim = list(json!([
        {"id": 1, "state": "ok", "lines": [{"sku": "a", "n": 2}, {"sku": "b", "n": 0}]},
        {"id": 2, "state": "void", "lines": [{"sku": "c", "n": 1}]},
        {"id": 3, "state": "ok", "lines": []},
        {"id": 4, "state": "ok", "lines": "none"},
    ]));
    let steps = "processing_steps: [{filter: '.state != \"void\"'}, \
                 {yield_map: '. as $order | .lines[] | .order = $order.id'}, {map: '.n *= 10'}], rename: {sku: article}";
    let bench = Bench::new();
    let report = bench.run(plan(&sim, "rejects: keep", &one(steps)));
    let things = of(&report, "things");
    assert_eq!(things.status, Status::Succeeded);
    // Read: four; one filtered, one without lines, one whose lines are none.
    assert_eq!((things.records, things.rows, things.filtered, things.rejected), (4, 2, 2, 1));
    let rows = bench.query("SELECT article, n, \"order\" FROM test_dataset.things ORDER BY 1");
    assert_eq!(rows, [["a", "20", "1"], ["b", "0", "1"]]);
    let reject =
        bench.query("SELECT pointer, reason, CAST(decode(raw) AS VARCHAR) FROM test_dataset._dray_rejects");
    let reason = "processing_steps[1].yield_map: it cannot use a value as iterable (array or object)";
    assert_eq!(reject, [["/3", reason, r#"{"id":4,"state":"ok","lines":"none"}"#]]);
}

#[test]
fn fields_are_kept_dropped_renamed_and_set_in_this_order() {
    let sim = list(json!([{"id": 1, "a": {"b": 1, "c": 2}, "x": "y", "z": null}]));
    let steps = "keep: [id, a, x], drop: a.c, rename: {a: inner, id: nr}, set: {kind: thing, label: \"{nr}/{x}\", copy: \"{inner}\"}";
    let told = things(plan(&sim, "", &one(steps)));
    let expected =
        json!({"nr": 1, "inner": {"b": 1}, "x": "y", "kind": "thing", "label": "1/y", "copy": {"b": 1}});
    assert_eq!(told.partitions[""], [expected]);
}

#[test]
fn functions_in_python_do_what_python_does() {
    let code = r#"
def clean(record):
    if not record.get('tags'):
        record['tags'] = ['none']
    record['email'] = record['email'].strip().lower()
    record.pop('secret', None)
    return record

def spread(record):
    for tag in record['tags']:
        yield {**record, 'tag': tag, 'long': len(tag) > 1, 'label': f"{record['id']}:{tag}"}

config = {
    'client': {'base_url': 'BASE'},
    'resources': [{
        'name': 'things',
        'endpoint': {'path': 'items', 'data_selector': '$', 'paginator': 'single_page'},
        'processing_steps': [
            {'filter': lambda r: r['total'] % 3 != 1 and (r['state'] in ('new', 'paid') or float(r['total']) > 500)},
            {'map': clean},
            {'yield_map': spread},
        ],
    }],
}
"#;
    let sim = list(json!([
        {"id": 1, "total": 3, "state": "new", "tags": ["a", "bc"], "email": " ÄB@c.org", "secret": 1},
        {"id": 2, "total": -2, "state": "paid", "tags": [], "email": "x@y.org"},
        {"id": 3, "total": 600, "state": "void", "email": "Z@y.org"},
        {"id": 4, "total": 4, "state": "new", "tags": ["a"], "email": "no"},
        {"id": 5, "total": 3, "state": "void", "tags": ["a"], "email": "no"},
        {"id": 6, "total": 6, "state": "new", "tags": ["a"], "email": null},
    ]));
    let loaded =
        read_text_as("test.py".to_owned(), code.replace("BASE", sim.base_url()), Format::Python).unwrap();
    let prepared = prepare(loaded, &[], &Sources::new("2024-05-01T00:00:00Z".parse().unwrap()));
    let told = things(prepared.plan.unwrap_or_else(|| panic!("{}", prepared.diagnostics)));
    // As CPython 3.12 gives it: -2 % 3 is 1; of the last record `None.strip()` ends the run, here it is a reject.
    let expected = [
        json!({"id": 1, "total": 3, "state": "new", "tags": ["a", "bc"], "email": "äb@c.org", "tag": "a", "long": false, "label": "1:a"}),
        json!({"id": 1, "total": 3, "state": "new", "tags": ["a", "bc"], "email": "äb@c.org", "tag": "bc", "long": true, "label": "1:bc"}),
        json!({"id": 3, "total": 600, "state": "void", "email": "z@y.org", "tags": ["none"], "tag": "none", "long": true, "label": "3:none"}),
    ];
    assert_eq!(told.partitions[""], expected);
}

/// Users, of whom one is a robot, and what each of them posted.
fn posts(request: &Request) -> Response {
    match request.path.split('/').skip(1).collect::<Vec<_>>().as_slice() {
        ["users"] => Response::json(&json!([{"id": 1, "bot": false}, {"id": 2, "bot": true}])),
        ["users", id, "posts"] => Response::json(&json!([{"text": format!("by {id}")}])),
        _ => Response::status(404),
    }
}

#[test]
fn children_are_asked_for_what_the_steps_leave_and_see_what_their_parent_gives_them() {
    let sim = script(posts);
    let resources = "  - {name: users, endpoint: {path: users, data_selector: $}, \
                        processing_steps: [{filter: '.bot | not'}], rename: {id: user}}\n  \
        - {name: posts, include_from_parent: [user], \
           endpoint: {path: \"users/{resources.users.user}/posts\", data_selector: $, paginator: single_page}, \
           rename: {_users_user: author}}";
    let told = read(plan(&sim, "", resources));
    assert_eq!(told["posts"].values("author"), [json!(1)]);
    let bench = Bench::new();
    bench.run(plan(&sim, "", resources));
    assert_eq!(bench.query("SELECT text, author FROM test_dataset.posts"), [["by 1", "1"]]);
    let columns = "SELECT column_name FROM duckdb_columns() WHERE table_name = 'posts' AND column_name NOT LIKE '_dlt%' ORDER BY 1";
    assert_eq!(bench.column(columns), ["author", "text"]);
}

#[test]
fn a_cursor_may_be_made_by_a_step() {
    let sim = list(json!([{"id": 1, "meta": {"at": 5}}, {"id": 2, "meta": {"at": 9}}]));
    let resources = "  - {name: things, processing_steps: [{map: '.at = .meta.at'}], endpoint: {path: items, data_selector: $, \
                       paginator: single_page, incremental: {cursor_path: at, initial_value: 6}}}";
    let told = things(plan(&sim, "", resources));
    assert_eq!(told.ids(), [2]);
    assert_eq!(serde_json::to_value(&told.moves[""]).unwrap()["state"]["last_value"], json!({"int": 9}));
}

#[test]
fn columns_are_converted_when_cursors_have_seen_them() {
    let sim = list(json!([
        {"id": 1, "createdAt": 1_714_566_600, "mail": " A@B.org ", "note": "", "who": {"born": "01.02.1990"}},
        {"id": 2, "createdAt": "soon", "mail": "C@D.org", "note": "x", "who": {"born": null}},
    ]));
    let columns = "columns: {created_at: {convert: unix}, mail: {trim: true, lower: true}, note: {empty_as_null: true}, \
                   who__born: {convert: \"%d.%m.%Y\"}}";
    let bench = Bench::new();
    bench.run(plan(&sim, "", &one(columns)));
    let sql = "SELECT CAST(epoch(created_at) AS BIGINT), created_at__v_text, mail, note, who__born FROM test_dataset.things ORDER BY id";
    let rows =
        [["1714566600", "NULL", "a@b.org", "NULL", "1990-02-01"], ["NULL", "soon", "c@d.org", "x", "NULL"]];
    assert_eq!(bench.query(sql), rows);
    let types = "SELECT data_type FROM duckdb_columns() WHERE table_name = 'things' AND column_name IN ('created_at', 'who__born') ORDER BY column_name";
    assert_eq!(bench.column(types), ["TIMESTAMP WITH TIME ZONE", "DATE"]);
    let cursor = "  - {name: things, columns: {at: {convert: unix}}, endpoint: {path: items, data_selector: $, \
                  paginator: single_page, incremental: {cursor_path: at, initial_value: 6}}}";
    let sim = list(json!([{"id": 1, "at": 5}, {"id": 2, "at": 9}]));
    let told = things(plan(&sim, "", cursor));
    assert_eq!(told.partitions[""], [json!({"id": 2, "at": "1970-01-01T00:00:09Z"})]);
    assert_eq!(serde_json::to_value(&told.moves[""]).unwrap()["state"]["last_value"], json!({"int": 9}));
}

/// Pages of three orders, each with two lines; all records have the id of their shop, which is not their key.
fn orders(request: &Request) -> Response {
    let page: u64 = request.param("page").and_then(|page| page.parse().ok()).unwrap_or(0);
    let order = |n: u64| json!({"id": "shop", "n": n, "lines": [{"l": 1}, {"l": 2}]});
    let orders: Vec<Value> =
        if page < 4 { (page * 3..page * 3 + 3).map(order).collect() } else { Vec::new() };
    Response::json(&orders.into())
}

const ORDERS: &str = "  - {name: things, primary_key: id, \
    endpoint: {path: items, data_selector: $, paginator: {type: page_number, base_page: 0, total_path: null}}, \
    processing_steps: [{explode: '. as $o | .lines[] | {id: \"\\($o.n)-\\(.l)\", n: $o.n}'}]}";

#[test]
fn a_key_that_a_step_makes_does_not_tell_the_records_apart_before_it() {
    let sim = script(orders);
    let bench = Bench::new();
    let report = bench.run(plan(&sim, "", ORDERS));
    let things = of(&report, "things");
    assert_eq!((things.status, things.records, things.rows), (Status::Succeeded, 12, 24));
    let distinct = bench.column("SELECT count(DISTINCT id) FROM test_dataset.things");
    assert_eq!(distinct, ["24"]);
}

#[test]
fn a_run_that_is_carried_on_loads_what_steps_made_once() {
    for requests in 1..5 {
        let sim = script(orders);
        let bench = Bench::new();
        bench.run_for(plan(&sim, "", ORDERS), Some(requests));
        let report = bench.run(plan(&sim, "", ORDERS));
        assert_eq!(of(&report, "things").status, Status::Succeeded);
        let counts = bench.query("SELECT count(*), count(DISTINCT id) FROM test_dataset.things");
        assert_eq!(counts, [["24", "24"]], "after {requests} requests");
    }
}

#[test]
fn a_program_that_does_not_end_fails_its_resource_and_says_which_step() {
    let sim = list(json!([{"id": 1}]));
    let told = things(plan(&sim, "", &one("processing_steps: [{map: 'def f: f; f'}]")));
    told.failed(ErrorKind::Response, "more than 1000000 steps");
    told.failed(ErrorKind::Response, "processing_steps[0].map");
    told.failed(ErrorKind::Response, "it may not end");
}
