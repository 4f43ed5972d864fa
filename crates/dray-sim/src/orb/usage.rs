//! Orb's usage answer: one item per metric, no ids of its own, another shape when grouped.

use serde_json::{Value, json};

use super::{invalid, limit, paged};
use crate::clock::{iso, parse_iso};
use crate::draw::{self, Draw};
use crate::message::{Request, Response};
use crate::world::{Groups, World};

/// Metrics of subscriptions: 15 in 10, one of ten has none.
pub(super) const METRICS: Groups = Groups(&[1, 2, 1, 3, 1, 1, 2, 1, 3, 0]);
/// Days of usage in a subscription's current billing period: 18 in 5.
const DAYS: Groups = Groups(&[2, 3, 1, 7, 5]);
/// Values of the property a client groups by; usage without the property comes under null.
const REGIONS: [Option<&str>; 5] = [Some("eu-west"), Some("us-east"), Some("ap-süd"), Some(""), None];

const DAY: i64 = 86_400;

/// Start (included) and end (excluded) in unix seconds.
#[derive(Clone, Copy)]
pub(super) struct Period {
    start: i64,
    end: i64,
}

/// The current billing period, which an answer covers when the client names none.
pub(super) fn billing_period(world: &World, subscription: u64) -> Period {
    let start = world.created(subscription).div_euclid(DAY) * DAY;
    Period { start, end: start + DAY * crate::world::int(DAYS.count(subscription)) }
}

pub(super) fn answer(world: &World, request: &Request, subscription: u64) -> Result<Response, Box<Response>> {
    let bounds = (request.param("timeframe_start"), request.param("timeframe_end"));
    let period = match bounds {
        (None, None) => billing_period(world, subscription),
        (Some(start), Some(end)) => timeframe(start, end)?,
        _ => return Err(invalid("timeframe_start and timeframe_end must be given together")),
    };
    let count = METRICS.count(subscription);
    let metric = match request.param("billable_metric_id") {
        None => None,
        Some(id) => {
            let found = (0..count).find(|&metric| metric_id(world, metric) == id);
            Some(found.ok_or_else(|| invalid("billable_metric_id is not a metric of this subscription"))?)
        }
    };
    match (request.param("group_by"), metric) {
        (Some(_), None) => Err(invalid("group_by requires billable_metric_id")),
        (Some(property), Some(metric)) => grouped(world, request, subscription, metric, period, property),
        (None, _) => {
            let metrics = (0..count).filter(|&at| metric.is_none_or(|metric| metric == at));
            let data: Vec<Value> = metrics.map(|at| metric_usage(world, subscription, at, period)).collect();
            Ok(Response::json(&json!({"data": data})))
        }
    }
}

fn timeframe(start: &str, end: &str) -> Result<Period, Box<Response>> {
    let read = |text: &str| parse_iso(text).ok_or_else(|| invalid(&format!("not an ISO 8601 time: {text}")));
    let period = Period { start: read(start)?, end: read(end)? };
    if period.end <= period.start || period.end - period.start > 400 * DAY {
        return Err(invalid("the timeframe must be longer than nothing and not longer than 400 days"));
    }
    Ok(period)
}

/// One page of the grouped shape: an item for each value of the property, with paging.
fn grouped(
    world: &World,
    request: &Request,
    subscription: u64,
    metric: u64,
    period: Period,
    property: &str,
) -> Result<Response, Box<Response>> {
    let limit = usize::try_from(limit(request)?).unwrap_or(100);
    let start = match request.param("cursor") {
        None => 0,
        Some(cursor) => {
            let at = cursor.strip_prefix("g1_").and_then(|text| text.parse::<usize>().ok());
            at.ok_or_else(|| invalid("The cursor is not valid."))?
        }
    };
    let mut data = Vec::new();
    for region in REGIONS.iter().skip(start).take(limit) {
        let mut item = metric_usage(world, subscription, metric, period);
        item["metric_group"] = json!({"property_key": property, "property_value": region});
        data.push(item);
    }
    let next = start.saturating_add(limit);
    let has_more = next < REGIONS.len();
    Ok(Response::json(&paged(data, has_more, has_more.then(|| format!("g1_{next}")))))
}

fn metric_id(world: &World, metric: u64) -> String {
    draw::id("met_", world.seed, metric)
}

/// The item of one metric: a row for each day; first and last may be partial; zero rows are given too.
pub(super) fn metric_usage(world: &World, subscription: u64, metric: u64, period: Period) -> Value {
    let names = ["API calls", "Storage (GB·h)", "Überweisungen"];
    let name = usize::try_from(metric).ok().and_then(|at| names.get(at));
    let mut usage = Vec::new();
    let mut start = period.start;
    while start < period.end {
        let end = (start.div_euclid(DAY) * DAY + DAY).min(period.end);
        usage.push(json!({
            "quantity": quantity(world, subscription, metric, start),
            "timeframe_start": iso(start),
            "timeframe_end": iso(end),
        }));
        start = end;
    }
    json!({
        "billable_metric": {"id": metric_id(world, metric), "name": name},
        "usage": usage,
        "view_mode": "periodic",
    })
}

/// Whole numbers, fractions and zeros in one column, as usage really is. The first change of a subscription's usage
/// corrects every day to 0, later ones to 100 each.
fn quantity(world: &World, subscription: u64, metric: u64, start: i64) -> Value {
    match world.revision("subscription_usage", subscription) {
        0 => {}
        revision => return json!((revision - 1) * 100),
    }
    let day = u64::try_from(start.div_euclid(DAY)).unwrap_or(0);
    let draw = &mut Draw::new(world.seed ^ day.rotate_left(32), "usage", subscription * 8 + metric);
    let whole = draw.below(5_000);
    match draw.below(4) {
        0 => json!(0),
        1 => json!(f64::from(u32::try_from(whole).unwrap_or(0)) + 0.25),
        _ => json!(whole),
    }
}

/// An item as flat rows: each usage row beside its metric.
pub(super) fn rows(item: &Value) -> impl Iterator<Item = Value> {
    let usage = item["usage"].as_array().into_iter().flatten();
    usage.map(|row| {
        let mut row = row.clone();
        row["billable_metric"] = item["billable_metric"].clone();
        row["view_mode"] = item["view_mode"].clone();
        row
    })
}
