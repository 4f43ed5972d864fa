//! The connectors that come with the program, against APIs that behave as the real ones do.

use dray_sim::{Api, Fault, Options, Response, Sim};

use crate::support::{Bench, Ran, contents, text};

/// A connector, its API, and of each resource the table's key columns and the oracle's fields for them.
pub(crate) struct Connector {
    pub(crate) name: &'static str,
    pub(crate) bench: Bench,
}

impl Connector {
    pub(crate) fn new(name: &'static str, api: Api, size: u64) -> Self {
        Self { name, bench: Bench::new(Sim::start(Options { api, size, ..Options::default() }).unwrap()) }
    }

    fn run(&self) {
        self.run_with(&[]);
    }

    pub(crate) fn run_with(&self, more: &[&str]) -> Ran {
        let ran = self.bench.run(self.name, &[&["--set", "client.rate_limit=null"], more].concat());
        ran.succeeded();
        self.bench.assert_no_secret(&ran);
        ran
    }

    /// The keys in the table are those of the API's records, each once.
    #[track_caller]
    pub(crate) fn assert_keys(
        &self,
        resource: &str,
        columns: &[&str],
        key: impl Fn(&str, &serde_json::Value) -> Vec<String>,
    ) {
        let mut expected: Vec<Vec<String>> = self
            .bench
            .sim
            .expected_with_parent(resource)
            .iter()
            .map(|(parent, record)| key(parent, record))
            .collect();
        expected.sort();
        let table = if resource == "subscription_usage_rows" { "subscription_usage" } else { resource };
        let columns: Vec<String> =
            columns.iter().map(|column| format!("CAST({column} AS VARCHAR)")).collect();
        let mut loaded =
            self.bench.query(&format!("SELECT {} FROM test_dataset.{table}", columns.join(", ")));
        loaded.sort();
        assert_eq!(loaded.len(), expected.len(), "{resource}");
        if let Some((loaded, expected)) = loaded.iter().zip(&expected).find(|(one, other)| one != other) {
            panic!("{resource}: {loaded:?} is loaded, {expected:?} expected");
        }
        let mut distinct = loaded.clone();
        distinct.dedup();
        assert_eq!(distinct.len(), loaded.len(), "{resource}: a key twice");
    }

    #[track_caller]
    pub(crate) fn assert_key(&self, resource: &str, column: &str) {
        self.assert_keys(resource, &[column], |_, record| vec![text(&record[column])]);
    }
}

fn assert_orb(orb: &Connector) {
    for resource in ["customers", "subscriptions", "plans", "invoices"] {
        orb.assert_key(resource, "id");
    }
    orb.assert_keys("credits_ledger_entries", &["customer_id", "id"], |parent, record| {
        vec![parent.to_owned(), text(&record["id"])]
    });
    let micros = "strftime(timeframe_start AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%M:%S')";
    let key = ["subscription_id", "billable_metric_id", micros, "grouping_key"];
    orb.assert_keys("subscription_usage_rows", &key, |parent, record| {
        let start = text(&record["timeframe_start"]).chars().take(19).collect();
        vec![parent.to_owned(), text(&record["billable_metric"]["id"]), start, "NULL".to_owned()]
    });
}

#[test]
fn orb() {
    let orb = Connector::new("orb", Api::Orb, 60);
    orb.run();
    assert_orb(&orb);
    let quantity = "SELECT CAST(sum(quantity) AS VARCHAR) FROM test_dataset.subscription_usage";
    let sum: f64 = orb
        .bench
        .sim
        .expected("subscription_usage_rows")
        .iter()
        .map(|row| text(&row["quantity"]).parse::<f64>().unwrap())
        .sum();
    assert!((orb.bench.column(quantity)[0].parse::<f64>().unwrap() - sum).abs() < 0.01, "{sum}");

    let first = contents(&orb.bench);
    orb.run();
    assert_eq!(contents(&orb.bench), first);

    orb.bench.sim.mutate("customers", 0..3);
    orb.bench.sim.grow(4);
    orb.run();
    assert_orb(&orb);
    assert_ne!(contents(&orb.bench)["customers"], first["customers"]);
    assert_fields(&orb, "customers", "id", "metadata__revision", "/metadata/revision");
}

/// A column holds what the API's records hold at a JSON pointer, record by record.
#[track_caller]
pub(crate) fn assert_fields(connector: &Connector, resource: &str, key: &str, column: &str, pointer: &str) {
    connector.assert_keys(resource, &[key, column], |_, record| {
        let value = record.pointer(pointer).filter(|value| !value.is_null());
        vec![text(&record[key]), value.map_or_else(|| "NULL".to_owned(), text)]
    });
}

const ZOHO: &[(&str, &str)] = &[
    ("products", "product_id"),
    ("plans", "plan_code"),
    ("addons", "addon_code"),
    ("coupons", "coupon_code"),
    ("customers", "customer_id"),
    ("quotes", "estimate_id"),
    ("invoices", "invoice_id"),
    ("expenses", "expense_id"),
    ("subscriptions", "subscription_id"),
    ("taxes", "tax_id"),
    ("transactions", "transaction_id"),
    ("recurring_expenses", "recurring_expense_id"),
];

#[test]
fn zoho_billing() {
    let zoho = Connector::new("zoho_billing", Api::Zoho, 230);
    zoho.run();
    for (resource, key) in ZOHO {
        zoho.assert_key(resource, key);
    }
    let first = contents(&zoho.bench);
    zoho.run();
    assert_eq!(contents(&zoho.bench), first);

    zoho.bench.sim.mutate("plans", 0..5);
    zoho.bench.sim.mutate("products", 0..5);
    zoho.bench.sim.grow(3);
    zoho.run();
    for (resource, key) in ZOHO {
        zoho.assert_key(resource, key);
    }
    assert_ne!(contents(&zoho.bench)["plans"], first["plans"]);
    assert_fields(&zoho, "plans", "plan_code", "name", "/name");
    assert_fields(&zoho, "products", "product_id", "name", "/name");
}

#[test]
fn fastbill() {
    let fastbill = Connector::new("fastbill", Api::FastBill, 250);
    let resources = ["products", "recurring_invoices", "revenues"];
    let assert_all = || resources.iter().for_each(|resource| fastbill.assert_key(resource, "id"));
    fastbill.run();
    assert_all();
    let first = contents(&fastbill.bench);
    fastbill.run();
    assert_eq!(contents(&fastbill.bench), first);

    fastbill.bench.sim.mutate("products", 0..5);
    fastbill.bench.sim.grow(3);
    fastbill.run();
    assert_all();
    assert_ne!(contents(&fastbill.bench)["products"], first["products"]);
    assert_fields(&fastbill, "products", "id", "product_name", "/product_name");
}

#[test]
fn fastbill_as_it_is() {
    let fastbill = Connector::new("fastbill_api", Api::FastBill, 250);
    let base = format!("client.base_url={}api/1.0/", fastbill.bench.sim.base_url());
    let run = || fastbill.run_with(&["--set", &base]);
    // What a table holds, what the API calls it, and its key.
    let lists = [
        ("customers", "customers", "CUSTOMER_ID"),
        ("products", "articles", "ARTICLE_ID"),
        ("invoices", "invoices", "INVOICE_ID"),
        ("recurring_invoices", "recurrings", "INVOICE_ID"),
        ("revenues", "incomes", "INVOICE_ID"),
    ];
    let keys = |table: &str, key: &str| {
        fastbill.bench.column(&format!("SELECT {key} FROM test_dataset.{table} ORDER BY 1"))
    };
    let assert_all = || {
        for (table, resource, key) in lists {
            let records = fastbill.bench.sim.expected(resource);
            let mut expected: Vec<String> = records.iter().map(|record| text(&record[key])).collect();
            expected.sort();
            assert_eq!(keys(table, key), expected, "{table}");
        }
    };
    run();
    assert_all();
    let first = contents(&fastbill.bench);
    run();
    assert_eq!(contents(&fastbill.bench), first);
    fastbill.bench.sim.mutate("customers", 0..5);
    fastbill.bench.sim.grow(3);
    run();
    assert_all();
    assert_ne!(contents(&fastbill.bench)["customers"], first["customers"]);
}

/// An error that comes with 200 fails the resource with the API's words, and loads nothing.
#[test]
fn errors_with_200_are_errors() {
    let bodies = [
        (
            "fastbill_api",
            Api::FastBill,
            "/api/1.0/api.php",
            "customers",
            r#"{"REQUEST": [], "RESPONSE": {"ERRORS": ["Service closed"]}}"#,
        ),
        ("fastbill", Api::FastBill, "/v1/products", "products", r#"{"errors": ["Service closed"]}"#),
        (
            "zoho_billing",
            Api::Zoho,
            "/billing/v1/plans",
            "plans",
            r#"{"code": 1038, "message": "Service closed"}"#,
        ),
    ];
    for (name, api, path, resource, body) in bodies {
        let connector = Connector::new(name, api, 20);
        let base = connector.bench.sim.base_url().to_owned();
        let below = if name == "fastbill_api" { "api/1.0/" } else { "" };
        let base = format!("client.base_url={base}{below}");
        let answer = Response::status(200).with_body(body).with_header("content-type", "application/json");
        connector.bench.sim.fault(Fault::respond(answer).on(path).always());
        let more = ["--set", &base, "--set", "client.rate_limit=null", resource];
        let ran = connector.bench.run(name, &more);
        assert_eq!(ran.code, 1, "{name}: {}", ran.stderr);
        assert!(ran.stderr.contains("Service closed"), "{name}: {}", ran.stderr);
    }
}
