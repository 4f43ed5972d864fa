//! Parents and children: side by side, each parent once, and what a failure takes with it.

use std::collections::BTreeMap;
use std::time::Duration;

use dray::error::ErrorKind;
use dray::report::Status;
use dray_sim::{Api, Fault, Options, Request, Response, Sim};
use serde_json::{Value, json};

use crate::support::{Bench, asked, of, plan, read, records, script, start};

/// `parents` gives `parents`, and `/parents/ID/children` two records with their parent's id.
fn family(parents: Value) -> Sim {
    script(move |request| answer(&parents, request))
}

fn answer(parents: &Value, request: &Request) -> Response {
    let segments: Vec<&str> = request.path.split('/').skip(1).collect();
    match segments.as_slice() {
        ["parents"] => Response::json(parents),
        ["parents", id, _] => Response::json(&json!([{"id": 1, "of": id}, {"id": 2, "of": id}])),
        _ => Response::status(404),
    }
}

const PARENTS: &str = "  - {name: parents, endpoint: {path: parents, data_selector: $}}\n";

fn child(name: &str, more: &str) -> String {
    format!(
        "  - {{name: {name}, endpoint: {{path: \"parents/{{resources.parents.id}}/{name}\", \
         paginator: single_page, data_selector: $}}{more}}}\n"
    )
}

#[test]
fn children_are_read_side_by_side_within_the_limit() {
    let parents = records(0..24);
    let api = Api::custom(move |request: &Request| answer(&parents, request));
    let latency = Duration::from_millis(20);
    let sim = Sim::start(Options { api, latency, ..Options::default() }).unwrap();
    let resources = format!("{PARENTS}{}{}", child("children", ""), child("others", ""));
    let told = read(plan(&sim, "concurrency: 4", &resources));
    assert_eq!(told["children"].values("of").len(), 48);
    assert_eq!(told["others"].values("of").len(), 48);
    let peak = sim.peak_in_flight();
    assert!((2..=4).contains(&peak), "{peak}");
}

#[test]
fn three_levels_with_one_slot_do_not_block_each_other() {
    let sim = script(|request| match request.path.matches('/').count() {
        // Twenty, three of each, two of each.
        1 => Response::json(&records(0..20)),
        3 => Response::json(&records(0..3)),
        _ => Response::json(&records(0..2)),
    });
    let resources = "  - {name: a, endpoint: {path: a, data_selector: $}}\n  \
        - {name: b, include_from_parent: [id], endpoint: {path: \"a/{resources.a.id}/b\", \
           paginator: single_page, data_selector: $}}\n  \
        - {name: c, endpoint: {path: \"a/{resources.b._a_id}/b/{resources.b.id}/c\", \
           paginator: single_page, data_selector: $}}";
    let told = read(plan(&sim, "concurrency: 1", resources));
    let counts = ["a", "b", "c"].map(|name| told[name].values("id").len());
    assert_eq!(counts, [20, 60, 120]);
    assert_eq!(sim.peak_in_flight(), 1);
    let paths: std::collections::BTreeSet<_> =
        sim.requests().into_iter().map(|request| request.path).collect();
    assert_eq!(paths.len(), 1 + 20 + 60);
}

/// `/orgs`, `/orgs/O/repos`, `/SLUG/repos/R/issues` and `/O/SLUG/I` below them; two of each.
fn organisations() -> Sim {
    script(|request| {
        let segments: Vec<&str> = request.path.split('/').skip(1).collect();
        match segments.as_slice() {
            ["orgs"] => Response::json(&json!([{"id": 1, "slug": "one"}, {"id": 2, "slug": "two"}])),
            ["orgs", org, "repos"] => {
                Response::json(&json!([{"id": format!("{org}a")}, {"id": format!("{org}b")}]))
            }
            [slug, "repos", repo, "issues"] => Response::json(&json!([{"id": format!("{slug}-{repo}")}])),
            [org, slug, issue] => Response::json(&json!([{"of": format!("{org} {slug} {issue}")}])),
            _ => Response::status(404),
        }
    })
}

const DESCENT: &str = "  - {name: orgs, endpoint: {path: orgs, data_selector: $}}\n  \
    - {name: notes, endpoint: {path: \"{resources.orgs.id}/{resources.orgs.slug}/{resources.issues.id}\", \
       paginator: single_page, data_selector: $}}\n  \
    - {name: repos, endpoint: {path: \"orgs/{resources.orgs.id}/repos\", data_selector: $}}\n  \
    - {name: issues, endpoint: {path: \"{resources.orgs.slug}/repos/{resources.repos.id}/issues\", data_selector: $}}";

#[test]
fn a_placeholder_may_name_any_ancestor() {
    let told = read(plan(&organisations(), "", DESCENT));
    let mut notes: Vec<String> =
        told["notes"].values("of").iter().map(|of| of.as_str().unwrap().to_owned()).collect();
    notes.sort();
    assert_eq!(notes, ["1 one one-1a", "1 one one-1b", "2 two two-2a", "2 two two-2b"]);
    // What is handed down is part of a partition, not of its rows.
    assert_eq!(told["repos"].partitions[r#"[1,"one"]"#], [json!({"id": "1a"}), json!({"id": "1b"})]);
    assert_eq!(told["issues"].partitions[r#"["one","1a",1]"#], [json!({"id": "one-1a"})]);
}

#[test]
fn what_ancestors_hand_down_outlives_a_run_that_stops() {
    for stop in [1, 3, 5, 8, 10] {
        let sim = organisations();
        let bench = Bench::new();
        let plan = || plan(&sim, "concurrency: 2", DESCENT);
        bench.run_for(plan(), Some(stop));
        let report = bench.run(plan());
        assert_eq!(of(&report, "notes").status, Status::Succeeded);
        let counts = bench.query(
            "SELECT (SELECT count(*) FROM test_dataset.repos), (SELECT count(*) FROM test_dataset.issues), \
            count(*), count(DISTINCT \"of\") FROM test_dataset.notes",
        );
        assert_eq!(counts, [["4", "4", "4", "4"]], "stopped after {stop} requests");
    }
}

/// `/parents` in three pages of five, four and six records, one of them twice, and `/things` of the ids that are asked for.
fn in_batches() -> Sim {
    script(|request| {
        let json_ids = |body: Value| body["ids"].as_array().unwrap().clone();
        match request.path.as_str() {
            "/parents" => {
                let ids: Vec<u64> = match request.param("page").unwrap() {
                    "0" => (0..5).collect(),
                    "1" => vec![5, 6, 0, 7],
                    "2" => (8..14).collect(),
                    _ => Vec::new(),
                };
                Response::json(&ids.into_iter().map(|id| json!({"id": id})).collect())
            }
            _ => {
                let ids: Vec<Value> = match request.param("ids") {
                    Some(ids) => ids.split(';').map(|id| json!(id.parse::<u64>().unwrap())).collect(),
                    None => json_ids(request.json().unwrap()),
                };
                Response::json(&ids.into_iter().map(|id| json!({"id": id})).collect())
            }
        }
    })
}

fn batches(endpoint: &str) -> String {
    format!(
        "  - {{name: parents, endpoint: {{path: parents, data_selector: $, paginator: page_number}}}}\n  \
         - {{name: things, endpoint: {{{endpoint}, data_selector: $, paginator: single_page}}}}"
    )
}

#[test]
fn parents_are_asked_for_in_batches() {
    let sim = in_batches();
    let resources = batches(
        "path: things, params: {ids: {type: resolve, resource: parents, field: id, batch: 2, separator: \";\"}}",
    );
    let told = read(plan(&sim, "", &resources));
    let mut ids = told["things"].ids();
    ids.sort_unstable();
    assert_eq!(ids, (0..14).collect::<Vec<u64>>());
    // Three of five, two of the three that are new, three of six.
    let asked = asked(&sim, "/things");
    assert_eq!(asked.len(), 3 + 2 + 3);
    let keys: Vec<&str> = told["things"].partitions.keys().map(String::as_str).collect();
    assert!(
        keys.contains(&"[[0,1]]")
            && keys.contains(&"[[4]]")
            && keys.contains(&"[[5,6]]")
            && keys.contains(&"[[7]]")
    );
    let mut sent: Vec<&str> = asked.iter().map(|request| request.param("ids").unwrap()).collect();
    sent.sort_unstable();
    assert_eq!(sent[0], "0;1");
}

#[test]
fn a_batch_is_a_list_in_a_body_and_outlives_a_run_that_stops() {
    let resources = batches(
        "path: things, method: POST, json: {ids: {type: resolve, resource: parents, field: id, batch: 4}}",
    );
    // Four pages of parents, and of batches two, one and two.
    for stop in [2, 4, 6, 8] {
        let sim = in_batches();
        let bench = Bench::new();
        let plan = || plan(&sim, "concurrency: 2", &resources);
        bench.run_for(plan(), Some(stop));
        let report = bench.run(plan());
        assert_eq!(of(&report, "things").status, Status::Succeeded);
        let ids = bench.column("SELECT id FROM test_dataset.things ORDER BY id");
        assert_eq!(
            ids,
            (0..14).map(|id| id.to_string()).collect::<Vec<_>>(),
            "stopped after {stop} requests"
        );
    }
}

#[test]
fn a_value_that_holds_the_separator_is_not_taken_for_two() {
    let sim = family(json!([{"id": "a"}, {"id": "b,c"}]));
    let resources = format!(
        "{PARENTS}  - {{name: things, endpoint: {{path: things, data_selector: $, \
        params: {{ids: {{type: resolve, resource: parents, field: id, batch: 9}}}}}}}}"
    );
    let told = read(plan(&sim, "", &resources));
    told["things"].failed(ErrorKind::Request, "b,c");
    told["things"].failed(ErrorKind::Request, "choose another `separator`");
}

#[test]
fn a_parent_that_comes_twice_is_asked_once() {
    let sim = family(json!([{"id": 1}, {"id": 2}, {"id": 1}]));
    let told = read(plan(&sim, "", &format!("{PARENTS}{}", child("children", ""))));
    assert_eq!(told["parents"].ids(), [1, 2, 1]);
    assert_eq!(told["children"].values("of").len(), 4);
    assert_eq!(asked(&sim, "/parents/1/children").len(), 1);
}

#[test]
fn a_child_that_fails_stops_neither_its_parent_nor_its_siblings() {
    let sim = family(records(0..30));
    sim.fault(Fault::status(404).on("/parents/3/children").always());
    let resources = format!("{PARENTS}{}{}", child("children", ""), child("others", ""));
    let told = read(plan(&sim, "", &resources));
    assert_eq!(told["parents"].ids().len(), 30);
    assert_eq!(told["others"].values("of").len(), 60);
    told["children"].failed(ErrorKind::Request, "parent [3]");
    told["children"].failed(ErrorKind::Request, "404");
}

#[test]
fn a_grandchild_of_a_failed_child_has_failed_too() {
    let sim = script(|request| match request.path.matches('/').count() {
        1 => Response::json(&records(0..2)),
        3 if request.path.starts_with("/a/1") => Response::status(400),
        _ => Response::json(&records(0..2)),
    });
    let resources = "  - {name: a, endpoint: {path: a, data_selector: $}}\n  \
        - {name: b, endpoint: {path: \"a/{resources.a.id}/b\", paginator: single_page, data_selector: $}}\n  \
        - {name: c, endpoint: {path: \"x/b/{resources.b.id}/c\", paginator: single_page, data_selector: $}}";
    let told = read(plan(&sim, "", resources));
    assert_eq!(told["a"].ids(), [0, 1]);
    told["b"].failed(ErrorKind::Request, "400");
    told["c"].failed(ErrorKind::Request, "its parent failed");
}

#[test]
fn children_of_a_parent_that_failed_midway_are_incomplete() {
    let sim = script(|request| match (request.path.as_str(), request.param("page")) {
        ("/parents", Some("0")) => Response::json(&records(0..2)),
        ("/parents", _) => Response::status(400),
        _ => Response::json(&json!([{"id": 1, "of": "x"}])),
    });
    let parents =
        "  - {name: parents, endpoint: {path: parents, data_selector: $, paginator: page_number}}\n";
    let told = read(plan(&sim, "", &format!("{parents}{}", child("children", ""))));
    told["parents"].failed(ErrorKind::Request, "400");
    told["children"].failed(ErrorKind::Request, "its parent failed");
    // What was known of the parent was read all the same.
    assert_eq!(told["children"].partitions.len(), 2);
}

#[test]
fn a_parent_without_the_field_is_an_error_that_names_it() {
    for parent in [json!({"id": null, "name": "x"}), json!({"name": "x"})] {
        let sim = family(json!([{"id": 1}, parent]));
        let told = read(plan(&sim, "", &format!("{PARENTS}{}", child("children", ""))));
        let error = told["parents"].error();
        assert_eq!(error.kind(), ErrorKind::Response);
        assert!(
            error.chain().contains("path: id") && error.chain().contains("children"),
            "{}",
            error.chain()
        );
        told["children"].failed(ErrorKind::Request, "its parent failed");
    }
    // An empty one would ask for another path.
    let sim = family(json!([{"id": ""}]));
    let told = read(plan(&sim, "", &format!("{PARENTS}{}", child("children", ""))));
    told["children"].failed(ErrorKind::Request, "empty value");
    assert_eq!(sim.requests().len(), 1);
}

#[test]
fn parent_fields_come_with_every_record_and_do_not_hide_its_own() {
    let sim = script(|request| match request.path.as_str() {
        "/parents" => {
            Response::json(&json!([{"id": 7, "name": "Zoë \"x\"", "meta": {"a": 1}, "none": null}]))
        }
        _ => Response::json(&json!([{"id": 1}, {"id": 2, "_parents_id": 70}])),
    });
    let include = ", include_from_parent: [id, name, meta, none]";
    let told = read(plan(&sim, "", &format!("{PARENTS}{}", child("children", include))));
    let records = &told["children"].partitions["[7]"];
    let common = json!({"_parents_name": "Zoë \"x\"", "_parents_meta": {"a": 1}, "_parents_none": null});
    for (record, (id, parent)) in records.iter().zip([(1, 7), (2, 70)]) {
        assert_eq!((&record["id"], &record["_parents_id"]), (&json!(id), &json!(parent)));
        for (name, value) in common.as_object().unwrap() {
            assert_eq!(&record[name], value);
        }
    }
}

#[test]
fn a_field_to_include_that_no_parent_has_is_an_error() {
    let sim = family(json!([{"id": 1}]));
    let told =
        read(plan(&sim, "", &format!("{PARENTS}{}", child("children", ", include_from_parent: [name]"))));
    assert!(told["parents"].error().chain().contains("path: name"));
}

#[test]
fn values_fill_paths_parameters_and_bodies_as_they_are() {
    let sim = script(|request| match request.path.as_str() {
        "/parents" => Response::json(&json!([{"id": "a/b ?#é&%"}])),
        _ => Response::json(&json!([{"id": 1}])),
    });
    let resources = format!(
        "{PARENTS}  - {{name: things, endpoint: {{path: \"parents/{{resources.parents.id}}/things\", \
         method: POST, params: {{of: \"{{resources.parents.id}}\"}}, json: {{of: \"{{resources.parents.id}}\"}}, \
         paginator: single_page, data_selector: $}}}}"
    );
    assert_eq!(read(plan(&sim, "", &resources))["things"].ids(), [1]);
    let request = asked(&sim, "/things").remove(0);
    assert_eq!(request.path, "/parents/a%2Fb%20%3F%23%C3%A9%26%25/things");
    assert_eq!(request.query, [("of".to_owned(), "a/b ?#é&%".to_owned())]);
    assert_eq!(request.json().unwrap()["of"], "a/b ?#é&%");
}

#[test]
fn an_unselected_parent_feeds_its_children_and_is_not_loaded() {
    let sim = family(records(0..5));
    let parents = "  - {name: parents, selected: false, endpoint: {path: parents, data_selector: $}}\n  \
         - {name: idle, selected: false, endpoint: {path: idle}}\n";
    let told = read(plan(&sim, "", &format!("{parents}{}", child("children", ""))));
    assert_eq!(told["children"].values("of").len(), 10);
    // Its page is told, so that its place is stored; the pipeline does not load it.
    assert_eq!((told["parents"].pages, told["parents"].requests), (1, 1));
    // What nobody needs is not asked for.
    assert_eq!((told["idle"].pages, told["idle"].requests), (0, 0));
    assert!(asked(&sim, "/idle").is_empty());
}

#[test]
fn an_answer_to_ignore_ends_one_parent_only() {
    let sim = family(records(0..4));
    sim.fault(Fault::status(404).on("/parents/2/children").always());
    let more = "  - {name: children, endpoint: {path: \"parents/{resources.parents.id}/children\", \
        paginator: single_page, data_selector: $, response_actions: [{status_code: 404, action: ignore}]}}";
    let told = read(plan(&sim, "", &format!("{PARENTS}{more}")));
    assert_eq!(told["children"].values("of").len(), 6);
    assert_eq!(told["children"].done.len(), 4);
    assert_eq!(told["children"].ignored, 1);
}

#[test]
fn a_parent_whose_children_may_not_be_read_is_an_error_unless_declared() {
    let sim = family(records(0..3));
    sim.fault(Fault::status(403).on("/parents/1/children").always());
    let told = read(plan(&sim, "", &format!("{PARENTS}{}", child("children", ""))));
    assert_eq!(told["parents"].ids(), [0, 1, 2]);
    told["children"].failed(ErrorKind::Auth, "status: 403");
    told["children"].failed(ErrorKind::Auth, "parent [1]");
    let more = "  - {name: children, endpoint: {path: \"parents/{resources.parents.id}/children\", \
        paginator: single_page, data_selector: $, response_actions: [{status_code: 403, action: ignore}]}}";
    let told = read(plan(&sim, "", &format!("{PARENTS}{more}")));
    assert_eq!(told["children"].values("of").len(), 4);
    assert_eq!(told["children"].ignored, 1);
}

#[test]
fn a_child_whose_windows_cannot_be_cut_does_not_fail_its_parent() {
    let sim = family(records(0..3));
    // A window a second since 1970: far more than can be kept.
    let windows = "  - {name: children, endpoint: {path: \"parents/{resources.parents.id}/children\", \
        data_selector: $, paginator: single_page, incremental: {cursor_path: t, start_param: from, end_param: to, \
        format: unix, initial_value: 0, window: 1s}}}\n";
    let told = read(plan(&sim, "", &format!("{PARENTS}{windows}{}", child("others", ""))));
    assert_eq!(told["parents"].ids(), [0, 1, 2]);
    assert_eq!(told["others"].values("of").len(), 6);
    told["children"].failed(ErrorKind::Config, "too many windows");
    assert!(asked(&sim, "/children").is_empty());
}

#[test]
fn only_parents_that_fulfil_the_filter_are_asked_for() {
    let sim = family(
        json!([{"id": 1, "auto": true}, {"id": 2, "auto": false}, {"id": 3}, {"id": 4, "auto": true}]),
    );
    let child = "  - {name: children, endpoint: {path: \"parents/{resources.parents.id}/children\", \
        paginator: single_page, data_selector: $, parent_filter: \"$.auto == true && @.id > 1\"}}";
    let told = read(plan(&sim, "", &format!("{PARENTS}{child}")));
    assert_eq!(told["parents"].ids(), [1, 2, 3, 4]);
    assert_eq!(told["children"].values("of"), ["4", "4"].map(Value::from));
    assert_eq!((told["children"].filtered, told["parents"].filtered), (3, 0));
    assert_eq!(sim.requests().len(), 2);
}

#[test]
fn every_ledger_of_every_customer_is_read() {
    let sim = start(Api::Orb, 40);
    let resources = "  - {name: customers, endpoint: {path: customers, data_selector: data, \
           paginator: {type: cursor, limit: 15, cursor_path: pagination_metadata.next_cursor}}}\n  \
        - {name: credits_ledger_entries, include_from_parent: [id], endpoint: { \
           path: \"customers/{resources.customers.id}/credits/ledger\", data_selector: data, \
           paginator: {type: cursor, limit: 20, cursor_path: pagination_metadata.next_cursor}}}";
    let told = read(plan(&sim, "auth: {token: \"${secrets.api_key}\"}", resources));
    let mut expected: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (parent, entry) in sim.expected_with_parent("credits_ledger_entries") {
        expected.entry(parent).or_default().push(entry["id"].to_string());
    }
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for entry in told["credits_ledger_entries"].partitions.values().flatten() {
        let parent = entry["_customers_id"].as_str().unwrap().to_owned();
        found.entry(parent).or_default().push(entry["id"].to_string());
    }
    for entries in expected.values_mut().chain(found.values_mut()) {
        entries.sort();
    }
    assert_eq!(found, expected);
    // Four customers in ten have none, and are complete all the same.
    assert_eq!(told["credits_ledger_entries"].done.len(), 40);
}
