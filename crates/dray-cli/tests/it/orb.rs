//! The connector for Orb against its simulated API: balances, ledgers, every invoice, and usage over time.

use dray_sim::Api;

use crate::connectors::{Connector, assert_fields};
use crate::support::{contents, text};

fn orb(size: u64) -> Connector {
    Connector::new("orb", Api::Orb, size)
}

fn usage_since(days: u64) -> String {
    format!("vars.usage_since=${{today - {days}d}}")
}

/// A table of usage without the end of the day that still runs, which is when it was asked.
fn usage(orb: &Connector, table: &str) -> Vec<Vec<String>> {
    let columns = "CAST(COLUMNS(c -> c NOT LIKE '\\_dlt%' ESCAPE '\\' AND c != 'timeframe_end') AS VARCHAR)";
    orb.bench.query(&format!("SELECT {columns} FROM test_dataset.{table} ORDER BY ALL"))
}

#[test]
fn balances_and_ledgers_belong_to_their_customers_and_some_have_none() {
    let orb = orb(30);
    orb.bench.sim.remove("credits_ledger_entries", [1, 4]);
    let ran = orb.run_with(&[]);
    let both = ["credit_balances", "credits_ledger_entries"];
    let assert_both = || {
        for resource in both {
            orb.assert_keys(resource, &["customer_id", "id"], |parent, record| {
                vec![parent.to_owned(), text(&record["id"])]
            });
        }
    };
    assert_both();
    for resource in both {
        let skipped = &ran.report["resources"][resource]["skipped"];
        assert_eq!(skipped["the customer has no ledger"], 2, "{resource}: {skipped}");
    }
    let first = contents(&orb.bench);
    orb.run_with(&[]);
    assert_eq!(contents(&orb.bench), first);

    orb.bench.sim.restore("credits_ledger_entries", [4]);
    orb.run_with(&[]);
    assert_both();
}

/// Void invoices and drafts are not in a list that does not ask for them.
#[test]
fn invoices_change_their_status_to_any_other() {
    let orb = orb(60);
    orb.run_with(&[]);
    orb.bench.sim.mutate("invoices", [0, 1, 1, 59]);
    orb.run_with(&[]);
    assert_fields(&orb, "invoices", "id", "status", "/status");
    let statuses = "SELECT status, count(*) FROM test_dataset.invoices WHERE status IN ('void', 'draft') \
                    GROUP BY ALL ORDER BY ALL";
    assert_eq!(orb.bench.query(statuses), [["draft", "1"], ["void", "2"]]);
}

#[test]
fn the_feed_of_changes_goes_on_where_it_was() {
    let orb = orb(60);
    let feed = ["resource_events", "--set", "vars.events=true"];
    orb.run_with(&feed);
    orb.assert_key("resource_events", "id");
    orb.bench.sim.mutate("customers", [3, 4]);
    orb.bench.sim.mutate("invoices", [5]);
    let second = orb.run_with(&feed);
    orb.assert_key("resource_events", "id");
    // The three changes; and of each of four types the newest of before: two records share the last second.
    assert_eq!(second.count("resource_events", "records"), 3 + 4 * 2, "{}", second.report);
}

/// One for each metric and each day of the range, today too. The day that the range begins with is not of it.
#[test]
fn usage_by_days_is_read_again_for_corrections() {
    let orb = orb(10);
    let per_metric = "SELECT DISTINCT count(*) FROM test_dataset.subscription_usage \
                      GROUP BY subscription_id, billable_metric_id";
    orb.run_with(&["subscription_usage_days", "--set", &usage_since(50)]);
    assert_eq!(orb.bench.column(per_metric), ["50"]);
    // 15 metrics of ten subscriptions.
    assert_eq!(orb.bench.number("SELECT count(*) FROM test_dataset.subscription_usage"), 15 * 50);
    let first = usage(&orb, "subscription_usage");
    orb.run_with(&["subscription_usage_days", "--set", &usage_since(50)]);
    assert_eq!(usage(&orb, "subscription_usage"), first);

    // Subscription 3 has three metrics: corrected to 0. Usage arrives late for subscription 0, with its one metric.
    orb.bench.sim.mutate("subscription_usage", [3, 0, 0]);
    orb.bench.sim.clear_requests();
    orb.run_with(&["subscription_usage_days", "--set", &usage_since(50)]);
    let changed = "SELECT CAST(sum(quantity) AS BIGINT), count(*) FROM test_dataset.subscription_usage \
                   WHERE timeframe_start > current_date - 35 AND subscription_id = ";
    let subscriptions = orb.bench.sim.expected("subscriptions");
    let of = |index: usize| orb.bench.query(&format!("{changed}'{}'", text(&subscriptions[index]["id"])));
    assert_eq!(of(3), [["0", "105"]]);
    assert_eq!(of(0), [["3500", "35"]]);
    assert_eq!(orb.bench.number("SELECT count(*) FROM test_dataset.subscription_usage"), 15 * 50);
    // One request for each subscription: the range is not cut.
    let asked = orb.bench.sim.requests().iter().filter(|request| request.path.ends_with("/usage")).count();
    assert_eq!(asked, 10);

    // What is older is corrected by a run that is told to begin there.
    let all = format!(
        "SELECT CAST(sum(quantity) AS BIGINT), count(*) FROM test_dataset.subscription_usage \
         WHERE subscription_id = '{}'",
        text(&subscriptions[3]["id"])
    );
    assert_ne!(orb.bench.query(&all), [["0", "150"]]);
    let begin = orb.bench.column("SELECT CAST(current_date - 50 AS VARCHAR)").remove(0);
    orb.run_with(&["subscription_usage_days", "--set", &usage_since(50), "--since", &begin]);
    assert_eq!(orb.bench.query(&all), [["0", "150"]]);
}

/// Five groups: three names, the empty text and null; each stays what it is, however often it is read.
#[test]
fn grouped_usage_keeps_null_and_empty_apart() {
    let orb = orb(10);
    orb.run_with(&["subscription_usage"]);
    let metric = orb.bench.column(
        "SELECT billable_metric_id FROM test_dataset.subscription_usage GROUP BY ALL ORDER BY count(*) DESC LIMIT 1",
    );
    let metrics = format!("vars.metrics=[{}]", metric[0]);
    let since = usage_since(20);
    let grouped = ["subscription_usage_grouped", "subscription_usage_days", "--set", &since];
    let more = [&grouped[..], &["--set", "vars.group_by=region", "--set", &metrics]].concat();
    let ran = orb.run_with(&more);
    let skipped = &ran.report["resources"]["subscription_usage_grouped"]["skipped"];
    // Each tenth subscription has no metric at all.
    assert_eq!(skipped["the subscription does not have the metric"], 1, "{skipped}");
    let groups = "SELECT coalesce(grouping_key, 'null'), grouping_property, count(*) \
                  FROM test_dataset.subscription_usage_grouped GROUP BY ALL ORDER BY ALL";
    // Twenty days of nine subscriptions.
    let expected: Vec<Vec<String>> = ["", "ap-süd", "eu-west", "null", "us-east"]
        .iter()
        .map(|group| vec![(*group).to_owned(), "region".to_owned(), "180".to_owned()])
        .collect();
    assert_eq!(orb.bench.query(groups), expected);
    let first = usage(&orb, "subscription_usage_grouped");
    orb.run_with(&more);
    assert_eq!(usage(&orb, "subscription_usage_grouped"), first);

    orb.bench.sim.mutate("subscription_usage", 0..10);
    orb.run_with(&more);
    assert_eq!(orb.bench.query(groups), expected);
    let sums = "SELECT DISTINCT quantity = 0 FROM test_dataset.subscription_usage_grouped";
    assert_eq!(orb.bench.column(sums), ["true"]);
}

/// The API cuts days at midnight, so a range from 8:00 on begins with a part of a day. Loaded, it would stay beside
/// the whole day that a later run reads.
#[test]
fn a_part_of_a_day_in_front_is_not_loaded() {
    let orb = orb(1);
    orb.run_with(&["subscription_usage_days", "--set", "vars.usage_since=${today - 20d:%Y-%m-%dT08:00:00Z}"]);
    let hours = "SELECT DISTINCT strftime(timeframe_start AT TIME ZONE 'UTC', '%H:%M') FROM test_dataset.subscription_usage";
    assert_eq!(orb.bench.column(hours), ["00:00"]);
    assert_eq!(orb.bench.number("SELECT count(*) FROM test_dataset.subscription_usage"), 20);
}

#[test]
fn a_start_that_is_no_day_is_an_error() {
    let orb = orb(1);
    let ran = orb.bench.run("orb", &["subscription_usage_days", "--set", "vars.usage_since=tomorrow"]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert!(ran.stderr.contains("the cursor is no time"), "{}", ran.stderr);
    assert!(ran.stderr.contains("found: tomorrow, resource: subscription_usage_days"), "{}", ran.stderr);
}
