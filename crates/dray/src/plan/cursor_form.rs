//! Cursors in a form of the API's own (`31.01.2024`): read as what they mean, so that they can be compared and stored.

use jiff::Timestamp;
use jiff::fmt::strtime::{self, BrokenDownTime};
use jiff::tz::TimeZone;

use super::{CursorFormat, CursorValue};

/// A strftime pattern in which records write their cursors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CursorForm {
    pattern: String,
    dates: bool,
}

impl CursorForm {
    /// The form of a pattern; none if what it writes does not tell a day.
    #[must_use]
    pub fn new(pattern: &str) -> Option<Self> {
        let dates = CursorFormat::Pattern(pattern.to_owned()).is_date();
        let form = Self { pattern: pattern.to_owned(), dates };
        // What it writes of a moment must name that moment again, as far as it goes; an afternoon shows a half day.
        let sample = Timestamp::from_second(1_709_327_045).ok()?;
        let written = strtime::format(pattern, &sample.to_zoned_datetime(TimeZone::UTC)).ok()?;
        let read = form.instant(&written)?;
        let lost = sample.as_second() - read.as_second();
        (0..if dates { 86_400 } else { 3_600 }).contains(&lost).then_some(form)
    }

    /// The pattern, as requests are written if nothing else is said.
    #[must_use]
    pub fn pattern(&self) -> &str {
        &self.pattern
    }

    /// The moment that a cursor in this form means, as ISO 8601 writes it; none if it is in another form.
    #[must_use]
    pub fn read(&self, value: &CursorValue) -> Option<CursorValue> {
        let instant = match value {
            CursorValue::Text(text) => self.instant(text.trim())?,
            CursorValue::Int(number) => self.instant(&number.to_string())?,
            CursorValue::Float(_) => return None,
        };
        let text = instant.to_string();
        // A day is compared with days.
        let day = text.split('T').next().filter(|_| self.dates).map(str::to_owned);
        Some(CursorValue::Text(day.unwrap_or(text)))
    }

    /// The same value, as ISO 8601 writes it where it is in this form: what a file or a state holds may be in either.
    #[must_use]
    pub fn settled(&self, value: CursorValue) -> CursorValue {
        self.read(&value).unwrap_or(value)
    }

    /// Where no offset is written it is UTC.
    fn instant(&self, text: &str) -> Option<Timestamp> {
        let parts = BrokenDownTime::parse(&self.pattern, text).ok()?;
        parts.to_timestamp().ok().or_else(|| {
            let zoned = parts.to_datetime().ok()?.to_zoned_datetime(TimeZone::UTC).ok()?;
            Some(zoned.timestamp())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_are_read_as_the_moments_that_they_name() {
        for (pattern, written, read) in [
            ("%d.%m.%Y", "31.01.2024", "2024-01-31"),
            ("%Y%m%d", "20240131", "2024-01-31"),
            ("%m/%d/%Y %I:%M:%S %p", "01/31/2024 03:04:05 PM", "2024-01-31T15:04:05Z"),
            ("%d/%b/%Y:%H:%M:%S %z", "31/Jan/2024:01:00:00 +0200", "2024-01-30T23:00:00Z"),
            ("%Y-%m-%d %H:%M", " 2024-01-31 23:59 ", "2024-01-31T23:59:00Z"),
        ] {
            let form = CursorForm::new(pattern).unwrap();
            let found = form.read(&CursorValue::Text(written.to_owned()));
            assert_eq!(found, Some(CursorValue::Text(read.to_owned())), "{pattern}");
        }
        let form = CursorForm::new("%Y%m%d").unwrap();
        assert_eq!(
            form.read(&CursorValue::Int(20_240_131)),
            Some(CursorValue::Text("2024-01-31".to_owned()))
        );
        assert_eq!(form.read(&CursorValue::Text("31.01.2024".to_owned())), None);
        let settled = CursorValue::Text("2024-01-31".to_owned());
        assert_eq!(form.settled(settled.clone()), settled);
    }

    #[test]
    fn a_pattern_that_tells_no_day_is_none() {
        for pattern in ["%H:%M", "%d.%m", "%Y", "%d.%m.%Y %q", "%I:%M %d.%m.%Y"] {
            assert_eq!(CursorForm::new(pattern), None, "{pattern}");
        }
    }
}
