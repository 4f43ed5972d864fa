//! The documents that this program exists for, and the connectors for the same APIs.
#![expect(clippy::print_stderr, reason = "a skipped test has to be visible")]

use jiff::Timestamp;

use super::{explained, planned, rendered};
use crate::config::connectors;
use crate::config::load::read_text_as;
use crate::config::parse::Format;
use crate::config::secrets::Sources;
use crate::plan::{Note, Plan, explain, prepare};

/// The four documents, where they are at hand.
fn seed(name: &str) -> Option<String> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/seeds/");
    let text = std::fs::read_to_string(format!("{path}{name}")).ok();
    if text.is_none() {
        eprintln!("skipped: {name} is not there");
    }
    text
}

fn plan_of(name: &str) -> Option<Plan> {
    let plan = planned(&seed(name)?, Format::Document);
    assert!(plan.is_ok(), "{}", explained(&plan));
    plan.ok()
}

fn names(plan: &Plan) -> Vec<&str> {
    plan.resources.iter().map(|resource| resource.name.as_str()).collect()
}

/// The lines on one resource.
fn part<'a>(text: &'a str, name: &str) -> &'a str {
    let from = text.split_once(&format!("\n\n{name}\n")).map_or("", |(_, rest)| rest);
    from.split("\n\n").next().unwrap_or_default()
}

#[test]
fn usage_billing_with_children_of_unbound_placeholders() {
    let Some(plan) = plan_of("000_b278d8943f473f6c.txt") else { return };
    assert_eq!(
        names(&plan),
        ["customers", "subscriptions", "plans", "invoices", "credits_ledger_entries", "subscription_usage"]
    );
    insta::assert_snapshot!(part(&explain(&plan), "credits_ledger_entries"), @r#"
    GET https://api.example.com/v1/customers/{customers.id}/credits/ledger
    parent        once for each record of customers; rows carry customer_id (its id)
    auth          bearer token
    pages         cursor at pagination_metadata.next_cursor, sent as `cursor`, 50 records each (`limit`)
    records       data
    load          merge into `credits_ledger_entries`, key id (or credits_ledger_entry_id, where records lack it)
    "#);
    insta::assert_snapshot!(part(&explain(&plan), "subscription_usage"), @r#"
    GET https://api.example.com/v1/subscriptions/{subscriptions.id}/usage
    parent        once for each record of subscriptions; rows carry subscription_id (its id)
    auth          bearer token
    pages         found on the first page
    records       data
    load          merge into `subscription_usage`, key id (or subscription_usage_id, where records lack it)
    "#);
}

#[test]
fn offsets_with_a_key_in_the_query() {
    let Some(plan) = plan_of("001_0f89f7dafb9817b4.txt") else { return };
    assert_eq!(names(&plan), ["products", "recurring_invoices", "revenues"]);
    assert_eq!(plan.notes, []);
    insta::assert_snapshot!(part(&explain(&plan), "recurring_invoices"), @r#"
    GET https://api.example.com/v1/recurring_invoices
    auth          key in the parameter `api_key`
    pages         offset `offset` from 0, 100 records each (`limit`); until total is reached (where it is there) or a page is short
    records       data
    load          merge into `recurring_invoices`, key id (or recurring_invoice_id, where records lack it)
    "#);
}

#[test]
fn pages_with_a_refresh_token() {
    let Some(plan) = plan_of("002_0aec93431d767cb1.txt") else { return };
    assert_eq!(plan.resources.len(), 12);
    insta::assert_snapshot!(part(&explain(&plan), "taxes"), @r#"
    GET https://api.example.com/settings/taxes
    auth          Bearer token for a refresh token from https://accounts.example.com/oauth/v2/token
    pages         number `page` from 1, 200 records each (`per_page`); until total is reached (where it is there) or a page is short
    records       taxes
    load          merge into `taxes`, key id (or tax_id, where records lack it)
    "#);
}

#[test]
fn dependencies_that_the_file_does_not_define() {
    let Some(plan) = plan_of("003_85429a0d41e4d7b5.txt") else { return };
    insta::assert_snapshot!(explain(&plan), @r#"
    https://api.stripe.com/v1/
      retry         15 times after 2, 4, 8, ... s, on 429, 500, 502, 503, 504
      side by side  up to 8 requests
      header        Stripe-Version: 2022-11-15

    charges
      GET https://api.stripe.com/v1/charges
      auth          key in the header `Authorization`
      pages         id of the last record, sent as `starting_after`, 100 records each (`limit`); until has_more is false (where it is there)
      records       data
      incremental   by created, start sent as `created[gte]` in unix seconds
      load          merge into `charges`, key id

    customers
      GET https://api.stripe.com/v1/customers
      auth          key in the header `Authorization`
      pages         id of the last record, sent as `starting_after`, 100 records each (`limit`); until has_more is false (where it is there)
      records       data
      incremental   by created, start sent as `created[gte]` in unix seconds
      load          merge into `customers`, key id

    invoices
      GET https://api.stripe.com/v1/invoices
      auth          key in the header `Authorization`
      pages         id of the last record, sent as `starting_after`, 100 records each (`limit`); until has_more is false
      records       data
      incremental   by created, start sent as `created[gte]` in unix seconds, end as `created[lt]` in unix seconds; at first from 2010-01-01T00:00:00Z, in windows of 90d; 600 earlier than it ended
      load          merge into `invoices`, key id

    invoice_line_items
      GET https://api.stripe.com/v1/invoices
      auth          key in the header `Authorization`
      pages         id of the last record, sent as `starting_after`, 100 records each (`limit`); until has_more is false
      records       data
      expand        a row for each item of lines.data, with invoice, invoice_created
                    where lines.has_more is true, the rest of it from {lines.url}; pages: id of the last record, sent as `starting_after`, 100 records each (`limit`); until has_more is false
      incremental   by invoice_created, start sent as `created[gte]` in unix seconds, end as `created[lt]` in unix seconds; at first from 2010-01-01T00:00:00Z, in windows of 90d; 600 earlier than it ended
      load          merge into `invoice_line_items`, key id, invoice

    subscriptions
      GET https://api.stripe.com/v1/subscriptions
      parameter     status = all
      auth          key in the header `Authorization`
      pages         id of the last record, sent as `starting_after`, 100 records each (`limit`); until has_more is false
      records       data
      load          merge into `subscriptions`, key id

    subscription_items
      GET https://api.stripe.com/v1/subscriptions
      parameter     status = all
      auth          key in the header `Authorization`
      pages         id of the last record, sent as `starting_after`, 100 records each (`limit`); until has_more is false
      records       data
      expand        a row for each item of items.data
                    where items.has_more is true, the rest of it from {items.url}; pages: id of the last record, sent as `starting_after`, 100 records each (`limit`); until has_more is false
      load          merge into `subscription_items`, key id

    payouts
      GET https://api.stripe.com/v1/payouts
      auth          key in the header `Authorization`
      pages         id of the last record, sent as `starting_after`, 100 records each (`limit`); until has_more is false
      records       data
      incremental   by created, start sent as `created[gte]` in unix seconds; 2592000 earlier than it ended
      load          merge into `payouts`, key id

    payout_transactions
      GET https://api.stripe.com/v1/balance_transactions
      parameter     payout = {payouts.id}
      parent        once for each record of payouts with @.automatic == true; rows carry payout_id (its id)
      auth          key in the header `Authorization`
      pages         id of the last record, sent as `starting_after`, 100 records each (`limit`); until has_more is false
      records       data
      load          merge into `payout_transactions`, key id, payout_id

    read as
      - BASE_CONFIG and ENDPOINTS are read as `client` and `resources`
      - endpoints with a `primary_key` are merged by it (charges, customers)
      - the parameter `created` is sent as `created[gte]`, which is how Stripe takes a start (charges, customers)
      - `invoices` is not among ENDPOINTS: it is taken from the connector `stripe`
      - `client.headers` is taken from the connector `stripe`
      - `client.retry` is taken from the connector `stripe`
      - `invoice_line_items` is not among ENDPOINTS: it is taken from the connector `stripe`
      - `subscriptions` is not among ENDPOINTS: it is taken from the connector `stripe`
      - `subscription_items` is not among ENDPOINTS: it is taken from the connector `stripe`
      - `payouts` is not among ENDPOINTS: it is taken from the connector `stripe`
      - `payout_transactions` is not among ENDPOINTS: it is taken from the connector `stripe`
      - the value of `Bearer {token}` comes from the secret `token`, else `api_key`, else `access_token`, else `client_secret`
      - `pagination` is read as `paginator` (charges, customers)
      - `offset` by `starting_after` is read as a cursor: the `id` of the page's last record, until `has_more` is false or a page is empty (charges, customers)
      - `param_name` is read as `start_param` (charges, customers)
    "#);
}

#[test]
fn every_connector_compiles_without_a_note() {
    let sources = Sources { placeholders: true, ..Sources::new(Timestamp::UNIX_EPOCH) };
    for (name, text) in connectors::shipped_all() {
        let loaded = read_text_as((*name).to_owned(), (*text).to_owned(), Format::Yaml).unwrap();
        let prepared = prepare(loaded, &[], &sources);
        let plan = prepared.plan.unwrap_or_else(|| panic!("{name}: {}", rendered(&prepared.diagnostics)));
        let notes = plan.notes.iter().filter(|note| !note.text.starts_with("left out by `when`"));
        assert_eq!(notes.collect::<Vec<_>>(), Vec::<&Note>::new(), "{name}");
    }
}

#[test]
fn the_connector_for_metered_billing() {
    // With the variables of the file, which say what is left out.
    let sources = Sources { placeholders: true, ..Sources::new(Timestamp::UNIX_EPOCH) };
    let text = connectors::shipped("orb").unwrap_or_default().to_owned();
    let loaded = read_text_as("orb".to_owned(), text, Format::Yaml).unwrap();
    let plan = prepare(loaded, &[], &sources).plan.unwrap();
    insta::assert_snapshot!(part(&explain(&plan), "subscription_usage"), @r#"
    GET https://api.withorb.com/v1/subscriptions/{subscriptions.id}/usage
    parameter     granularity = day
    parameter     view_mode = periodic
    parent        once for each record of subscriptions; rows carry subscription_id (its id)
    auth          bearer token
    pages         cursor at pagination_metadata.next_cursor, sent as `cursor`, 50 records each (`limit`)
    records       data
    expand        a row for each item of usage, with billable_metric_id, billable_metric_name, grouping_key, view_mode
    load          merge into `subscription_usage`, key subscription_id, billable_metric_id, timeframe_start, grouping_key
    "#);
}
