//! Incremental loading and the clock.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use dray_sim::{Request, Response};
use serde_json::{Value, json};

use super::{Dish, data, number, texts};

/// A record that changed on the n-th minute of 2024.
fn changed(id: usize) -> Value {
    json!({"id": id, "updated_at": format!("2024-01-01T00:{id:02}:00Z")})
}

/// How many records the API holds; a test adds some between two runs.
#[derive(Clone)]
struct Held(Arc<AtomicUsize>);

impl Held {
    fn new(count: usize) -> Self {
        Self(Arc::new(AtomicUsize::new(count)))
    }

    fn get(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    fn set(&self, count: usize) {
        self.0.store(count, Ordering::Relaxed);
    }
}

#[test]
fn windows() {
    // A payment on each border of a window (30 days from 2024-01-01) and on either side of it. The API answers for 30 days
    // at the most, and says so.
    const FIRST: usize = 1_704_067_200;
    const WINDOW: usize = 30 * 86_400;
    const END: usize = FIRST + 91 * 86_400;
    let moments: Vec<usize> = (0..4)
        .flat_map(|at| [FIRST + at * WINDOW, FIRST + at * WINDOW + 1, FIRST + (at + 1) * WINDOW - 1])
        .collect();
    let expected: Vec<_> = moments.iter().copied().filter(|moment| *moment < END).collect();
    let dish = Dish::new("Windows", move |request| {
        let (from, to) = (number(request, "created[gte]").unwrap(), number(request, "created[lt]").unwrap());
        if to - from > WINDOW {
            return Response::status(400);
        }
        let inside = moments.iter().filter(|moment| (from..to).contains(moment));
        data(&inside.map(|moment| json!({"created": moment})).collect())
    });
    dish.cooked();
    let rows = dish.rows("SELECT created FROM {}.payments ORDER BY 1");
    assert_eq!(rows, texts(expected.into_iter()));
    assert_eq!(dish.asked().len(), 4);
}

#[test]
fn newest_records_first() {
    let held = Held::new(9);
    let count = held.clone();
    let dish = Dish::new("Newest records first", move |request| {
        let newest = number(request, "cursor").unwrap_or(count.get());
        let page: Vec<_> = (newest.saturating_sub(2).max(1)..=newest).rev().map(changed).collect();
        let next = newest.checked_sub(3).filter(|next| *next > 0).map(|next| next.to_string());
        Response::json(&json!({"data": page, "next": next}))
    });
    dish.cooked();
    assert_eq!(dish.asked().len(), 3);
    held.set(11);
    dish.bench.sim.clear_requests();
    dish.cooked();
    // 11, 10, 9; then 8, 7, 6, of which the first lies below the start.
    assert_eq!(dish.asked().len(), 2);
    assert_eq!(dish.rows("SELECT id FROM {}.events ORDER BY id"), texts(1..12));
}

#[test]
fn no_filter_by_time() {
    let held = Held::new(4);
    let count = held.clone();
    let dish = Dish::new("No filter by time", move |request| {
        let page = number(request, "page").unwrap();
        let records: Vec<_> = (page * 2 - 1..=page * 2).map(changed).collect();
        Response::json(&json!({"data": records, "pages": count.get() / 2}))
    });
    dish.cooked();
    held.set(6);
    let ran = dish.cooked();
    assert_eq!(dish.rows("SELECT id FROM {}.notes ORDER BY id"), texts(1..7));
    assert_eq!(ran.count("notes", "rows"), 2);
}

#[test]
fn a_cursor_written_in_another_way() {
    let dish = Dish::new("A cursor written in another way", |_| data(&json!([changed(5)])));
    dish.cooked();
    dish.cooked();
    // 2024-01-01T00:00:00Z and five minutes later.
    let starts = ["1704067200000", "1704067500000"];
    assert_eq!(dish.asked(), starts.map(|start| format!("/sessions?updated_after={start}")));
}

#[test]
fn the_cursor_inside_a_text() {
    let dish = Dish::new("The cursor inside a text", |request| {
        let fields = |id: usize| json!({"id": id, "lastRefresh": format!("2024-01-0{id}T00:00:00Z")});
        if request.param("skip").is_some() {
            return Response::json(&json!({"value": [fields(3)]}));
        }
        Response::json(&json!({"value": [fields(1), fields(2)], "@odata.nextLink": "/orders?skip=2"}))
    });
    dish.cooked();
    assert_eq!(dish.rows("SELECT id FROM {}.orders ORDER BY id"), texts(1..4));
    assert_eq!(dish.asked()[0], "/orders?$filter=lastRefresh ge '2024-01-01T00:00:00Z'");
    dish.cooked();
    assert_eq!(dish.asked()[2], "/orders?$filter=lastRefresh ge '2024-01-03T00:00:00Z'");
}

#[test]
fn records_that_come_late() {
    let dish = Dish::new("Records that come late", |_| {
        Response::json(&json!([{"id": 1, "measured_at": "2024-01-02T12:00:00Z"}]))
    });
    dish.cooked();
    dish.cooked();
    let asked = dish.asked();
    assert_eq!(asked[0], "/measurements?since=2024-01-01T00:00:00Z");
    // One hour before the newest record.
    assert_eq!(asked[1], "/measurements?since=2024-01-02T11:00:00Z");
    assert_eq!(dish.rows("SELECT count(*) FROM {}.measurements"), ["1"]);
}

#[test]
fn a_feed_that_is_kept_for_a_time() {
    let held = Held::new(1);
    let count = held.clone();
    let dish = Dish::new("A feed that is kept for a time", move |request: &Request| {
        let records = (1..=count.get()).map(|id| json!({"id": id, "created": 1_600_000_000 + id}));
        let first = if request.path == "/changes" { count.get() } else { 1 };
        data(&records.skip(first - 1).collect())
    });
    dish.cooked();
    // The feed has forgotten the second record by the time of the next run.
    held.set(3);
    dish.bench.sim.clear_requests();
    dish.cooked();
    assert_eq!(dish.rows("SELECT id FROM {}.changes ORDER BY id"), ["1", "3"]);
    assert_eq!(dish.rows("SELECT id FROM {}.customers ORDER BY id"), texts(1..4));
    // From the beginning, though a cursor is stored.
    assert!(dish.asked().contains(&"/customers?since=0".to_owned()), "{:?}", dish.asked());
}

#[test]
fn whole_days() {
    let dish = Dish::new("Whole days", |request| {
        let at = |name: &str| request.param(name).unwrap().to_owned();
        // The ends belong to a range that is open at its end.
        Response::json(&json!([{"id": 1, "at": at("since")}, {"id": 2, "at": at("before")}]))
    });
    dish.cooked();
    assert_eq!(dish.rows("SELECT id FROM {}.visits"), ["1"]);
    let requests = dish.bench.sim.requests();
    let (since, before) = (requests[0].param("since").unwrap(), requests[0].param("before").unwrap());
    assert!(since.ends_with("T00:00:00Z") && before.ends_with("T00:00:00Z"), "{since} {before}");
    assert_eq!(
        dish.rows(&format!("SELECT TIMESTAMP '{before}' - TIMESTAMP '{since}' = INTERVAL 1 DAY")),
        ["true"]
    );
}
