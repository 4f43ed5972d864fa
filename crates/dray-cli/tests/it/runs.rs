//! Runs that meet trouble: what is loaded, what is said, and what the next run makes of it.

use std::collections::BTreeSet;
use std::process::{Command, Stdio};
use std::time::Duration;

use dray_sim::{Api, Fault, Options, Response, Sim};
use serde_json::json;

use crate::support::Bench;

const QUICK: [&str; 2] = ["--set", "client.retry.backoff_factor=0.01"];

/// FastBill's three lists as a file that appends, replaces and merges.
const CONFIG: &str = "\
client:
  base_url: https://my.fastbill.com/api/
  auth: {type: api_key, name: api_key, api_key: \"${secrets.api_key}\", location: query}
  retry: {max_retries: 3, backoff_factor: 0.01}
resource_defaults:
  primary_key: id
  endpoint: {data_selector: data, paginator: {type: offset, limit: 100, total_path: null}}
resources:
  - {name: products, write_disposition: append, endpoint: v1/products}
  - {name: recurring_invoices, write_disposition: replace, endpoint: v1/recurring_invoices}
  - {name: revenues, write_disposition: merge, endpoint: v1/revenues}
";

fn bench(options: Options) -> Bench {
    let bench = Bench::new(Sim::start(Options { api: Api::FastBill, size: 250, ..options }).unwrap());
    bench.write("bill.yaml", CONFIG);
    bench
}

fn rows(bench: &Bench, table: &str) -> u64 {
    bench.number(&format!("SELECT count(*) FROM test_dataset.{table}"))
}

fn loads(bench: &Bench) -> u64 {
    rows(bench, "_dlt_loads")
}

#[test]
fn a_page_that_comes_at_the_fourth_attempt_is_loaded() {
    let bench = bench(Options::default());
    bench.sim.fault(Fault::status(503).on("/v1/products").query("offset", "99").times(3));
    let ran = bench.run("bill.yaml", &QUICK);
    ran.succeeded();
    assert_eq!(ran.count("products", "retries"), 3);
    assert_eq!(ran.count("products", "requests"), 6);
    assert_eq!(ran.count("products", "rows"), 250);
    assert_eq!(ran.count("revenues", "retries"), 0);
}

#[test]
fn an_api_that_is_out_of_order_costs_nothing_that_is_loaded() {
    let bench = bench(Options::default());
    bench.sim.fault(Fault::status(503).on("/v1/products").query("offset", "198").times(4));
    assert_eq!(bench.run("bill.yaml", &QUICK).code, 1);
    assert_eq!(rows(&bench, "products"), 199);
    // Not even the page where it stood can be read.
    bench.sim.fault(Fault::status(503).always());
    for _ in 0..2 {
        assert_eq!(bench.run("bill.yaml", &QUICK).code, 1);
        assert_eq!(rows(&bench, "products"), 199);
    }
    bench.sim.clear_faults();
    bench.sim.clear_requests();
    bench.run("bill.yaml", &QUICK).succeeded();
    assert_eq!(rows(&bench, "products"), 250);
    let asked = bench.sim.requests().into_iter().filter(|request| request.path == "/v1/products");
    let offsets: Vec<String> =
        asked.map(|request| request.param("offset").unwrap_or("0").to_owned()).collect();
    assert_eq!(offsets, ["99", "198"], "it goes on where it stood");
}

#[test]
fn a_page_that_never_comes_fails_its_resource_alone() {
    let bench = bench(Options::default());
    bench.sim.fault(Fault::status(503).on("/v1/products").query("offset", "99").times(4));
    let ran = bench.run("bill.yaml", &QUICK);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert_eq!(ran.report["status"], "failed");
    let products = &ran.report["resources"]["products"];
    assert_eq!(products["status"], "failed");
    assert_eq!(products["retries"], 3);
    let error = products["error"].as_str().unwrap();
    for part in ["503", "/v1/products", "page: 2", "attempt: 4"] {
        assert!(error.contains(part), "`{part}` is not in: {error}");
    }
    assert!(ran.stderr.contains("products"), "{}", ran.stderr);
    for resource in ["recurring_invoices", "revenues"] {
        assert_eq!(ran.report["resources"][resource]["status"], "succeeded");
        assert_eq!(rows(&bench, resource), 250);
    }
    assert_eq!(loads(&bench), 0, "an incomplete load has no row");
    bench.assert_no_secret(&ran);

    // What was appended before the failure stays, and the next run goes on from there.
    assert_eq!(rows(&bench, "products"), 100);
    bench.sim.clear_requests();
    bench.run("bill.yaml", &QUICK).succeeded();
    let products = bench.sim.requests().into_iter().filter(|request| request.path == "/v1/products");
    let offsets: Vec<_> = products.map(|request| request.param("offset").map(str::to_owned)).collect();
    // The last page that was loaded is read once more, to see that nothing has moved.
    assert_eq!(offsets, ["0", "99", "198"].map(|offset| Some(offset.to_owned())));
    // The first load is complete with the rows that it lacked.
    assert_eq!(loads(&bench), 2);
    for resource in ["products", "recurring_invoices", "revenues"] {
        let key = format!("SELECT id FROM test_dataset.{resource} ORDER BY 1");
        assert_eq!(bench.column(&key), bench.expected(resource, "id"), "{resource}");
    }
}

#[test]
fn replace_keeps_the_old_rows_when_the_new_ones_do_not_come() {
    let bench = bench(Options::default());
    bench.run("bill.yaml", &["recurring_invoices"]).succeeded();
    let old = bench.query("SELECT * FROM test_dataset.recurring_invoices ORDER BY id");
    bench.sim.mutate("recurring_invoices", 0..250);
    bench.sim.fault(Fault::status(503).on("/v1/recurring_invoices").query("offset", "198").times(4));
    let ran = bench.run("bill.yaml", &["recurring_invoices"]);
    assert_eq!(ran.code, 1);
    assert_eq!(bench.query("SELECT * FROM test_dataset.recurring_invoices ORDER BY id"), old);
    bench.run("bill.yaml", &["recurring_invoices"]).succeeded();
    assert_ne!(bench.query("SELECT * FROM test_dataset.recurring_invoices ORDER BY id"), old);
    assert_eq!(rows(&bench, "recurring_invoices"), 250);
}

#[test]
fn only_what_is_named_is_loaded() {
    let bench = bench(Options::default());
    let ran = bench.run("bill.yaml", &["revenues"]);
    ran.succeeded();
    assert_eq!(ran.report["resources"].as_object().unwrap().keys().collect::<Vec<_>>(), ["revenues"]);
    assert!(bench.sim.requests().iter().all(|request| request.path.ends_with("/v1/revenues")));
}

#[test]
fn the_report_has_the_keys_that_it_promises() {
    let bench = bench(Options::default());
    let ended = start(&bench, &[&["run", "bill.yaml", "--report", "-"], &TO[..]].concat())
        .wait_with_output()
        .unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    let report: serde_json::Value = serde_json::from_slice(&ended.stdout).unwrap();
    let keys =
        |value: &serde_json::Value| value.as_object().unwrap().keys().cloned().collect::<BTreeSet<String>>();
    let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<String>>();
    let promised = ["status", "load_id", "duration_s", "resources"];
    assert_eq!(keys(&report), &set(&promised) | &set(&["destination", "notes"]));
    assert!(report["duration_s"].as_f64().unwrap() > 0.0);
    assert_eq!(
        bench.column("SELECT load_id FROM test_dataset._dlt_loads"),
        [report["load_id"].as_str().unwrap()]
    );
    let promised = ["status", "requests", "pages", "records", "rows", "retries", "rejected"];
    for name in ["products", "recurring_invoices", "revenues"] {
        assert_eq!(keys(&report["resources"][name]), &set(&promised) | &set(&["completeness", "table"]));
    }
}

/// The program in the bench's folder, not waited for.
fn start(bench: &Bench, arguments: &[&str]) -> std::process::Child {
    let base = format!("client.base_url={}", bench.sim.base_url());
    let mut command = Command::new(env!("CARGO_BIN_EXE_dray"));
    command.current_dir(bench.folder.path()).args(arguments).args(["--set", &base]);
    for (name, value) in bench.sim.secrets() {
        command.env(name.to_uppercase(), value);
    }
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

const TO: [&str; 4] = ["--to", "duckdb:out.duckdb", "--pipeline", "test"];

/// Waits until the API was asked for something that is true of a request.
fn asked(bench: &Bench, wanted: impl Fn(&dray_sim::Request) -> bool) {
    for _ in 0..1000 {
        if bench.sim.requests().iter().any(&wanted) {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("the API was not asked within ten seconds");
}

#[test]
fn two_runs_at_once_exclude_each_other() {
    let bench = bench(Options::default());
    bench.sim.fault(Fault::delay(Duration::from_secs(3)).on("/v1/products"));
    let first = start(&bench, &[&["run", "bill.yaml"], &TO[..]].concat());
    asked(&bench, |_| true);
    let second = bench.run("bill.yaml", &[]);
    assert_eq!(second.code, 1, "{}", second.stderr);
    assert!(second.stderr.contains("another run holds the database file"), "{}", second.stderr);
    assert_eq!(second.report["status"], "failed");
    assert!(second.report["error"].as_str().unwrap().contains("another run holds the database file"));
    let first = first.wait_with_output().unwrap();
    assert!(first.status.success(), "{}", String::from_utf8_lossy(&first.stderr));
    assert_eq!(rows(&bench, "products"), 250);
}

#[test]
fn a_database_that_cannot_be_opened_is_reported() {
    let bench = bench(Options::default());
    let arguments = ["run", "bill.yaml", "--report", "report.json", "--to", "duckdb:missing/out.duckdb"];
    let ended = start(&bench, &arguments).wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(1));
    let report: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(bench.path("report.json")).unwrap()).unwrap();
    assert_eq!(report["status"], "failed");
    assert_eq!(report["resources"], serde_json::json!({}));
    let stderr = String::from_utf8_lossy(&ended.stderr);
    assert!(stderr.contains("missing/out.duckdb"), "{stderr}");
    assert!(bench.sim.requests().is_empty());
}

#[cfg(unix)]
#[test]
fn an_interrupted_run_keeps_what_is_complete() {
    let bench = bench(Options::default());
    bench.sim.fault(Fault::delay(Duration::from_secs(30)).on("/v1/products").query("offset", "99"));
    let arguments = [&["run", "bill.yaml", "--report", "report.json"], &TO[..]].concat();
    let running = start(&bench, &arguments);
    asked(&bench, |request| request.path.ends_with("/v1/revenues") && request.param("offset") == Some("198"));
    std::thread::sleep(Duration::from_secs(1));
    let sent = Command::new("kill").args(["-INT", &running.id().to_string()]).status().unwrap();
    assert!(sent.success());
    let ended = running.wait_with_output().unwrap();
    let stderr = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(130), "{stderr}");
    assert!(stderr.contains("stopping: what is complete is committed"), "{stderr}");
    assert!(stderr.contains("stopped; what is complete is in"), "{stderr}");
    for resource in ["recurring_invoices", "revenues"] {
        assert_eq!(rows(&bench, resource), 250);
    }
    assert_eq!(loads(&bench), 0);
    let report: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(bench.path("report.json")).unwrap()).unwrap();
    assert_eq!(report["status"], "interrupted");
    assert_eq!(report["resources"]["products"]["status"], "interrupted");
    assert_eq!(report["resources"]["revenues"]["status"], "succeeded");

    bench.sim.clear_faults();
    bench.run("bill.yaml", &[]).succeeded();
    for resource in ["products", "recurring_invoices", "revenues"] {
        let key = format!("SELECT id FROM test_dataset.{resource} ORDER BY 1");
        assert_eq!(bench.column(&key), bench.expected(resource, "id"), "{resource}");
    }
}

#[test]
fn a_run_that_may_go_no_further_stops_and_the_next_one_goes_on() {
    for limit in ["--max-requests=2", "--max-rows=150"] {
        let bench = bench(Options::default());
        let ran = bench.run("bill.yaml", &["products", limit]);
        assert_eq!(ran.code, 130, "{}", ran.stderr);
        assert_eq!(ran.report["status"], "interrupted");
        // Neighbouring pages share a record, so that a list that moves is noticed.
        assert_eq!(rows(&bench, "products"), 199, "{limit}");
        assert!(ran.stderr.contains("the same command goes on from here"), "{}", ran.stderr);
        bench.sim.clear_requests();
        bench.run("bill.yaml", &["products"]).succeeded();
        let offsets: Vec<_> =
            bench.sim.requests().iter().map(|request| request.param("offset").map(str::to_owned)).collect();
        assert_eq!(offsets, ["99", "198"].map(|offset| Some(offset.to_owned())));
        assert_eq!(
            bench.column("SELECT id FROM test_dataset.products ORDER BY 1"),
            bench.expected("products", "id")
        );
    }
    let bench = bench(Options::default());
    bench.sim.fault(Fault::delay(Duration::from_secs(30)).on("/v1/products").query("offset", "99"));
    let ran = bench.run("bill.yaml", &["products", "--max-time", "2s"]);
    assert_eq!((ran.code, rows(&bench, "products")), (130, 100), "{}", ran.stderr);
    assert_eq!(bench.run("bill.yaml", &["--max-time", "soon"]).code, 2);
}

#[test]
fn the_second_of_two_runs_is_told_who_holds_the_database_or_waits() {
    let bench = bench(Options::default());
    bench.sim.fault(Fault::delay(Duration::from_secs(3)).on("/v1/products"));
    let first = start(&bench, &[&["run", "bill.yaml", "products"], &TO[..]].concat());
    asked(&bench, |request| request.path.ends_with("/v1/products"));
    let refused = bench.run("bill.yaml", &["revenues"]);
    assert_eq!(refused.code, 1);
    let holder = format!("another run holds the database file: dray, process {}", first.id());
    assert!(refused.stderr.contains(&holder), "{}", refused.stderr);
    let waited = bench.run("bill.yaml", &["revenues", "--wait", "30s"]);
    waited.succeeded();
    assert!(waited.stderr.contains("waiting: another run holds"), "{}", waited.stderr);
    assert!(first.wait_with_output().unwrap().status.success());
    assert_eq!((rows(&bench, "products"), rows(&bench, "revenues")), (250, 250));
}

#[test]
fn quiet_is_silent_and_still_says_what_failed() {
    let bench = bench(Options::default());
    let ran = bench.run("bill.yaml", &["-q"]);
    ran.succeeded();
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("", ""));
    bench.sim.fault(Fault::status(404).on("/v1/revenues"));
    let ran = bench.run("bill.yaml", &["-q"]);
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("revenues") && ran.stderr.contains("404"), "{}", ran.stderr);
    // What the database refuses is said as well.
    let ran = bench.run("bill.yaml", &["-q", "--set", "resources.revenues.primary_key=sku"]);
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("revenues") && ran.stderr.contains("`sku`"), "{}", ran.stderr);
    let ran = bench.run("bill.yaml", &["-q", "--set", "client.base_ulr=x"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("base_ulr"), "{}", ran.stderr);
}

#[test]
fn plain_output_has_no_terminal_codes() {
    let bench = bench(Options::default());
    bench.sim.fault(Fault::delay(Duration::from_secs(6)).on("/v1/products"));
    let ran = bench.run("bill.yaml", &[]);
    ran.succeeded();
    assert!(!ran.stderr.contains('\u{1b}'), "{:?}", ran.stderr);
    assert!(ran.stderr.contains("products: 0 records, 0 loaded, 1 requests, 0 retries\n"), "{}", ran.stderr);
    assert_eq!(ran.stdout, "");
}

#[test]
fn json_logs_are_json_line_by_line() {
    let bench = bench(Options::default());
    bench.sim.fault(Fault::status(503).on("/v1/products").times(4));
    let ran = bench.run("bill.yaml", &["--log-format", "json", "-vv"]);
    assert_eq!(ran.code, 1);
    let lines: Vec<serde_json::Value> =
        ran.stderr.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines.iter().all(|line| line["level"].is_string() && line["fields"]["message"].is_string()));
    assert_eq!(lines.last().unwrap()["fields"]["report"], ran.report);
    bench.assert_no_secret(&ran);
    let wrong = bench.run("bill.yaml", &["--log-format", "json", "--set", "client.base_ulr=x"]);
    assert_eq!(wrong.code, 2);
    assert!(wrong.stderr.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()));
}

/// The parent fails where rows are made, of which those who ask the API know nothing: its children read all that they can.
#[test]
fn children_of_a_parent_that_failed_late_are_asked_for_again() {
    let sound = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let now = std::sync::Arc::clone(&sound);
    let api = Api::custom(move |request| {
        let sound = now.load(std::sync::atomic::Ordering::SeqCst);
        if let Some(parent) = request.path.strip_prefix("/parents/") {
            let id: u64 = parent.trim_end_matches("/kids").parse().unwrap();
            return Response::json(&json!({"data": [{"id": id * 10}]}));
        }
        let parents = |ids: std::ops::RangeInclusive<u64>| -> Vec<_> {
            ids.map(|id| json!({"id": id, "name": if id == 4 && !sound { None } else { Some("a") }}))
                .collect()
        };
        match request.param("cursor") {
            None => Response::json(&json!({"data": parents(1..=2), "next": "2"})),
            Some("2") => Response::json(&json!({"data": parents(3..=4), "next": sound.then_some("4")})),
            Some(_) => Response::json(&json!({"data": parents(5..=6), "next": null})),
        }
    });
    let bench = Bench::new(Sim::start(Options { api, ..Options::default() }).unwrap());
    bench.write(
        "family.yaml",
        "\
client: {base_url: 'https://api.example.com/'}
resource_defaults: {endpoint: {data_selector: data}}
resources:
  - name: parents
    columns: {name: {data_type: text, nullable: false}}
    endpoint: {path: parents, paginator: {type: cursor, cursor_path: next, cursor_param: cursor}}
  - {name: kids, endpoint: {path: 'parents/{resources.parents.id}/kids', paginator: single_page}}
",
    );
    let ran = bench.run("family.yaml", &[]);
    assert_eq!(ran.report["resources"]["parents"]["status"], "failed", "{}", ran.stderr);
    sound.store(true, std::sync::atomic::Ordering::SeqCst);
    bench.run("family.yaml", &[]).succeeded();
    let all = |table: &str| bench.column(&format!("SELECT id FROM test_dataset.{table} ORDER BY id"));
    assert_eq!(all("parents"), ["1", "2", "3", "4", "5", "6"]);
    assert_eq!(all("kids"), ["10", "20", "30", "40", "50", "60"]);
}
