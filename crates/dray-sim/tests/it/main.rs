//! Each API walked page by page and held against the oracle; one test for each kind of fault.
#![expect(clippy::expect_used, clippy::panic, reason = "a test that cannot go on should say where")]
#![expect(clippy::disallowed_methods, reason = "delays are measured")]

mod client;
mod fastbill;
mod faults;
mod orb;
mod script;
mod stripe;
mod zoho;

use dray_sim::{Api, Options, Sim};

fn start(api: Api, size: u64) -> Sim {
    Sim::start(Options { api, size, ..Default::default() }).expect("a server")
}

/// Each top-level record can be changed, and only that one changes.
#[test]
fn a_change_shows_in_every_resource_and_on_that_record_only() {
    for api in [Api::Stripe, Api::Orb, Api::Zoho, Api::FastBill] {
        let sim = start(api, 4);
        let tops = |name: &&&str| sim.expected_with_parent(name).iter().all(|(parent, _)| parent.is_empty());
        let skipped = ["subscriptions_active", "balance_transactions", "events", "resource_events"];
        for name in sim.resources().iter().filter(tops).filter(|name| !skipped.contains(name)) {
            let before = sim.expected(name);
            sim.mutate(name, [2]);
            let after = sim.expected(name);
            let changed: Vec<usize> = (0..4).filter(|&at| before[at] != after[at]).collect();
            assert_eq!(changed, [2], "{name}");
        }
    }
}

#[test]
fn the_seed_decides_the_records_and_growth_leaves_the_old_ones_alone() {
    let with_seed = |seed| Sim::start(Options { size: 5, seed, ..Default::default() }).expect("a server");
    let (one, two) = (with_seed(1), with_seed(2));
    assert_eq!(one.expected("charges"), with_seed(1).expected("charges"));
    assert_ne!(one.expected("charges"), two.expected("charges"));
    let before = one.expected("invoice_line_items");
    one.grow(5);
    assert_eq!(one.expected("invoice_line_items")[..before.len()], before);
}

#[test]
fn a_server_can_be_started_and_stopped_inside_async_code() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(async {
        let sim = start(Api::Stripe, 5);
        assert_eq!(client::get(&sim, "/v1/charges").status, 200);
        drop(sim);
    });
}
