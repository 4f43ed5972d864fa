//! The order of cursors: as instants or numbers, as text only where they are neither.

use std::cmp::Ordering;

use crate::plan::CursorValue;
use crate::timestamp;

/// From here on a whole number beside a timestamp is milliseconds: as seconds it would be the year 5138.
const MILLIS: u64 = 100_000_000_000;

/// A cursor, comparable.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Comparable {
    Int(i64),
    Float(f64),
    /// Microseconds since 1970.
    Instant(i64),
    Text(String),
}

pub(super) fn comparable(value: &CursorValue) -> Comparable {
    match value {
        CursorValue::Int(number) => Comparable::Int(*number),
        CursorValue::Float(number) => Comparable::Float(*number),
        CursorValue::Text(text) => instant(text)
            .map(Comparable::Instant)
            .or_else(|| text.trim().parse().ok().map(Comparable::Int))
            .or_else(|| {
                text.trim().parse().ok().filter(|number: &f64| number.is_finite()).map(Comparable::Float)
            })
            .unwrap_or_else(|| Comparable::Text(text.clone())),
    }
}

/// Microseconds of a timestamp or a date.
fn instant(text: &str) -> Option<i64> {
    const DAY: i64 = 86_400_000_000;
    let text = text.trim();
    let bytes = text.as_bytes();
    // A plain number of eight digits is a number: only dates with dashes are dates.
    let date = || bytes.contains(&b'-').then(|| timestamp::parse_date(bytes)).flatten();
    timestamp::parse(bytes)
        .or_else(|| Some(i64::from(date()?) * DAY))
        .or_else(|| zone_apart(text))
        .or_else(|| mail(text))
}

/// `2024-01-01 00:00:00 UTC`, `2024-01-01 00:00:00 +0100`: as some languages print it.
fn zone_apart(text: &str) -> Option<i64> {
    let (time, zone) = text.rsplit_once(' ')?;
    let zone = if matches!(zone, "UTC" | "GMT" | "Z") { "Z" } else { zone };
    let with_zone = zone == "Z" || zone.starts_with(['+', '-']);
    with_zone.then(|| timestamp::parse(format!("{time}{zone}").as_bytes())).flatten()
}

/// `Mon, 01 Jan 2024 00:00:00 GMT` (RFC 2822).
fn mail(text: &str) -> Option<i64> {
    if !text.contains(' ') {
        return None;
    }
    jiff::fmt::rfc2822::parse(text).ok().map(|time| time.timestamp().as_microsecond())
}

#[expect(clippy::cast_precision_loss, reason = "an integer beside a float is compared as one")]
pub(super) fn compare(left: &CursorValue, right: &CursorValue) -> Ordering {
    use Comparable::{Float, Instant, Int, Text};
    let seconds = |micros: i64| micros as f64 / 1e6;
    let whole = |number: i64| number as f64 / if number.unsigned_abs() >= MILLIS { 1e3 } else { 1.0 };
    match (comparable(left), comparable(right)) {
        (Int(one), Int(other)) => one.cmp(&other),
        (Instant(one), Instant(other)) => one.cmp(&other).then_with(|| finer(left, right)),
        (Int(_) | Float(_), Int(_) | Float(_)) if decimal(left).is_some() && decimal(right).is_some() => {
            decimal(left).cmp(&decimal(right))
        }
        (Int(one), Float(other)) => (one as f64).total_cmp(&other),
        (Float(one), Int(other)) => one.total_cmp(&(other as f64)),
        (Float(one), Float(other)) => one.total_cmp(&other),
        // A unix time beside a timestamp.
        (Int(one), Instant(other)) => whole(one).total_cmp(&seconds(other)),
        (Instant(one), Int(other)) => seconds(one).total_cmp(&whole(other)),
        (Float(one), Instant(other)) => one.total_cmp(&seconds(other)),
        (Instant(one), Float(other)) => seconds(one).total_cmp(&other),
        (Text(_), _) | (_, Text(_)) => written(left).cmp(&written(right)),
    }
}

/// Instants of one microsecond may still differ in the digits below it.
fn finer(left: &CursorValue, right: &CursorValue) -> Ordering {
    let digits = |value: &CursorValue| {
        let text = written(value);
        let fraction =
            text.split_once(['.', ',']).map(|(_, fraction)| fraction.to_owned()).unwrap_or_default();
        let fraction: String = fraction.chars().take_while(char::is_ascii_digit).skip(6).collect();
        fraction.trim_end_matches('0').to_owned()
    };
    digits(left).cmp(&digits(right))
}

/// A number digit by digit, so that a long one is not rounded: below zero or not, and what follows.
#[derive(Debug, PartialEq, Eq)]
struct Decimal {
    negative: bool,
    whole: String,
    fraction: String,
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        let size = |number: &Self| (number.whole.len(), number.whole.clone(), number.fraction.clone());
        match (self.negative, other.negative) {
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
            (false, false) => size(self).cmp(&size(other)),
            (true, true) => size(other).cmp(&size(self)),
        }
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// None for what has an exponent.
fn decimal(value: &CursorValue) -> Option<Decimal> {
    let text = written(value);
    let text = text.trim();
    let negative = text.starts_with('-');
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if !whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (whole, fraction) = (whole.trim_start_matches('0'), fraction.trim_end_matches('0'));
    let zero = whole.is_empty() && fraction.is_empty();
    Some(Decimal { negative: negative && !zero, whole: whole.to_owned(), fraction: fraction.to_owned() })
}

fn written(value: &CursorValue) -> String {
    match value {
        CursorValue::Int(number) => number.to_string(),
        CursorValue::Float(number) => number.to_string(),
        CursorValue::Text(text) => text.clone(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(text: &str) -> CursorValue {
        CursorValue::Text(text.to_owned())
    }

    #[test]
    fn cursors_are_compared_as_what_they_mean() {
        for (less, more) in [
            (text("2024-01-01T00:00:00+02:00"), text("2024-01-01T00:00:00Z")),
            (text("2024-01-01T00:00:00.5Z"), text("2024-01-01T00:00:01Z")),
            (text("2024-01-01T00:00:00Z"), text("2024-01-01T00:00:00.500Z")),
            (text("2024-01-01T00:00:00.000000100Z"), text("2024-01-01T00:00:00.0000002Z")),
            (text("2024-01-01"), text("2024-01-01T00:00:01Z")),
            (text("2016-06-05T17:38:06-0700"), text("2016-06-06T00:38:07Z")),
            (text("2024-01-01 02:00:00 +0200"), text("2024-01-01 00:00:01 UTC")),
            (text("Wed, 31 Jan 2024 00:00:00 GMT"), text("Thu, 01 Feb 2024 00:00:00 +0000")),
            // No clock of the program knows it, but it is where its text says.
            (text("2016-12-31T23:59:60Z"), text("2017-01-01T00:00:00Z")),
            (text("9"), text("10")),
            (text("-10"), text("-9")),
            (text("0.09"), text("0.1")),
            (text("9.99"), CursorValue::Int(10)),
            (text("18446744073709551615"), text("18446744073709551616")),
            (CursorValue::Int(9), CursorValue::Int(10)),
            (CursorValue::Int(1_704_067_199), text("2024-01-01T00:00:00Z")),
            (text("1704067199999"), text("2024-01-01T00:00:00Z")),
            (CursorValue::Float(1.5), CursorValue::Int(2)),
            (CursorValue::Int(i64::MIN), text("2024-01-01T00:00:00Z")),
            (text("a"), text("b")),
        ] {
            assert_eq!(compare(&less, &more), Ordering::Less, "{less:?} {more:?}");
            assert_eq!(compare(&more, &less), Ordering::Greater, "{less:?} {more:?}");
        }
        for (one, other) in [
            (text("2024-01-01T02:00:00+02:00"), text("2024-01-01T00:00:00Z")),
            (text("1.50"), CursorValue::Float(1.5)),
            (text("007"), CursorValue::Int(7)),
            (text("-0"), text("0.0")),
        ] {
            assert_eq!(compare(&one, &other), Ordering::Equal, "{one:?} {other:?}");
        }
    }

    /// An instant in one of the forms that APIs write.
    fn form(micros: i64, form: u8) -> CursorValue {
        let time = jiff::Timestamp::from_microsecond(micros).unwrap();
        let offset = jiff::tz::Offset::from_seconds(i32::from(form % 5) * 1800 - 3600).unwrap();
        let local = time.to_zoned_datetime(jiff::tz::TimeZone::fixed(offset));
        let pattern = match form % 6 {
            0 => return text(&time.to_string()),
            1 => "%Y-%m-%dT%H:%M:%S%.f%:z",
            2 => "%Y-%m-%d %H:%M:%S%.6f%z",
            3 => "%Y-%m-%dT%H:%M:%S%.9f%:z",
            4 => "%Y%m%dT%H%M%S%.f%z",
            _ => "%Y-%m-%d %H:%M:%S%.f %z",
        };
        text(&local.strftime(pattern).to_string())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn instants_in_any_form_keep_their_order(
            one in 0_i64..4_000_000_000_000_000, apart in -2_000_000_i64..2_000_000, forms in any::<(u8, u8)>()
        ) {
            let other = (one + apart).max(0);
            prop_assert_eq!(compare(&form(one, forms.0), &form(other, forms.1)), one.cmp(&other));
        }

        #[test]
        fn numbers_in_any_form_keep_their_order(one in any::<i64>(), apart in -1000_i64..1000, places in 0_usize..4) {
            let other = one.saturating_add(apart);
            // Both divided by a power of ten, digit by digit.
            let shifted = |number: i64| {
                let digits = format!("{:0>width$}", number.unsigned_abs(), width = places + 1);
                let (whole, fraction) = digits.split_at(digits.len() - places);
                let sign = if number < 0 { "-" } else { "" };
                text(&if places == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") })
            };
            prop_assert_eq!(compare(&shifted(one), &shifted(other)), one.cmp(&other));
            if places == 0 {
                prop_assert_eq!(compare(&shifted(one), &CursorValue::Int(other)), one.cmp(&other));
            }
        }
    }
}
