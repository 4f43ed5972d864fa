//! `dray check` and `dray plan`: offline, and a plan without secrets.

use dray_sim::{Api, Response};

use crate::commands::{CONFIG, bench, err, out};
use crate::support::{Bench, python_block, shared};

fn without_secrets() -> Bench {
    bench(Api::custom(|_| Response::status(404)))
}

#[test]
fn check_says_that_all_is_well() {
    let bench = bench(Api::FastBill);
    bench.write("bill.yaml", CONFIG);
    let checked = bench.dray(&["check", "bill.yaml"]);
    assert_eq!((checked.status.code(), out(&checked).as_str()), (Some(0), ""));
    assert_eq!(err(&checked), "no problems: 2 resources\n");
    for connector in ["stripe", "orb", "zoho_billing", "fastbill"] {
        let planned = bench.dray(&["plan", connector]);
        assert_eq!(planned.status.code(), Some(0), "{connector}: {}", err(&planned));
    }
    assert!(bench.sim.requests().is_empty());
}

#[test]
fn a_plan_needs_no_secrets_and_a_check_does() {
    let bench = without_secrets();
    bench.write("bill.yaml", CONFIG);
    let planned = bench.dray(&["plan", "bill.yaml"]);
    assert_eq!(planned.status.code(), Some(0));
    insta::assert_snapshot!(err(&planned), @r"
    note: line 3: client.auth.api_key: the secret `api_key` is not set
          looked in the environment for API_KEY, SOURCES__REST_API__API_KEY, SOURCES__BILL__API_KEY, BILL__SOURCES__REST_API__API_KEY, SOURCES__REST_API__CREDENTIALS__API_KEY, SOURCES__API_KEY, CREDENTIALS__API_KEY, DRAY_SECRETS__API_KEY; in .dray/secrets.toml (no such file); in .dlt/secrets.toml (no such file)
    ");
    insta::assert_snapshot!(out(&planned), @r"
    https://my.fastbill.com/api/
      retry         3 times after 2, 4, 8 s, on 429, 500, 502, 503, 504
      side by side  up to 8 requests

    products
      GET https://my.fastbill.com/api/v1/products
      auth          key in the parameter `api_key`
      pages         offset `offset` from 0, 100 records each (`limit`); until a page is short
      records       data
      load          merge into `products`, key id (or product_id, where records lack it)

    revenues
      GET https://my.fastbill.com/api/v1/revenues
      auth          key in the parameter `api_key`
      pages         offset `offset` from 0, 100 records each (`limit`); until a page is short
      records       data
      incremental   by last_update, start sent as `since`
      load          merge into `revenues`, key id (or revenue_id, where records lack it)
    ");
    let checked = bench.dray(&["check", "bill.yaml"]);
    assert_eq!(checked.status.code(), Some(2));
    assert!(
        err(&checked).contains("client.auth.api_key: the secret `api_key` is not set"),
        "{}",
        err(&checked)
    );
}

/// How the loose spellings of a seed are read, as `dray plan` says it, without secrets.
fn readings(file: &str) -> Option<String> {
    let document = std::fs::read_to_string(shared("seeds")?.join(file)).unwrap();
    let bench = without_secrets();
    bench.write("seed.py", python_block(&document));
    let planned = bench.dray(&["plan", "seed.py"]);
    assert_eq!(planned.status.code(), Some(0), "{}", err(&planned));
    let plan = out(&planned);
    Some(plan.split_once("\nread as\n").map_or_else(String::new, |(_, readings)| readings.to_owned()))
}

#[test]
fn readings_of_analytics() {
    let Some(readings) = readings("000_b278d8943f473f6c.txt") else { return };
    insta::assert_snapshot!(readings, @r"
    - the paginator's `limit` is sent as the parameter `limit` (customers, subscriptions, plans and 2 more)
    - credits_ledger_entries: `{customer_id}` in the path is `id` of each record of `customers`, which every row carries as `customer_id`
    - subscription_usage: `{subscription_id}` in the path is `id` of each record of `subscriptions`, which every row carries as `subscription_id`
    ");
}

#[test]
fn readings_of_billing() {
    let Some(readings) = readings("001_0f89f7dafb9817b4.txt") else { return };
    insta::assert_snapshot!(readings, @"");
}

#[test]
fn readings_of_zoho() {
    let Some(readings) = readings("002_0aec93431d767cb1.txt") else { return };
    insta::assert_snapshot!(readings, @r"
    - auth `oauth2` is read as `oauth2_refresh_token`
    - `token_url` is read as `access_token_url`
    - pages are counted from 1 (`base_page: 1`) (products, plans, addons and 9 more)
    ");
}

#[test]
fn readings_of_stripe() {
    let Some(readings) = readings("003_85429a0d41e4d7b5.txt") else { return };
    insta::assert_snapshot!(readings, @r"
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
    ");
}
