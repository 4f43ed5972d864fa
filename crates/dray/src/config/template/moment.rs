//! Moments in templates: `${now - 30d}`, `${today:%Y-%m-%d}`, `${start_of(month) - 1d}`.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::{Piece, TemplateError, error};
use crate::config::diagnostics::closest;

/// What a moment is counted from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Base {
    /// The start of the run, to the second.
    Now,
    /// Midnight (UTC) before it.
    Today,
    /// The start of the hour, day, week, month, quarter or year (UTC) that it lies in.
    StartOf(Unit),
}

/// What a year is divided into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    Hour,
    Day,
    Week,
    Month,
    Quarter,
    Year,
}

const UNITS: [(&str, Unit); 6] = [
    ("hour", Unit::Hour),
    ("day", Unit::Day),
    ("week", Unit::Week),
    ("month", Unit::Month),
    ("quarter", Unit::Quarter),
    ("year", Unit::Year),
];

const DAY: i64 = 86_400;

/// What `start_of(month)` begins with.
pub(super) const START_OF: &str = "start_of";

/// The moment that an expression is; none if it is something else.
pub(super) fn moment(expression: &str) -> Option<Result<Piece, TemplateError>> {
    for (word, base) in [("now", Base::Now), ("today", Base::Today)] {
        if let Some(rest) = expression.strip_prefix(word)
            && !rest.starts_with(|letter: char| letter.is_alphanumeric() || letter == '_' || letter == '.')
        {
            return Some(after(base, rest, expression));
        }
    }
    let rest = expression.strip_prefix(START_OF)?.trim_start().strip_prefix('(')?;
    Some(start_of(rest, expression))
}

fn start_of(rest: &str, whole: &str) -> Result<Piece, TemplateError> {
    let (unit, rest) = rest
        .split_once(')')
        .ok_or_else(|| error(format!("`{START_OF}(` in `${{{whole}}}` is not closed by `)`")))?;
    let unit = unit.trim().trim_matches(['"', '\'']);
    let names = UNITS.map(|(name, _)| name);
    let Some((_, found)) = UNITS.into_iter().find(|(name, _)| *name == unit) else {
        let mut error = error(format!("`{START_OF}({unit})` is not known, expected {}", names.join(", ")));
        if let Some(close) = closest(unit, names) {
            error.hint = format!("did you mean `{close}`?");
        }
        return Err(error);
    };
    after(Base::StartOf(found), rest, whole)
}

/// What follows the base: spans, then a format.
fn after(base: Base, rest: &str, whole: &str) -> Result<Piece, TemplateError> {
    let (spans, format) = match rest.split_once(':') {
        Some((spans, format)) => (spans, Some(format.trim_start().to_owned())),
        None => (rest, None),
    };
    let spoiled = || TemplateError {
        message: format!("`${{{whole}}}` is no moment, expected something like `${{now - 30d}}`"),
        hint: "spans are numbers with s, m, h, d or w; a format follows a colon: ${today - 1d:%Y-%m-%d}"
            .to_owned(),
    };
    let mut seconds: i64 = 0;
    let mut spans = spans.trim();
    while !spans.is_empty() {
        let minus = spans.strip_prefix('-').map(|span| (-1, span));
        let (sign, span) =
            minus.or_else(|| spans.strip_prefix('+').map(|span| (1, span))).ok_or_else(spoiled)?;
        let span = span.trim_start();
        let digits = span.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = span.split_at_checked(digits).ok_or_else(spoiled)?;
        let mut letters = unit.chars();
        let length = match letters.next() {
            Some('s') => 1,
            Some('m') => 60,
            Some('h') => 3_600,
            Some('d') => DAY,
            Some('w') => 7 * DAY,
            _ => return Err(spoiled()),
        };
        let number: i64 = number.parse().map_err(|_| spoiled())?;
        let span = number.checked_mul(length).and_then(|span| span.checked_mul(sign));
        seconds = span.and_then(|span| seconds.checked_add(span)).ok_or_else(spoiled)?;
        spans = letters.as_str().trim_start();
    }
    Ok(Piece::Moment { base, seconds, format })
}

/// A moment as text.
///
/// # Errors
/// If the moment lies outside of what a calendar holds, or the format is not one of strftime's.
pub fn format_moment(
    now: Timestamp,
    base: Base,
    seconds: i64,
    format: Option<&str>,
) -> Result<String, TemplateError> {
    let spoiled = |problem: jiff::Error| TemplateError {
        message: format!("this moment cannot be written: {problem}"),
        hint: "formats are those of strftime: %Y-%m-%dT%H:%M:%SZ, %s for seconds since 1970".to_owned(),
    };
    let whole = now.as_second() - i64::from(now.subsec_nanosecond() < 0);
    let start = started(whole, base).map_err(spoiled)?;
    let moment = start.checked_add(SignedDuration::from_secs(seconds)).map_err(spoiled)?;
    let format = format.unwrap_or(match base {
        Base::Now | Base::StartOf(Unit::Hour) => "%Y-%m-%dT%H:%M:%SZ",
        Base::Today | Base::StartOf(_) => "%Y-%m-%d",
    });
    jiff::fmt::strtime::format(format, &moment.to_zoned_datetime(TimeZone::UTC)).map_err(spoiled)
}

/// Where the base of a moment begins.
fn started(second: i64, base: Base) -> Result<Timestamp, jiff::Error> {
    let whole = |size: i64| Timestamp::from_second(second - second.rem_euclid(size));
    let midnight = whole(DAY)?;
    let date = midnight.to_zoned_datetime(TimeZone::UTC).date();
    let days_since = |start: i64| midnight.checked_sub(SignedDuration::from_secs(start * DAY));
    let day = i64::from(date.day_of_year()) - 1;
    match base {
        Base::Now => Timestamp::from_second(second),
        Base::StartOf(Unit::Hour) => whole(3_600),
        Base::Today | Base::StartOf(Unit::Day) => Ok(midnight),
        Base::StartOf(Unit::Week) => days_since(i64::from(date.weekday().to_monday_zero_offset())),
        Base::StartOf(Unit::Month) => days_since(i64::from(date.day()) - 1),
        Base::StartOf(Unit::Quarter) => {
            let first = Date::new(date.year(), (date.month() - 1) / 3 * 3 + 1, 1)?;
            days_since(day - (i64::from(first.day_of_year()) - 1))
        }
        Base::StartOf(Unit::Year) => days_since(day),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::template::pieces;

    fn moment_pieces(text: &str) -> (Base, i64, Option<String>) {
        match pieces(text).unwrap().as_slice() {
            [Piece::Moment { base, seconds, format }] => (*base, *seconds, format.clone()),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn moments() {
        assert_eq!(moment_pieces("${now}"), (Base::Now, 0, None));
        assert_eq!(moment_pieces("${now - 30d}"), (Base::Now, -30 * 86_400, None));
        assert_eq!(moment_pieces("${now-1h+30m}"), (Base::Now, -1800, None));
        assert_eq!(
            moment_pieces("${today - 2w:%Y/%m/%d %H:%M}"),
            (Base::Today, -14 * 86_400, Some("%Y/%m/%d %H:%M".into()))
        );
        for bad in
            ["${now - 30}", "${now 30d}", "${now - d}", "${now - 30y}", "${now - 99999999999999999999d}"]
        {
            assert!(pieces(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn moments_are_written_in_utc() {
        let now: Timestamp = "2024-03-01T02:03:04.9Z".parse().unwrap();
        let text = |base, seconds, format| format_moment(now, base, seconds, format).unwrap();
        assert_eq!(text(Base::Now, 0, None), "2024-03-01T02:03:04Z");
        assert_eq!(text(Base::Now, -86_400, None), "2024-02-29T02:03:04Z");
        assert_eq!(text(Base::Today, 0, None), "2024-03-01");
        assert_eq!(text(Base::Today, -86_400, Some("%d.%m.%Y")), "29.02.2024");
        assert_eq!(text(Base::Today, 0, Some("%s")), "1709251200");
        assert!(format_moment(now, Base::Now, 0, Some("%")).is_err());
        assert!(format_moment(now, Base::Now, i64::MAX, None).is_err());
        let before: Timestamp = "1969-12-31T23:59:59.5Z".parse().unwrap();
        assert_eq!(format_moment(before, Base::Now, 0, None).unwrap(), "1969-12-31T23:59:59Z");
        assert_eq!(format_moment(before, Base::Today, 0, None).unwrap(), "1969-12-31");
    }

    #[test]
    fn white_space_around_a_colon_is_none_of_the_format() {
        let format = Some("%Y-%m-%d".to_owned());
        for text in ["${now - 30d : %Y-%m-%d}", "${now-30d:%Y-%m-%d}", "${ now - 30d: %Y-%m-%d }"] {
            assert_eq!(moment_pieces(text), (Base::Now, -30 * DAY, format.clone()), "{text}");
        }
    }

    #[test]
    fn parts_of_a_year_begin_where_calendars_say() {
        // A Sunday in a leap year.
        let now: Timestamp = "2024-05-19T22:33:44Z".parse().unwrap();
        for (text, start) in [
            ("${start_of(hour)}", "2024-05-19T22:00:00Z"),
            ("${start_of(day)}", "2024-05-19"),
            ("${start_of(week)}", "2024-05-13"),
            ("${start_of(month)}", "2024-05-01"),
            ("${start_of('quarter')}", "2024-04-01"),
            ("${start_of(year)}", "2024-01-01"),
            ("${ start_of(month) - 1d : %d.%m.%Y}", "30.04.2024"),
        ] {
            let (base, seconds, format) = moment_pieces(text);
            assert_eq!(format_moment(now, base, seconds, format.as_deref()).unwrap(), start, "{text}");
        }
        let error = pieces("${start_of(mont)}").unwrap_err();
        assert_eq!(error.hint, "did you mean `month`?");
        assert!(pieces("${start_of(month}").is_err());
    }
}
