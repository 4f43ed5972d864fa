//! The connector for Stripe against its simulated API: everything in full, what is new, what changed.

use std::time::{Duration, SystemTime};

use dray_sim::{Api, Options, Sim};

use crate::connectors::{Connector, assert_fields};
use crate::support::{Bench, contents, text};

/// Lists of their own, each by `id`.
const TOP: &[&str] = &[
    "charges",
    "customers",
    "invoices",
    "invoice_items",
    "payment_intents",
    "refunds",
    "balance_transactions",
    "checkout_sessions",
    "setup_intents",
    "disputes",
    "coupons",
    "promotion_codes",
    "subscription_schedules",
    "transfers",
    "top_ups",
    "application_fees",
    "reviews",
    "payouts",
    "subscriptions",
    "products",
    "prices",
    "plans",
    "tax_rates",
    "shipping_rates",
    "credit_notes",
    "events",
];

/// Children, and the column that holds their parent's id.
const CHILDREN: &[(&str, &str)] = &[
    ("invoice_line_items", "invoice"),
    ("subscription_items", "subscription"),
    ("payout_transactions", "payout_id"),
    ("credit_note_line_items", "credit_note"),
    ("transfer_reversals", "transfer"),
];

const DETAILS: &[(&str, &str)] = &[
    ("payment_methods", "customer"),
    ("customer_balance_transactions", "customer"),
    ("checkout_session_line_items", "checkout_session"),
    ("setup_attempts", "setup_intent"),
];

const UPDATES: [&str; 2] = ["--set", "vars.updates=true"];

/// An account whose newest objects were made an hour ago, and the others in the hours before.
fn stripe(size: u64) -> Connector {
    aged(size, Duration::ZERO)
}

/// The same, as it is found so much later.
#[expect(clippy::disallowed_methods, reason = "the program's clock is the system's")]
fn aged(size: u64, age: Duration) -> Connector {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let first = (now - age).as_secs() - (size + 1) * 3600;
    let first_created = i64::try_from(first).unwrap();
    let sim = Sim::start(Options { api: Api::Stripe, size, first_created, ..Options::default() });
    Connector { name: "stripe", bench: Bench::new(sim.unwrap()) }
}

#[track_caller]
fn assert_children(stripe: &Connector, children: &[(&str, &str)]) {
    for (child, column) in children {
        stripe.assert_keys(child, &["id", column], |parent, record| {
            vec![text(&record["id"]), parent.to_owned()]
        });
    }
}

#[track_caller]
fn assert_all(stripe: &Connector) {
    for resource in TOP {
        stripe.assert_key(resource, "id");
    }
    assert_children(stripe, CHILDREN);
}

fn revisions(stripe: &Connector, resource: &str) {
    assert_fields(stripe, resource, "id", "metadata__revision", "/metadata/revision");
}

/// Lists of two pages.
#[test]
fn everything_is_loaded_once() {
    let stripe = stripe(105);
    stripe.run_with(&[]);
    assert_all(&stripe);
    let first = contents(&stripe.bench);
    stripe.run_with(&[]);
    assert_eq!(contents(&stripe.bench), first);
}

#[test]
fn lists_by_created_bring_what_is_new_and_the_others_what_changed() {
    let stripe = stripe(12);
    stripe.run_with(&[]);
    stripe.bench.sim.mutate("subscriptions", 0..5);
    stripe.bench.sim.mutate("products", 0..5);
    stripe.bench.sim.mutate("charges", 0..5);
    stripe.bench.sim.grow(3);
    let second = stripe.run_with(&[]);
    assert_all(&stripe);
    // The three new ones, and the two that were created in the last second before them.
    assert!(second.count("charges", "records") <= 5, "{}", second.report);
    revisions(&stripe, "subscriptions");
    revisions(&stripe, "products");

    let again = stripe.run_with(&["charges", "--set", "resources.charges.endpoint.incremental=null"]);
    assert_eq!(again.count("charges", "records"), 15);
    revisions(&stripe, "charges");
}

#[test]
fn details_are_asked_for_where_they_are_wanted() {
    let stripe = stripe(12);
    stripe.run_with(&["--set", "vars.details=true"]);
    assert_children(&stripe, DETAILS);
    assert_all(&stripe);
}

/// The simulated invoices have 1, 2, 25, 3, 1, 11, 2, 10, 1 and 4 lines, of which ten at most are embedded.
#[test]
fn an_invoice_with_25_lines_has_25_rows() {
    let stripe = stripe(10);
    stripe.run_with(&["invoice_line_items"]);
    let sql = "SELECT count(*) FROM test_dataset.invoice_line_items GROUP BY invoice ORDER BY 1";
    assert_eq!(stripe.bench.column(sql), ["1", "1", "1", "2", "2", "3", "4", "10", "11", "25"]);
}

#[test]
fn windows_are_read_side_by_side() {
    // A day apart: 400 charges lie in five windows of 90 days, and the empty ones before them are asked for as well.
    let sim = Options {
        api: Api::Stripe,
        size: 400,
        step: 86_400,
        latency: Duration::from_millis(30),
        ..Options::default()
    };
    let bench = Bench::new(Sim::start(sim).unwrap());
    bench.run("stripe", &["charges"]).succeeded();
    assert_eq!(bench.number("SELECT count(DISTINCT id) FROM test_dataset.charges"), 400);
    assert!(bench.sim.peak_in_flight() >= 6, "{} at once", bench.sim.peak_in_flight());
    let windows: std::collections::BTreeSet<String> = bench
        .sim
        .requests()
        .iter()
        .filter_map(|request| request.param("created[gte]").map(str::to_owned))
        .collect();
    assert!(windows.len() > 60, "{} windows since 2010", windows.len());
    // What was read once is not asked for again.
    let newest = bench.number("SELECT max(created) FROM test_dataset.charges");
    bench.sim.clear_requests();
    bench.run("stripe", &["charges"]).succeeded();
    let starts =
        bench.sim.requests().into_iter().filter_map(|request| request.param("created[gte]")?.parse().ok());
    assert_eq!(starts.min(), Some(newest - 600));
}

#[test]
fn a_charge_that_becomes_visible_late_is_loaded() {
    let bench = Bench::new(
        Sim::start(Options { api: Api::Stripe, size: 40, step: 60, ..Options::default() }).unwrap(),
    );
    bench.sim.remove("charges", [35]);
    bench.run("stripe", &["charges"]).succeeded();
    bench.sim.restore("charges", [35]);
    bench.run("stripe", &["charges"]).succeeded();
    assert_eq!(
        bench.column("SELECT id FROM test_dataset.charges ORDER BY 1"),
        bench.expected("charges", "id")
    );
}

/// How often the API was asked for single objects of a list.
fn asked_by_id(stripe: &Connector, list: &str) -> usize {
    let below = format!("/v1/{list}/");
    stripe.bench.sim.requests().iter().filter(|request| request.path.starts_with(&below)).count()
}

/// Kinds that a feed is followed for.
const FOLLOWED: &[&str] = &[
    "charges",
    "customers",
    "invoices",
    "invoice_items",
    "payment_intents",
    "refunds",
    "disputes",
    "checkout_sessions",
    "setup_intents",
    "coupons",
    "promotion_codes",
    "subscription_schedules",
    "transfers",
    "top_ups",
    "application_fees",
];

/// Changes two objects of every kind, one of them twice, and deletes one of every kind that can be.
fn change(sim: &Sim) {
    for resource in FOLLOWED {
        sim.mutate(resource, [1, 3]);
        sim.mutate(resource, [3]);
    }
    for resource in ["customers", "coupons", "invoice_items", "products", "plans"] {
        sim.remove(resource, [4]);
    }
    // A draft that changed and is gone when it is asked for.
    sim.mutate("invoices", [5]);
    sim.remove("invoices", [5]);
}

#[track_caller]
fn assert_changed(stripe: &Connector) {
    for resource in FOLLOWED {
        revisions(stripe, resource);
    }
    for resource in TOP.iter().filter(|resource| !FOLLOWED.contains(resource)) {
        stripe.assert_key(resource, "id");
    }
}

#[test]
fn the_events_bring_what_changed_and_take_what_was_deleted() {
    let stripe = stripe(12);
    stripe.run_with(&UPDATES);
    assert_all(&stripe);

    change(&stripe.bench.sim);
    stripe.bench.sim.clear_requests();
    stripe.run_with(&UPDATES);
    assert_changed(&stripe);
    // Two events of one object ask for it once. The feed of charges begins ten minutes before its end, with the event of
    // the last one that was made; the stub of the deleted customer is asked for, too.
    assert_eq!(asked_by_id(&stripe, "charges"), 2 + 1);
    assert_eq!(asked_by_id(&stripe, "coupons"), 2);
    assert_eq!(asked_by_id(&stripe, "customers"), 3);

    let settled = contents(&stripe.bench);
    stripe.run_with(&UPDATES);
    assert_eq!(contents(&stripe.bench), settled);
}

#[test]
fn a_run_that_is_stopped_among_the_changes_goes_on_with_them() {
    let stripe = stripe(12);
    let kinds = ["charges", "customers", "payment_intents"];
    let named = kinds.map(|kind| [kind.to_owned(), format!("{kind}_events"), format!("changed_{kind}")]);
    let mut some = UPDATES.to_vec();
    some.extend(named.as_flattened().iter().map(String::as_str));
    stripe.run_with(&some);
    change(&stripe.bench.sim);
    // Fewer than there are lists and feeds, of which a later run need not ask for all again.
    for most in ["3", "4", "5"] {
        let ran = stripe.bench.run("stripe", &[&some[..], &["--max-requests", most]].concat());
        assert!(matches!(ran.code, 0 | 130), "{}", ran.stderr);
        assert!(most != "3" || ran.code == 130, "{}", ran.stderr);
    }
    stripe.run_with(&some);
    for resource in kinds {
        revisions(&stripe, resource);
    }
}

/// Where lists in windows begin.
const YEAR_2010: &str = "1262304000";

#[test]
fn a_feed_that_has_forgotten_changes_is_mended_by_its_list_and_says_so() {
    // Forty days ago; then a charge an hour for 800 hours, while nobody looks.
    let stripe = aged(12, Duration::from_secs(40 * 86_400));
    let charges = [&UPDATES[..], &["charges", "charges_events", "changed_charges"]].concat();
    stripe.run_with(&charges);
    stripe.bench.sim.mutate("charges", [1]);
    stripe.bench.sim.grow(800);
    assert!(stripe.bench.sim.expected("events").iter().all(|event| event["type"] != "charge.updated"));
    let in_full = || {
        let requests = stripe.bench.sim.requests();
        requests.iter().any(|request| request.param("created[gte]") == Some(YEAR_2010))
    };
    stripe.bench.sim.clear_requests();
    let late = stripe.run_with(&charges);
    assert!(in_full());
    let notes = late.report["notes"].to_string();
    assert!(
        notes.contains("charges_events: its cursor, ") && notes.contains("`charges` is read in full"),
        "{notes}"
    );
    stripe.assert_key("charges", "id");
    revisions(&stripe, "charges");

    stripe.bench.sim.clear_requests();
    stripe.run_with(&charges);
    assert!(!in_full());
}

/// Lists cost a request a page, whatever is inside them, and nothing is asked for that nobody wants.
#[test]
fn a_run_costs_what_its_lists_cost() {
    let stripe = stripe(12);
    stripe.run_with(&[]);
    stripe.bench.sim.clear_requests();
    stripe.run_with(&[]);
    let requests = stripe.bench.sim.requests();
    let count = |path: &str| requests.iter().filter(|request| request.path == path).count();
    assert_eq!(count("/v1/events"), 1);
    // Two tables are made of each.
    for list in ["/v1/subscriptions", "/v1/credit_notes", "/v1/transfers"] {
        assert_eq!(count(list), 2, "{list}");
    }
    // Only what is cut at ten is read on: one subscription of ten has twelve items.
    assert_eq!(count("/v1/subscription_items"), 1);
    // Three of the twelve payouts are manual.
    let of_payouts = requests.iter().filter(|request| request.param("payout").is_some());
    assert_eq!(of_payouts.count(), 9);
}
