//! Unix seconds to and from the text forms the APIs use.

const DAY: i64 = 86_400;

/// Year, month, day of a count of days since 1970-01-01 (proleptic Gregorian).
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

/// Days since 1970-01-01 of a date.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

fn hms(unix: i64) -> (i64, i64, i64) {
    let second = unix.rem_euclid(DAY);
    (second / 3_600, second / 60 % 60, second % 60)
}

/// `2023-01-31`
pub(crate) fn date(unix: i64) -> String {
    let (year, month, day) = civil(unix.div_euclid(DAY));
    format!("{year:04}-{month:02}-{day:02}")
}

/// `2023-01-31T17:38:06` followed by `zone`, which is not applied.
fn date_time(unix: i64, zone: &str) -> String {
    let (hour, minute, second) = hms(unix);
    format!("{}T{hour:02}:{minute:02}:{second:02}{zone}", date(unix))
}

/// `2023-01-31T17:38:06+00:00`, as Orb writes it.
pub(crate) fn iso(unix: i64) -> String {
    date_time(unix, "+00:00")
}

/// `2023-01-31T10:38:06-0700` (offset without a colon), as Zoho writes it.
pub(crate) fn zoho(unix: i64) -> String {
    date_time(unix - 7 * 3_600, "-0700")
}

/// `2023-01-31 17:38:06`, as FastBill writes it.
pub(crate) fn sql(unix: i64) -> String {
    date_time(unix, "").replace('T', " ")
}

/// `Tue, 31 Jan 2023 17:38:06 GMT`, the form of `Retry-After` and `Date` headers.
#[must_use]
pub fn http_date(unix: i64) -> String {
    const WEEKDAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (year, month, day) = civil(unix.div_euclid(DAY));
    let (hour, minute, second) = hms(unix);
    let weekday = usize::try_from(unix.div_euclid(DAY).rem_euclid(7)).ok().and_then(|at| WEEKDAYS.get(at));
    let name = usize::try_from(month - 1).ok().and_then(|at| MONTHS.get(at));
    format!(
        "{}, {day:02} {} {year:04} {hour:02}:{minute:02}:{second:02} GMT",
        weekday.unwrap_or(&"Thu"),
        name.unwrap_or(&"Jan")
    )
}

/// Unix seconds of an ISO 8601 date or date and time (`Z`, `+hh:mm`, `+hhmm`; no zone means UTC; fractions are cut).
pub(crate) fn parse_iso(text: &str) -> Option<i64> {
    let (date_part, time_part) = match text.split_once(['T', ' ']) {
        Some((date, time)) => (date, Some(time)),
        None => (text, None),
    };
    let mut numbers = date_part.splitn(3, '-');
    let year = number(numbers.next()?, 4, 0, 9_999)?;
    let month = number(numbers.next()?, 2, 1, 12)?;
    let day = number(numbers.next()?, 2, 1, 31)?;
    let midnight = days(year, month, day) * DAY;
    let Some(time_part) = time_part else { return Some(midnight) };

    let zone_at = time_part.find(['Z', '+', '-']).unwrap_or(time_part.len());
    let (clock, zone) = time_part.split_at_checked(zone_at)?;
    let clock = clock.split_once('.').map_or(clock, |(whole, _)| whole);
    let mut numbers = clock.splitn(3, ':');
    let hour = number(numbers.next()?, 2, 0, 23)?;
    let minute = number(numbers.next()?, 2, 0, 59)?;
    let second = numbers.next().map_or(Some(0), |text| number(text, 2, 0, 60))?;
    Some(midnight + hour * 3_600 + minute * 60 + second - offset(zone)?)
}

/// Seconds east of UTC.
fn offset(zone: &str) -> Option<i64> {
    if zone.is_empty() || zone == "Z" {
        return Some(0);
    }
    let sign = if zone.starts_with('-') { -1 } else { 1 };
    let digits = zone.get(1..)?.replace(':', "");
    let hours = number(digits.get(..2)?, 2, 0, 23)?;
    let minutes =
        digits.get(2..).filter(|text| !text.is_empty()).map_or(Some(0), |text| number(text, 2, 0, 59))?;
    Some(sign * (hours * 3_600 + minutes * 60))
}

fn number(text: &str, digits: usize, low: i64, high: i64) -> Option<i64> {
    let plain = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
    let value = plain.then(|| text.parse::<i64>().ok())??;
    (low..=high).contains(&value).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::{http_date, iso, parse_iso, sql, zoho};

    #[test]
    fn writes_the_forms_of_the_apis() {
        assert_eq!(iso(951_782_400), "2000-02-29T00:00:00+00:00");
        assert_eq!(zoho(1_465_173_486), "2016-06-05T17:38:06-0700");
        assert_eq!(sql(0), "1970-01-01 00:00:00");
        assert_eq!(http_date(784_111_777), "Sun, 06 Nov 1994 08:49:37 GMT");
    }

    #[test]
    fn reads_what_clients_send() {
        assert_eq!(parse_iso("2000-02-29"), Some(951_782_400));
        for text in ["2016-06-06T00:38:06Z", "2016-06-05T17:38:06-0700", "2016-06-06T02:38:06.25+02:00"] {
            assert_eq!(parse_iso(text), Some(1_465_173_486), "{text}");
        }
        for text in ["", "2016", "2016-13-01", "2016-06-06T25:00:00Z", "2016-06-06T00:38:06 02:00", "now"] {
            assert_eq!(parse_iso(text), None, "{text}");
        }
    }
}
