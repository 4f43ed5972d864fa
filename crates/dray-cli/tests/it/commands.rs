//! What the commands print.

use std::process::Output;

use dray_sim::{Api, Fault, Options, Sim};

use crate::support::Bench;

pub(crate) fn bench(api: Api) -> Bench {
    Bench::new(Sim::start(Options { api, size: 20, ..Options::default() }).unwrap())
}

pub(crate) fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

pub(crate) fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// The text with what differs from run to run replaced: ports, load ids, times.
fn steady(text: &str) -> String {
    let mut steady = String::new();
    for line in text.lines() {
        let words: Vec<String> = line.split(' ').map(steady_word).collect();
        steady.push_str(&format!("{}\n", words.join(" ")));
    }
    steady
}

fn steady_word(word: &str) -> String {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|letter| letter.is_ascii_digit());
    if let Some((_, rest)) = word.split_once("http://127.0.0.1:") {
        let path = rest.trim_start_matches(|letter: char| letter.is_ascii_digit());
        return format!("http://127.0.0.1:PORT{path}");
    }
    let core = word.trim_matches(['(', ')', ',', '+']);
    match core.split_once('.') {
        Some((seconds, rest)) if digits(seconds) && digits(rest) && rest.len() == 6 => {
            word.replace(core, "LOAD")
        }
        Some((seconds, rest)) if digits(seconds) && digits(rest) && rest.len() == 2 => {
            word.replace(core, "TIME")
        }
        Some((clock, _)) if clock.len() == 8 && clock.contains(':') => "CLOCK".to_owned(),
        None if core.len() == 10 && core.matches('-').count() == 2 => "DATE".to_owned(),
        _ => word.to_owned(),
    }
}

pub(crate) const CONFIG: &str = "\
client:
  base_url: https://my.fastbill.com/api/
  auth: {type: api_key, name: api_key, api_key: \"${secrets.api_key}\", location: query}
resource_defaults:
  primary_key: id
  write_disposition: merge
  endpoint: {data_selector: data, paginator: {type: offset, limit: 100, total_path: null}}
resources:
  - {name: products, endpoint: v1/products}
  - {name: revenues, endpoint: {path: v1/revenues, incremental: {cursor_path: last_update, start_param: since}}}
";

/// A run of the file above, and the arguments that say where its data is.
fn loaded() -> (Bench, [&'static str; 5]) {
    let bench = bench(Api::FastBill);
    bench.write("bill.yaml", CONFIG);
    bench.run("bill.yaml", &[]).succeeded();
    (bench, ["bill.yaml", "--to", "duckdb:out.duckdb", "--pipeline", "test"])
}

#[test]
fn the_summary_of_a_run() {
    let bench = bench(Api::FastBill);
    bench.write("bill.yaml", CONFIG);
    let ran = bench.run("bill.yaml", &[]);
    insta::assert_snapshot!(steady(&ran.stderr), @r#"
    resource      rows  records  pages  requests  retries
    products  ok    20       20      2         2        0
    revenues  ok    20       20      2         2        0

    loaded into duckdb:out.duckdb, dataset test_dataset (TIME s, load LOAD)
    look: duckdb out.duckdb 'SELECT * FROM "test_dataset"."products" LIMIT 10'
    "#);
    bench.sim.fault(Fault::status(404).on("/v1/products"));
    let ran = bench.run("bill.yaml", &[]);
    assert_eq!(ran.code, 1);
    insta::assert_snapshot!(steady(&ran.stderr), @r#"
    ERROR resource failed resource="products" error="the API refuses (status: 404, url: http://127.0.0.1:PORT/v1/products?limit=…&offset=…, body: {\"errors\":[\"simulated status 404\"]}, resource: products, page: 1); check `client.base_url` and the resource's path"

    resource          rows  records  pages  requests  retries
    products  FAILED     0        0      0         1        0
    revenues  ok         2       20      2         2        0

    error: products: the API refuses (status: 404, url: http://127.0.0.1:PORT/v1/products?limit=…&offset=…, body: {"errors":["simulated status 404"]}, resource: products, page: 1); check `client.base_url` and the resource's path
    not everything was loaded; what is complete is in duckdb:out.duckdb, dataset test_dataset (TIME s, load LOAD)
    look: duckdb out.duckdb 'SELECT * FROM "test_dataset"."revenues" LIMIT 10'
    "#);
}

#[test]
fn preview_prints_records_and_writes_nothing() {
    let bench = bench(Api::FastBill);
    bench.write("bill.yaml", CONFIG);
    let base = format!("client.base_url={}", bench.sim.base_url());
    let shown = bench.dray(&["preview", "bill.yaml", "products", "--limit", "3", "--set", &base]);
    assert_eq!(shown.status.code(), Some(0), "{}", err(&shown));
    let records: Vec<serde_json::Value> =
        serde_json::Deserializer::from_str(&out(&shown)).into_iter().map(|record| record.unwrap()).collect();
    assert_eq!(records, bench.sim.expected("products")[..3]);
    assert_eq!(err(&shown), "");
    assert_eq!(std::fs::read_dir(bench.folder.path()).unwrap().count(), 1);
    let none = bench.dray(&["preview", "bill.yaml", "product", "--set", &base]);
    assert_eq!(none.status.code(), Some(2));
    assert_eq!(err(&none), "error: no resource `product`\nhelp: did you mean `products`?\n");
    bench.sim.fault(Fault::status(404).on("/v1/products"));
    let failed = bench.dray(&["preview", "bill.yaml", "products", "--set", &base]);
    assert_eq!(failed.status.code(), Some(1));
    insta::assert_snapshot!(steady(&err(&failed)), @r#"
    error: the API refuses (status: 404, url: http://127.0.0.1:PORT/v1/products?limit=…&offset=…, body: {"errors":["simulated status 404"]}, resource: products, page: 1)
    help: check `client.base_url` and the resource's path
    "#);
}

#[test]
fn preview_of_children_reads_their_parents() {
    let bench = bench(Api::Stripe);
    let base = format!("client.base_url={}", bench.sim.base_url());
    let shown = bench.dray(&["preview", "stripe", "payout_transactions", "--limit", "4", "--set", &base]);
    assert_eq!(shown.status.code(), Some(0), "{}", err(&shown));
    let records = serde_json::Deserializer::from_str(&out(&shown)).into_iter::<serde_json::Value>().count();
    assert_eq!(records, 4);
}

#[test]
fn schema_state_and_loads() {
    let (bench, place) = loaded();
    let look = |command: &str| {
        let looked = bench.dray(&[&[command], &place[..]].concat());
        assert_eq!(looked.status.code(), Some(0), "{}", err(&looked));
        out(&looked)
    };
    let schema = look("schema");
    let revenues: Vec<&str> = schema.lines().filter(|line| line.starts_with("revenues ")).collect();
    insta::assert_snapshot!(revenues.join("\n"), @r"
    revenues             _dlt_load_id         VARCHAR
    revenues             _dlt_id              VARCHAR
    revenues             id                   VARCHAR
    revenues             invoice_number       VARCHAR
    revenues             revenue_amount       VARCHAR
    revenues             customer_id          VARCHAR
    revenues             invoice_date         VARCHAR
    revenues             due_date             VARCHAR
    revenues             paid_date            VARCHAR
    revenues             is_canceled          VARCHAR
    revenues             comment              VARCHAR
    revenues             payment_type         VARCHAR
    revenues             vat_total            DOUBLE
    revenues             last_update          TIMESTAMP WITH TIME ZONE
    ");
    let state: serde_json::Value = serde_json::from_str(&look("state")).unwrap();
    let cursor = &state["sources"]["rest_api"]["resources"]["revenues"]["incremental"]["last_update"];
    assert_eq!(cursor["last_value"], bench.expected("revenues", "last_update").last().unwrap().as_str());
    insta::assert_snapshot!(steady(&look("loads")), @r"
    load               schema    status  loaded at
    LOAD  rest_api       0  DATE CLOCK
    ");
}

#[test]
fn looking_at_what_is_not_there() {
    let bench = bench(Api::FastBill);
    for command in ["schema", "state", "loads"] {
        let looked = bench.dray(&[command, "bill.yaml"]);
        assert_eq!(looked.status.code(), Some(1));
        assert_eq!(
            err(&looked),
            "error: there is no such database (file: bill.duckdb)\nhelp: name the database that was loaded into with --to duckdb:PATH\n"
        );
    }
    let (bench, _) = loaded();
    for command in ["schema", "state", "loads"] {
        let looked = bench.dray(&[command, "--to", "duckdb:out.duckdb", "--pipeline", "other"]);
        assert_eq!(looked.status.code(), Some(1), "{command}: {}", out(&looked));
        assert_eq!(
            err(&looked),
            "error: there is no dataset `other_dataset` (file: out.duckdb)\nhelp: there is test_dataset: name it with --dataset\n"
        );
    }
    assert_eq!(std::fs::read_dir(bench.folder.path()).unwrap().count(), 3);
}

#[test]
fn the_newest_of_several_runs_is_shown() {
    let (bench, place) = loaded();
    bench.sim.grow(5);
    bench.run("bill.yaml", &[]).succeeded();
    let look = |command: &str, place: &[&str]| {
        let looked = bench.dray(&[&[command], place].concat());
        assert_eq!(looked.status.code(), Some(0), "{}", err(&looked));
        looked
    };
    let state: serde_json::Value = serde_json::from_str(&out(&look("state", &place))).unwrap();
    let cursor = &state["sources"]["rest_api"]["resources"]["revenues"]["incremental"]["last_update"];
    assert_eq!(cursor["last_value"], bench.expected("revenues", "last_update").last().unwrap().as_str());
    assert_eq!(state["_state_version"], 2);
    assert_eq!(out(&look("loads", &place)).lines().count(), 3);
    // Another pipeline of the same dataset has no state yet, which is no failure.
    let other =
        look("state", &["--pipeline", "other", "--dataset", "test_dataset", "--to", "duckdb:out.duckdb"]);
    assert_eq!((out(&other), err(&other)), (String::new(), "nothing is stored yet\n".to_owned()));
    // A failed resource leaves its load out of the list, and the state as it was.
    bench.sim.fault(Fault::status(404).on("/v1/revenues").always());
    assert_eq!(bench.run("bill.yaml", &[]).code, 1);
    assert_eq!(out(&look("loads", &place)).lines().count(), 3);
    let after: serde_json::Value = serde_json::from_str(&out(&look("state", &place))).unwrap();
    assert_eq!(after["sources"], state["sources"]);
    let nothing = bench.dray(&["state", "--to", "duckdb:out.duckdb"]);
    assert_eq!(nothing.status.code(), Some(2));
    assert_eq!(
        err(&nothing),
        "error: neither a configuration nor a pipeline is given\nhelp: name the configuration that was run, or --pipeline NAME\n"
    );
}

#[test]
fn demos() {
    for name in ["stripe", "orb", "zoho_billing", "fastbill"] {
        let bench = bench(Api::FastBill);
        let ran = bench.dray(&["demo", name, "--size", "12"]);
        assert_eq!(ran.status.code(), Some(0), "{name}: {}", err(&ran));
        assert!(bench.path(&format!("demo_{name}.duckdb")).exists());
        if name == "fastbill" {
            insta::assert_snapshot!(steady(&err(&ran)), @r#"
            a simulated API answers at http://127.0.0.1:PORT/

            resource                rows  records  pages  requests  retries
            products            ok    12       12      2         2        0
            recurring_invoices  ok    12       12      2         2        0
            revenues            ok    12       12      2         2        0

            loaded into duckdb:demo_fastbill.duckdb, dataset demo_fastbill_dataset (TIME s, load LOAD)
            look: duckdb demo_fastbill.duckdb 'SELECT * FROM "demo_fastbill_dataset"."products" LIMIT 10'
            "#);
            insta::assert_snapshot!(out(&ran), @r#"
            table                      rows  columns
            _dlt_loads                    1        5
            _dlt_pipeline_state           1        8
            _dlt_version                  1        6
            _dray_positions               0        5
            _dray_writers                 1        4
            products                     12       12
            recurring_invoices           12       15
            recurring_invoices__items    11       13
            revenues                     12       14
            revenues__items              16       13
            revenues__vat_items          12        6

            the first rows of products
            id        article_number  product_name    description                 unit_price  currency_code
            00010000  00000           Lampe Größe 0   Zeile 1 Zeile 2; "zitiert"  703.38      EUR
            00010001  00001           Kabel Größe 11  Zeile 1 Zeile 2; "zitiert"  538.48      EUR
            00010002  00002           Lampe Größe 5   Zeile 1 Zeile 2; "zitiert"  365.20      EUR
            00010003  00003           Hülle Größe 25                              751.38      EUR
            00010004  00004           Kabel Größe 10                              551.76      EUR
            "#);
        }
    }
}
