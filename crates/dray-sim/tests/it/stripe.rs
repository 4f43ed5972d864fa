use dray_sim::{Api, Sim};
use serde_json::Value;

use crate::client::{get, records, secret, send, sorted};
use crate::start;

/// All pages of a list by `starting_after`, and how many there were.
fn walk(sim: &Sim, target: &str) -> (Vec<Value>, usize) {
    let mark = if target.contains('?') { '&' } else { '?' };
    let (mut all, mut pages, mut after) = (Vec::new(), 0, String::new());
    loop {
        let answer = get(sim, &format!("{target}{mark}limit=100{after}"));
        assert_eq!(answer.status, 200, "{target}: {}", answer.json());
        let body = answer.json();
        let page = records(&body, "data");
        pages += 1;
        if let Some(last) = page.last() {
            after = format!("&starting_after={}", last["id"].as_str().expect("an id"));
        }
        all.extend(page);
        assert!(pages < 1_000, "{target} does not end");
        if body["has_more"] == false {
            return (all, pages);
        }
    }
}

#[test]
fn every_top_level_list_is_complete_in_the_pages_arithmetic_says() {
    let sim = start(Api::Stripe, 250);
    for (resource, query, pages, count) in [
        ("charges", "", 3, 250),
        ("customers", "", 3, 250),
        ("invoices", "", 3, 250),
        ("payouts", "", 3, 250),
        ("subscriptions", "?status=all", 3, 250),
        ("balance_transactions", "", 38, 3_750),
    ] {
        let (all, seen) = walk(&sim, &format!("/v1/{resource}{query}"));
        assert_eq!((all.len(), seen), (count, pages), "{resource}");
        assert_eq!(sorted(&all), sorted(&sim.expected(resource)), "{resource}");
        let times: Vec<i64> = all.iter().map(|record| record["created"].as_i64().expect("seconds")).collect();
        assert!(times.is_sorted_by(|a, b| a >= b), "{resource} is not newest first");
    }
    // Lists whose names are not their paths, and those that take no `created`, among them.
    for (resource, path) in [
        ("payment_intents", "payment_intents"),
        ("setup_intents", "setup_intents"),
        ("refunds", "refunds"),
        ("disputes", "disputes"),
        ("products", "products"),
        ("prices", "prices"),
        ("plans", "plans"),
        ("coupons", "coupons"),
        ("promotion_codes", "promotion_codes"),
        ("tax_rates", "tax_rates"),
        ("shipping_rates", "shipping_rates"),
        ("invoice_items", "invoiceitems"),
        ("credit_notes", "credit_notes"),
        ("checkout_sessions", "checkout/sessions"),
        ("subscription_schedules", "subscription_schedules"),
        ("transfers", "transfers"),
        ("top_ups", "topups"),
        ("application_fees", "application_fees"),
        ("reviews", "reviews"),
        ("events", "events"),
    ] {
        let (all, seen) = walk(&sim, &format!("/v1/{path}"));
        assert_eq!((all.len(), seen), (250, 3), "{resource}");
        assert_eq!(sorted(&all), sorted(&sim.expected(resource)), "{resource}");
        let id = all[7]["id"].as_str().expect("an id");
        assert_eq!(get(&sim, &format!("/v1/{path}/{id}")).json(), all[7], "{resource}");
    }
    let (active, _) = walk(&sim, "/v1/subscriptions");
    assert_eq!(active.len(), 200);
    assert_eq!(sorted(&active), sorted(&sim.expected("subscriptions_active")));
    assert_eq!(sim.connection_errors(), Vec::<String>::new());
}

#[test]
fn children_of_all_parents_are_complete() {
    let sim = start(Api::Stripe, 40);
    let children = |parents: &str, target: &dyn Fn(&str) -> String, keep: &dyn Fn(&Value) -> bool| {
        let mut all = Vec::new();
        for parent in sim.expected(parents).iter().filter(|parent| keep(parent)) {
            all.extend(walk(&sim, &target(parent["id"].as_str().expect("an id"))).0);
        }
        all
    };
    let lines = children("invoices", &|id| format!("/v1/invoices/{id}/lines"), &|_| true);
    assert_eq!(lines.len(), 240);
    assert_eq!(sorted(&lines), sorted(&sim.expected("invoice_line_items")));
    let items =
        children("subscriptions", &|id| format!("/v1/subscription_items?subscription={id}"), &|_| true);
    assert_eq!(items.len(), 100);
    assert_eq!(sorted(&items), sorted(&sim.expected("subscription_items")));
    // By hand from the README's counts: 40 parents are so many rounds of the pattern.
    for (resource, parents, path, count) in [
        ("payment_methods", "customers", "customers/{}/payment_methods", 8 * 5),
        ("customer_balance_transactions", "customers", "customers/{}/balance_transactions", 8 * 15),
        ("checkout_session_line_items", "checkout_sessions", "checkout/sessions/{}/line_items", 10 * 5),
        ("credit_note_line_items", "credit_notes", "credit_notes/{}/lines", 20 * 4),
        ("transfer_reversals", "transfers", "transfers/{}/reversals", 13 * 13),
        ("setup_attempts", "setup_intents", "setup_attempts?setup_intent={}", 20 * 3),
    ] {
        let all = children(parents, &|id| format!("/v1/{}", path.replace("{}", id)), &|_| true);
        assert_eq!(all.len(), count, "{resource}");
        assert_eq!(sorted(&all), sorted(&sim.expected(resource)), "{resource}");
    }
    let automatic = |payout: &Value| payout["automatic"] == true;
    let paid = children("payouts", &|id| format!("/v1/balance_transactions?payout={id}"), &automatic);
    assert_eq!(paid.len(), 344);
    assert_eq!(sorted(&paid), sorted(&sim.expected("payout_transactions")));
}

#[test]
fn an_embedded_list_is_cut_at_ten_and_leads_on() {
    let sim = start(Api::Stripe, 10);
    let invoice = &sim.expected("invoices")[2];
    let lines = &invoice["lines"];
    assert_eq!(records(lines, "data").len(), 10);
    assert_eq!((&lines["has_more"], &lines["total_count"]), (&Value::from(true), &Value::from(25)));
    let (all, _) = walk(&sim, lines["url"].as_str().expect("a url"));
    assert_eq!(all.len(), 25);
    assert_eq!(all[..10], records(lines, "data"));
    let totals: i64 = all.iter().map(|line| line["amount"].as_i64().expect("cents")).sum();
    assert_eq!(invoice["total"], totals);
}

#[test]
fn created_filters_cut_exactly() {
    let sim = start(Api::Stripe, 30);
    let charges = sim.expected("charges");
    let at = |index: usize| charges[index]["created"].as_i64().expect("seconds");
    assert_eq!(at(8), at(9));
    let count = |query: String| walk(&sim, &format!("/v1/charges?{query}")).0.len();
    assert_eq!(count(format!("created[gte]={}", at(8))), 22);
    assert_eq!(count(format!("created%5Bgt%5D={}", at(8))), 20);
    assert_eq!(count(format!("created[lt]={}", at(8))), 8);
    assert_eq!(count(format!("created[lte]={}", at(8))), 10);
    assert_eq!(count(format!("created={}", at(8))), 2);
    assert_eq!(count(format!("created[gte]={}&created[lt]={}", at(5), at(12))), 7);
}

#[test]
fn refuses_as_the_documentation_says() {
    let sim = start(Api::Stripe, 30);
    let manual = sim.expected("payouts")[3]["id"].as_str().expect("an id").to_owned();
    let cases = [
        ("/v1/charges?starting_after=ch_gone".to_owned(), 400, "resource_missing", "starting_after"),
        ("/v1/charges?limit=101".to_owned(), 400, "parameter_invalid_integer", "limit"),
        ("/v1/charges?offset=3".to_owned(), 400, "parameter_unknown", "offset"),
        ("/v1/charges?created[gte]=2023-01-01".to_owned(), 400, "parameter_invalid_integer", "created[gte]"),
        ("/v1/subscription_items".to_owned(), 400, "parameter_missing", "subscription"),
        ("/v1/credit_notes?created[gte]=5".to_owned(), 400, "parameter_unknown", "created[gte]"),
        ("/v1/events?type=a&types[]=b".to_owned(), 400, "", "type"),
        (format!("/v1/events?x{}", "&types[]=a".repeat(21)), 400, "", "types"),
        ("/v1/events/evt_gone".to_owned(), 404, "resource_missing", "id"),
        ("/v1/invoices/in_gone/lines".to_owned(), 404, "resource_missing", "id"),
        (format!("/v1/balance_transactions?payout={manual}"), 400, "", "payout"),
        ("/v1/nothing".to_owned(), 404, "", ""),
    ];
    for (target, status, code, param) in cases {
        let answer = get(&sim, &target);
        let error = &answer.json()["error"];
        assert_eq!(answer.status, status, "{target}");
        assert_eq!(error["type"], "invalid_request_error");
        assert_eq!(error["code"].as_str().unwrap_or(""), code, "{target}");
        assert_eq!(error["param"].as_str().unwrap_or(""), param, "{target}");
    }
    for headers in [vec![], vec![("Authorization", "Bearer wrong")]] {
        let answer = send(&sim, "GET", "/v1/charges", &headers, "").expect("an answer");
        assert_eq!(
            (answer.status, &answer.json()["error"]["type"]),
            (401, &Value::from("invalid_request_error"))
        );
    }
    assert_eq!(get(&sim, "/v1/charges").json()["data"].as_array().map(Vec::len), Some(10));
}

#[test]
fn ending_before_pages_backwards() {
    let sim = start(Api::Stripe, 30);
    let charges = sim.expected("charges");
    let id = |index: usize| charges[index]["id"].as_str().expect("an id");
    let body = get(&sim, &format!("/v1/charges?limit=3&ending_before={}", id(20))).json();
    let ids: Vec<Value> = records(&body, "data").iter().map(|record| record["id"].clone()).collect();
    assert_eq!(ids, [id(23), id(22), id(21)]);
    assert_eq!(body["has_more"], true);
}

#[test]
fn a_second_run_sees_growth_changes_and_removals() {
    let sim = start(Api::Stripe, 30);
    let before = sim.expected("charges");
    sim.grow(5);
    sim.mutate("charges", [1]);
    sim.remove("charges", [2]);
    let (after, _) = walk(&sim, "/v1/charges");
    assert_eq!(after.len(), 34);
    assert_eq!(sorted(&after), sorted(&sim.expected("charges")));
    let changed = after.iter().find(|record| record["id"] == before[1]["id"]).expect("the changed one");
    assert_eq!(changed["metadata"]["revision"], "1");
    assert_eq!(changed["created"], before[1]["created"]);
    let gone = before[2]["id"].as_str().expect("an id");
    assert_eq!(get(&sim, &format!("/v1/charges?starting_after={gone}")).status, 400);
    assert_eq!(get(&sim, &format!("/v1/charges/{gone}")).status, 404);
    let newest = after.first().expect("a record")["created"].as_i64();
    assert!(newest > before.last().expect("a record")["created"].as_i64());
}

#[test]
fn requests_are_recorded_in_order_with_all_that_was_sent() {
    let sim = start(Api::Stripe, 3);
    let key = format!("Bearer {}", secret(&sim, "client_secret"));
    let headers = [("Authorization", key.as_str()), ("Stripe-Version", "2022-11-15")];
    send(&sim, "GET", "/v1/charges?created%5Bgte%5D=0&limit=2", &headers, "").expect("an answer");
    get(&sim, "/v1/nothing");
    let requests = sim.requests();
    assert_eq!(requests.iter().map(|request| request.status).collect::<Vec<_>>(), [200, 404]);
    assert_eq!((requests[0].method.as_str(), requests[0].path.as_str()), ("GET", "/v1/charges"));
    assert_eq!((requests[0].param("created[gte]"), requests[0].param("limit")), (Some("0"), Some("2")));
    assert_eq!(requests[0].header("stripe-version"), Some("2022-11-15"));
    assert!(requests[0].at <= requests[1].at);
    sim.clear_requests();
    assert!(sim.requests().is_empty());
}

#[test]
fn events_tell_of_what_was_done_with_the_object_as_it_was_then() {
    let sim = start(Api::Stripe, 20);
    sim.mutate("charges", [3]);
    sim.remove("customers", [4]);
    sim.remove("coupons", [5]);
    // A charge cannot be deleted, so nothing tells of one that is only kept from sight.
    sim.remove("charges", [6]);
    sim.mutate("charges", [3]);
    let types = |query: &str| -> Vec<String> {
        let (events, _) = walk(&sim, &format!("/v1/events{query}"));
        events.iter().map(|event| event["type"].as_str().expect("a type").to_owned()).collect()
    };
    let told = ["charge.updated", "coupon.deleted", "customer.deleted", "charge.updated"];
    assert_eq!(types("")[..4], told);
    assert_eq!(types("").len(), 24);
    assert_eq!(types("?type=invoice.*").len(), 2);
    let (upcoming, _) = walk(&sim, "/v1/events?type=invoice.upcoming");
    assert!(upcoming.iter().all(|event| event["data"]["object"].get("id").is_none()));
    assert_eq!(types("?type=*.deleted"), ["coupon.deleted", "customer.deleted"]);
    assert_eq!(types("?type=charge.updated").len(), 2);
    assert_eq!(types("?types[]=customer.deleted&types[]=coupon.deleted&types[]=coupon.created").len(), 2);

    let (events, _) = walk(&sim, "/v1/events?type=charge.updated");
    let revisions: Vec<&Value> =
        events.iter().map(|event| &event["data"]["object"]["metadata"]["revision"]).collect();
    assert_eq!(revisions, ["2", "1"]);
    let newest = sim.expected("charges").last().expect("a charge")["created"].as_i64().expect("seconds");
    assert_eq!(events[1]["created"], newest + 1);
    let id = |name: &str, index: usize| sim.expected(name)[index]["id"].as_str().expect("an id").to_owned();
    let since = newest + 2;
    assert_eq!(types(&format!("?created[gte]={since}")).len(), 3);
    assert_eq!(get(&sim, &format!("/v1/charges/{}", id("charges", 3))).json()["metadata"]["revision"], "2");
}

#[test]
fn a_deleted_customer_leaves_a_stub_and_a_deleted_coupon_nothing() {
    let sim = start(Api::Stripe, 20);
    let id = |name: &str| sim.expected(name)[4]["id"].as_str().expect("an id").to_owned();
    let (customer, coupon) = (id("customers"), id("coupons"));
    sim.remove("customers", [4]);
    sim.remove("coupons", [4]);
    let stub = get(&sim, &format!("/v1/customers/{customer}"));
    assert_eq!(stub.json(), serde_json::json!({"id": customer, "object": "customer", "deleted": true}));
    assert_eq!(get(&sim, &format!("/v1/coupons/{coupon}")).status, 404);
    assert_eq!(walk(&sim, "/v1/customers").0.len(), 19);
}

#[test]
fn the_feed_forgets_after_thirty_days_and_a_record_can_be_late() {
    let sim = start(Api::Stripe, 20);
    sim.remove("charges", [4]);
    sim.mutate("charges", [3]);
    assert_eq!(walk(&sim, "/v1/events?type=charge.updated").0.len(), 1);
    assert_eq!(walk(&sim, "/v1/charges").0.len(), 19);
    sim.restore("charges", [4]);
    assert_eq!(walk(&sim, "/v1/charges").0.len(), 20);
    // An hour each: the newest is 744 hours old, and thirty days are 720.
    sim.grow(725);
    assert_eq!(walk(&sim, "/v1/events?type=charge.updated").0.len(), 0);
    assert_eq!(sim.expected("events").len(), 721);
}
