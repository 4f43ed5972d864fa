//! Windows and backfills, against the simulated Stripe: a charge an hour from 2023-01-01 on.

use dray_sim::{Api, Options, Sim};

use crate::support::Bench;

const QUICK: [&str; 2] = ["--set", "client.retry.backoff_factor=0.01"];
const COUNT: &str = "SELECT count(*) FROM test_dataset.charges";

/// Charges by windows of a day, with a parameter for the end and how it is read.
fn bench(end: &str, more: &str) -> Bench {
    let bench =
        Bench::new(Sim::start(Options { api: Api::Stripe, size: 250, ..Options::default() }).unwrap());
    let config = format!(
        "client: {{base_url: \"https://api.stripe.com/v1/\", auth: {{type: bearer, token: \"${{secrets.api_key}}\"}}}}\n\
         resources:\n  - name: charges\n    write_disposition: append\n    primary_key: id\n    endpoint:\n      \
         path: charges\n      data_selector: data\n      \
         paginator: {{type: cursor, cursor_field: id, cursor_param: starting_after, has_more_path: has_more, limit: 10}}\n      \
         incremental: {{cursor_path: created, start_param: \"created[gte]\", end_param: \"{end}\", format: unix, \
         initial_value: \"2023-01-01\", end_value: \"2023-02-01\", window: 1d{more}}}\n"
    );
    bench.write("charges.yaml", &config);
    bench
}

#[test]
fn a_charge_on_the_border_of_a_day_is_loaded_once_whether_the_api_includes_it_or_not() {
    for (end, more) in [("created[lt]", ""), ("created[lte]", ", range_end: closed")] {
        let bench = bench(end, more);
        let ran = bench.run("charges.yaml", &QUICK);
        ran.succeeded();
        assert_eq!(bench.number(COUNT), 250, "{end}");
        assert_eq!(
            bench.column("SELECT id FROM test_dataset.charges ORDER BY 1"),
            bench.expected("charges", "id")
        );
    }
}

#[test]
fn a_backfill_reads_its_days_and_says_so() {
    let bench = bench("created[lt]", "");
    let range = ["--since", "2023-01-02", "--until", "2023-01-04T12:00:00Z"];
    let ran = bench.run("charges.yaml", &[&QUICK[..], &range].concat());
    ran.succeeded();
    assert_eq!(bench.number(COUNT), 24 + 24 + 12);
    let notes = ran.report["notes"].to_string();
    assert!(notes.contains("a backfill from 2023-01-02 up to 2023-01-04T12:00:00Z"), "{notes}");

    let wrong = bench.dray(&["run", "charges.yaml", "--since", "last week"]);
    assert_eq!(wrong.status.code(), Some(2));
    let said = String::from_utf8_lossy(&wrong.stderr).into_owned();
    assert!(said.contains("`--since last week` is no time") && said.contains("2024-01-31"), "{said}");
}
