//! The four documents that this project exists for, as they stand, against APIs that behave as the real ones do.

use std::collections::BTreeMap;

use dray_sim::{Api, Options, Sim};

use crate::support::{Bench, contents, python_block, shared, text};

/// A simulated API and the document's Python block beside it as `seed.py`.
fn seed(file: &str, api: Api, size: u64) -> Option<Bench> {
    let document = std::fs::read_to_string(shared("seeds")?.join(file)).unwrap();
    let bench = Bench::new(Sim::start(Options { api, size, ..Options::default() }).unwrap());
    bench.write("seed.py", python_block(&document));
    Some(bench)
}

/// Every top-level resource is in its table, row for row.
fn assert_tables(bench: &Bench, resources: &[&str], key: &dyn Fn(&str) -> String) {
    for resource in resources {
        let key = key(resource);
        let loaded = bench.column(&format!("SELECT {key} FROM test_dataset.{resource} ORDER BY 1"));
        assert_eq!(loaded, bench.expected(resource, &key), "{resource}");
    }
}

/// The rows of each parent, by its id.
fn by_parent(bench: &Bench, resource: &str) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for (parent, _) in bench.sim.expected_with_parent(resource) {
        *counts.entry(parent).or_default() += 1;
    }
    counts
}

fn loaded_by(bench: &Bench, table: &str, column: &str) -> BTreeMap<String, u64> {
    let sql = format!("SELECT {column}, count(*) FROM test_dataset.{table} GROUP BY 1");
    bench.query(&sql).into_iter().map(|row| (row[0].clone(), row[1].parse().unwrap())).collect()
}

const ORB: &[&str] = &["customers", "subscriptions", "plans", "invoices"];

#[test]
fn analytics_loads_with_its_children_and_again_without_doubles() {
    let Some(bench) = seed("000_b278d8943f473f6c.txt", Api::Orb, 120) else { return };
    let ran = bench.run("seed.py", &[]);
    ran.succeeded();
    assert_tables(&bench, ORB, &|_| "id".to_owned());
    assert_tables(&bench, &["credits_ledger_entries"], &|_| "id".to_owned());
    let ledger = by_parent(&bench, "credits_ledger_entries");
    assert_eq!(loaded_by(&bench, "credits_ledger_entries", "customer_id"), ledger);
    let usage = by_parent(&bench, "subscription_usage");
    assert_eq!(loaded_by(&bench, "subscription_usage", "subscription_id"), usage);
    let days: u64 = bench
        .sim
        .expected("subscription_usage")
        .iter()
        .map(|row| u64::try_from(row["usage"].as_array().unwrap().len()).unwrap())
        .sum();
    let linked = "SELECT count(*) FROM test_dataset.subscription_usage__usage u \
                  JOIN test_dataset.subscription_usage s ON u._dlt_parent_id = s._dlt_id";
    assert_eq!(bench.number(linked), days);
    assert_eq!(bench.number("SELECT count(*) FROM test_dataset._dlt_loads"), 1);
    bench.assert_no_secret(&ran);

    let first = contents(&bench);
    let again = bench.run("seed.py", &[]);
    again.succeeded();
    assert_eq!(contents(&bench), first);
    bench.assert_no_secret(&again);
}

#[test]
fn billing_loads_with_its_key_in_the_query() {
    let Some(bench) = seed("001_0f89f7dafb9817b4.txt", Api::FastBill, 250) else { return };
    let resources = ["products", "recurring_invoices", "revenues"];
    let ran = bench.run("seed.py", &[]);
    ran.succeeded();
    assert_tables(&bench, &resources, &|_| "id".to_owned());
    // 100, 100 and a short page of 50.
    assert_eq!(ran.count("products", "pages"), 3);
    bench.assert_no_secret(&ran);
    let first = contents(&bench);
    bench.run("seed.py", &[]).succeeded();
    assert_eq!(contents(&bench), first);
}

#[test]
fn zoho_loads_twelve_resources_whose_records_have_no_id() {
    let Some(bench) = seed("002_0aec93431d767cb1.txt", Api::Zoho, 230) else { return };
    let keys = [
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
    let ran = bench.run("seed.py", &[]);
    ran.succeeded();
    for (resource, key) in keys {
        assert_tables(&bench, &[resource], &|_| key.to_owned());
        assert_eq!(ran.count(resource, "rows"), 230, "{resource}");
    }
    // One token for the whole run: the API hands out ten in ten minutes.
    let tokens = |bench: &Bench| {
        bench.sim.requests().iter().filter(|request| request.path.ends_with("/token")).count()
    };
    assert_eq!(tokens(&bench), 1);
    bench.assert_no_secret(&ran);

    let first = contents(&bench);
    bench.run("seed.py", &[]).succeeded();
    assert_eq!(contents(&bench), first);

    // A changed record replaces its old row, a new one is added; where no key is known the whole resource is replaced.
    bench.sim.mutate("products", 0..5);
    bench.sim.mutate("plans", 0..5);
    bench.sim.grow(7);
    bench.run("seed.py", &[]).succeeded();
    for (resource, key) in keys {
        assert_tables(&bench, &[resource], &|_| key.to_owned());
    }
}

#[test]
fn stripe_loads_with_its_three_dependencies_and_then_only_what_is_new() {
    let Some(bench) = seed("003_85429a0d41e4d7b5.txt", Api::Stripe, 130) else { return };
    let ran = bench.run("seed.py", &[]);
    ran.succeeded();
    assert_tables(&bench, &["charges", "customers"], &|_| "id".to_owned());
    for (child, column) in [
        ("invoice_line_items", "invoice"),
        ("subscription_items", "subscription"),
        ("payout_transactions", "payout_id"),
    ] {
        assert_eq!(loaded_by(&bench, child, column), by_parent(&bench, child), "{child}");
    }
    // Unix timestamps stay integers.
    let types = "SELECT data_type FROM information_schema.columns WHERE table_schema = 'test_dataset' \
                 AND table_name = 'charges' AND column_name = 'created'";
    assert_eq!(bench.column(types), ["BIGINT"]);
    bench.assert_no_secret(&ran);

    let newest = bench.number("SELECT max(created) FROM test_dataset.charges");
    let first = contents(&bench);
    bench.sim.clear_requests();
    let again = bench.run("seed.py", &[]);
    again.succeeded();
    assert_eq!(contents(&bench), first);
    let asked = bench.sim.requests();
    let since = |request: &&dray_sim::Request| request.path == "/v1/charges";
    assert!(
        asked.iter().filter(since).all(|request| request.param("created[gte]") == Some(&newest.to_string()))
    );
    assert!(again.count("charges", "records") <= 2, "{}", again.report);

    bench.sim.grow(3);
    let third = bench.run("seed.py", &[]);
    third.succeeded();
    assert_tables(&bench, &["charges", "customers"], &|_| "id".to_owned());
    let lines = bench.sim.expected("invoice_line_items");
    assert_eq!(
        bench.number("SELECT count(*) FROM test_dataset.invoice_line_items"),
        u64::try_from(lines.len()).unwrap()
    );
    assert!(lines.iter().all(|line| !text(&line["id"]).is_empty()));
}
