//! `for_each`: one resource for every item, or one that is asked for every item.

use std::collections::BTreeMap;

use dray::config::load::read_text_as;
use dray::config::parse::Format;
use dray::config::secrets::Sources;
use dray::error::ErrorKind;
use dray::plan::{explain, prepare};
use dray::report::Status;
use dray_sim::{Request, Response, Sim};
use serde_json::{Value, json};

use crate::support::{Bench, of, plan, read, records, script};

/// `/AREA/...` gives two records of that area, `/orgs` two organisations.
fn areas() -> Sim {
    script(|request: &Request| {
        let area = request.path.trim_start_matches('/').to_owned();
        match area.as_str() {
            "orgs" => Response::json(&json!([{"id": 1}, {"id": 2}])),
            _ => Response::json(&json!([{"id": 1, "of": area}, {"id": 2, "of": area}])),
        }
    })
}

/// All paths that were asked for, in order of their names.
fn paths(sim: &Sim) -> Vec<String> {
    let mut paths: Vec<String> = sim.requests().into_iter().map(|request| request.path).collect();
    paths.sort();
    paths
}

/// What is said of resources that are wrong, one line each.
fn problems(resources: &str) -> String {
    let text =
        format!("client: {{base_url: http://127.0.0.1:9/}}\nvars: {{empty: []}}\nresources:\n{resources}\n");
    let loaded = read_text_as("test.yaml".to_owned(), text, Format::Yaml).unwrap();
    let mut sources = Sources::new("2024-05-01T00:00:00Z".parse().unwrap());
    sources.environment.insert("KEY".to_owned(), "swordfish".to_owned());
    let prepared = prepare(loaded, &[], &sources);
    assert!(prepared.plan.is_none(), "{}", explain(&prepared.plan.unwrap()));
    let shown = prepared.diagnostics.iter().map(|problem| {
        let hint = problem.hint.as_ref().map_or(String::new(), |hint| format!("\n  = {hint}"));
        format!("{problem}{hint}")
    });
    shown.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_name_with_an_item_makes_a_resource_of_each() {
    let sim = areas();
    let resources = "  - {name: \"${each.area.id} things\", table_name: \"t_${each.area.id}\", include_from_each: {country: area.country}, \
        for_each: {area: [{id: de, country: 49}, {id: fr, country: 33}]}, \
        endpoint: {path: \"${each.area.id}/things\", data_selector: $}}";
    let plan = plan(&sim, "", resources);
    assert_eq!(plan.resources[1].load.table, "t_fr");
    let told = read(plan);
    assert_eq!(told["de things"].values("of"), [json!("de/things"), json!("de/things")]);
    assert_eq!(told["fr things"].values("country"), [json!(33), json!(33)]);
    assert_eq!(paths(&sim), ["/de/things", "/fr/things"]);
}

#[test]
fn a_resource_is_asked_once_for_every_item() {
    let sim = areas();
    let resources = "  - {name: things, for_each: {area: [de, \"f/r\", de]}, include_from_each: [area], \
        endpoint: {path: \"things/${each.area}\", data_selector: $}}";
    let told = read(plan(&sim, "", resources));
    // An item that stands twice counts once, and its text cannot change the path.
    assert_eq!(paths(&sim), ["/things/de", "/things/f%2Fr"]);
    let things = &told["things"];
    assert_eq!(things.partitions.keys().collect::<Vec<_>>(), [r#"["de"]"#, r#"["f/r"]"#]);
    assert_eq!(things.values("area"), ["de", "de", "f/r", "f/r"].map(Value::from));
}

#[test]
fn several_variables_are_multiplied_and_fill_every_part_of_a_request() {
    let sim = script(|_| Response::json(&records(0..1)));
    let resources = "  - {name: things, for_each: {market: [us, eu], kind: [{n: 1}, {n: 2}]}, \
        endpoint: {path: things, method: POST, params: {\"f[${each.market}]\": \"x${each.kind.n}\"}, \
          headers: {X-Market: \"${each.market}\"}, json: {kind: \"${each.kind.n}\"}, \
          paginator: single_page, data_selector: $}}";
    assert_eq!(read(plan(&sim, "", resources))["things"].ids().len(), 4);
    let mut asked: Vec<_> = sim.requests();
    asked.sort_by_key(|request| request.query.clone());
    let seen: Vec<String> = asked
        .iter()
        .map(|request| {
            let (name, value) = &request.query[0];
            format!("{name}={value} {} {}", request.header("x-market").unwrap(), request.json().unwrap())
        })
        .collect();
    assert_eq!(
        seen,
        [
            r#"f[eu]=x1 eu {"kind":1}"#,
            r#"f[eu]=x2 eu {"kind":2}"#,
            r#"f[us]=x1 us {"kind":1}"#,
            r#"f[us]=x2 us {"kind":2}"#
        ]
    );
}

#[test]
fn items_and_parents_are_multiplied() {
    let sim = areas();
    let resources = "  - {name: orgs, endpoint: {path: orgs, data_selector: $}}\n  \
        - {name: stats, for_each: {metric: [stars, forks]}, include_from_parent: [id], include_from_each: {metric: metric}, \
           endpoint: {path: \"orgs/{resources.orgs.id}/${each.metric}\", data_selector: $, paginator: single_page}}";
    let told = read(plan(&sim, "", resources));
    let stats = &told["stats"];
    let keys: Vec<&String> = stats.partitions.keys().collect();
    assert_eq!(keys, [r#"[1,"forks"]"#, r#"[1,"stars"]"#, r#"[2,"forks"]"#, r#"[2,"stars"]"#]);
    for (key, records) in &stats.partitions {
        let [org, metric]: [Value; 2] = serde_json::from_str(key).unwrap();
        assert!(records.iter().all(|record| record["_orgs_id"] == org && record["metric"] == metric));
        let path = format!("orgs/{org}/{}", metric.as_str().unwrap());
        assert!(records.iter().all(|record| record["of"] == path.as_str()));
    }
}

#[test]
fn the_list_of_an_item_is_paged_like_any_other() {
    let sim = script(|request| {
        let page: u64 = request.param("page").unwrap_or("0").parse().unwrap();
        Response::json(&records(if page < 2 { page * 10..page * 10 + 10 } else { 0..0 }))
    });
    let resources = "  - {name: things, for_each: {area: [a, b]}, endpoint: {path: \"things/${each.area}\", data_selector: $}}";
    let told = read(plan(&sim, "paginator: page_number", resources));
    let counts: BTreeMap<&str, usize> =
        told["things"].partitions.iter().map(|(key, records)| (key.as_str(), records.len())).collect();
    assert_eq!(counts, BTreeMap::from([(r#"["a"]"#, 20), (r#"["b"]"#, 20)]));
}

#[test]
fn every_item_has_a_cursor_of_its_own() {
    let sim = script(|request| {
        let at = if request.path.ends_with('a') { 10 } else { 20 };
        Response::json(&json!([{"id": 1, "t": at}]))
    });
    let resources = "  - {name: things, for_each: {area: [a, b]}, endpoint: {path: \"things/${each.area}\", data_selector: $, \
        paginator: single_page, incremental: {cursor_path: t, initial_value: 0, start_param: since}}}";
    let told = read(plan(&sim, "", resources));
    let moves: Vec<String> = told["things"]
        .moves
        .iter()
        .map(|(key, cursor)| format!("{key} {:?}", cursor.state.last_value))
        .collect();
    assert_eq!(moves, [r#"["a"] Int(10)"#, r#"["b"] Int(20)"#]);
}

#[test]
fn an_item_that_fails_is_named() {
    let sim = script(|request| match request.path.as_str() {
        "/things/b" => Response::status(403),
        _ => Response::json(&records(0..1)),
    });
    let resources = "  - {name: things, for_each: {area: [a, b, c]}, endpoint: {path: \"things/${each.area}\", data_selector: $, paginator: single_page}}";
    let told = read(plan(&sim, "", resources));
    told["things"].failed(ErrorKind::Auth, r#"item ["b"]"#);
    told["things"].failed(ErrorKind::Auth, "403");
}

#[test]
fn a_run_that_stops_between_items_goes_on_with_the_rest() {
    let sim = areas();
    let resources = "  - {name: things, for_each: {area: [a, b, c, d]}, include_from_each: [area], \
        endpoint: {path: \"things/${each.area}\", data_selector: $, paginator: single_page}}";
    let bench = Bench::new();
    let plan = || plan(&sim, "concurrency: 1", resources);
    bench.run_for(plan(), Some(2));
    let report = bench.run(plan());
    assert_eq!(of(&report, "things").status, Status::Succeeded);
    assert_eq!(
        bench.column("SELECT area || id FROM test_dataset.things ORDER BY 1"),
        ["a1", "a2", "b1", "b2", "c1", "c2", "d1", "d2"]
    );
    // One request each: what was loaded is not asked for again.
    assert_eq!(sim.requests().len(), 4);
}

#[test]
fn what_cannot_be_is_said_with_its_place() {
    insta::assert_snapshot!(problems(
        "  - {name: a, for_each: [x]}\n  \
           - {name: b, for_each: {x: []}, endpoint: \"b/${each.x}\"}\n  \
           - {name: c, for_each: {x: [1, null]}}\n  \
           - {name: d, for_each: {x: [\"${secrets.key}\"]}}\n  \
           - {name: e, endpoint: \"e/${each.x}\"}\n  \
           - {name: f, for_each: {x: [1, 2]}, table_name: \"f_${each.x}\", endpoint: \"f/${each.y}\"}\n  \
           - {name: \"g ${each.y}\", for_each: {x: [{id: 1}]}}\n  \
           - {name: h, for_each: {x: [{id: 1, n: 1}, {id: 1, n: 2}]}, endpoint: \"h/${each.x.id}\"}\n  \
           - {name: i, for_each: {x: [{id: 1}, {od: 2}]}, endpoint: \"i/${each.x.id}\"}\n  \
           - {name: j, include_from_each: [x]}\n  \
           - {name: k, for_each: {x: {file: x.csv}}, endpoint: \"k/${each.x}\"}\n  \
           - {name: l, for_each: {x: \"${vars.empty}\"}, endpoint: \"l/${each.x}\"}\n"
    ), @r##"
    line 4: resources[0].for_each: a list, expected a mapping of a name to a list
      = write `for_each: {ticker: [AAPL, MSFT]}` and `${each.ticker}`, or `{ticker: {file: tickers.csv}}`
    line 5: resources[1].for_each.x: an empty list: the resource would be asked for nothing and count as complete
      = take the resource out of the file while there is nothing to ask for
    line 6: resources[2].for_each.x[1]: nothing, expected a value or a mapping of values
    line 7: resources[3].for_each.x[0]: a secret cannot stand here: items are shown and stored
      = write `${secrets.x}` where it is sent
    line 8: resources[4]: `${each.x}` stands in a resource without `for_each`
      = write `for_each: {ticker: [AAPL, MSFT]}` and `${each.ticker}`, or `{ticker: {file: tickers.csv}}`
    line 9: resources[5].table_name: `${each.x}` cannot stand here: it is one resource for all items
      = `${each.x}` is known in `path`, `params`, `headers`, `json` and `data`; where the `name` has it too, everywhere in the resource
    line 9: resources[5].endpoint: item 1 of `for_each` has no `y`
      = it has x
    line 10: resources[6].name: an item of `for_each` has no `y`
      = known are x.id
    line 11: resources[7].for_each: two items of `for_each` make the same request (`1`)
      = use what tells them apart as `${each.x}` in `path`, `params`, `headers` or the body, or take one out
    line 12: resources[8].endpoint: item 2 of `for_each` has no `x.id`
      = nearest is `x.od`
    line 13: resources[9].include_from_each: `include_from_each` stands here, but the resource has no `for_each`
      = write `for_each: {ticker: [AAPL, MSFT]}` beside it
    line 14: resources[10].for_each.x: the list `x.csv` was not read
      = lists are read with a configuration that is a file itself, and named there, not by `--set`
    line 15: resources[11].for_each.x: an empty list: the resource would be asked for nothing and count as complete
      = take the resource out of the file while there is nothing to ask for
    "##);
}

#[test]
fn a_plan_tells_of_items_parents_and_lists() {
    let resources = "  - {name: orgs, endpoint: {path: orgs, data_selector: $}}\n  \
        - {name: repos, endpoint: {path: \"orgs/{resources.orgs.id}/repos\", parent_filter: \"@.active\", data_selector: $}}\n  \
        - {name: stats, for_each: {metric: [stars, forks]}, include_from_each: [metric], endpoint: {method: POST, \
           path: \"{resources.orgs.slug}/${each.metric}\", data_selector: $, \
           json: {of: {type: resolve, resource: repos, field: id, batch: 50}}}}\n  \
        - {name: lines, endpoint: {path: invoices, data_selector: data, paginator: {type: cursor, cursor_field: id, cursor_param: after}, \
           expand: {path: lines.data, complete: {has_more: lines.has_more, path: \"invoices/{id}/lines\"}}}}";
    let shown = explain(&plan(&areas(), "", resources));
    for line in [
        "once for each record of orgs with @.active",
        "POST http://127.0.0.1/{orgs.slug}/{each.metric}",
        "{\"of\": \"{repos.id}\"}",
        "once for up to 50 records of repos together",
        "once for each of 2 items: stars, forks; rows carry metric",
        "where lines.has_more is true, the rest of it from invoices/{id}/lines; pages: id of the last record, sent as `after`",
    ] {
        let port = |text: &str| {
            text.split("127.0.0.1:")
                .map(|part| part.trim_start_matches(|c: char| c.is_ascii_digit()).to_owned())
                .collect::<Vec<_>>()
                .join("127.0.0.1")
        };
        assert!(port(&shown).contains(line), "no `{line}` in:\n{shown}");
    }
}

#[test]
fn too_many_items_are_refused() {
    let list: Vec<String> = (0..1001).map(|number| number.to_string()).collect();
    let list = list.join(",");
    let said = problems(&format!("  - {{name: \"a ${{each.x}}\", for_each: {{x: [{list}]}}}}"));
    assert!(said.contains("1001 resources are more than 1000"), "{said}");
    let said = problems(&format!(
        "  - {{name: a, for_each: {{x: [{list}], y: [1,2,3,4,5,6,7,8,9,10]}}, endpoint: \"${{each.x}}/${{each.y}}\"}}"
    ));
    assert!(said.contains("10010 items are more than 10000"), "{said}");
}
