//! A moment relative to the run or a fixed one, and how Python would write it.

use jiff::ToSpan as _;
use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};

use crate::config::node::Value;

const DAY: i64 = 86_400;
/// A thousand years are enough, and keep every later sum in bounds.
const MAX_SECONDS: u64 = 1_000 * 366 * 86_400;

/// Where a moment is counted from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Base {
    /// When the run began.
    Now,
    /// The midnight before that, in UTC.
    Today,
    /// Always the same.
    At(DateTime),
}

/// What Python writes of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Kind {
    /// A date without a time.
    Date,
    /// No time zone.
    Naive,
    /// In UTC.
    Aware,
}

/// A point in time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    pub(super) base: Base,
    pub(super) kind: Kind,
    /// What is added to the base.
    pub(super) seconds: i64,
}

impl Moment {
    pub(super) fn now(kind: Kind) -> Self {
        Self { base: Base::Now, kind, seconds: 0 }
    }

    /// ISO 8601 text.
    pub(super) fn parsed(text: &str) -> Option<Self> {
        let (text, kind) = match text.strip_suffix('Z').or_else(|| text.strip_suffix("+00:00")) {
            Some(text) => (text, Kind::Aware),
            None => (text, Kind::Naive),
        };
        let at = text.parse::<DateTime>().ok()?;
        Some(Self { base: Base::At(at), kind, seconds: 0 })
    }

    pub(super) fn later(self, seconds: i64) -> Option<Self> {
        let seconds = self.seconds.checked_add(seconds)?;
        (seconds.unsigned_abs() < MAX_SECONDS).then_some(Self { seconds, ..self })
    }

    /// The midnight before it. Of `now` less some hours it is not known which day that is.
    pub(super) fn midnight(self) -> Option<Self> {
        match self.base {
            Base::At(_) => {
                let at = self.fixed()?.start_of_day();
                Some(Self { base: Base::At(at), seconds: 0, ..self })
            }
            Base::Today => {
                let seconds = self.seconds - self.seconds.rem_euclid(DAY);
                Some(Self { seconds, ..self })
            }
            Base::Now if self.seconds % DAY == 0 => Some(Self { base: Base::Today, ..self }),
            Base::Now => None,
        }
    }

    fn fixed(self) -> Option<DateTime> {
        let Base::At(at) = self.base else { return None };
        at.checked_add(self.seconds.seconds()).ok()
    }

    /// As `isoformat()` writes it; a zone of UTC is written as `Z`.
    pub(super) fn iso(self) -> Option<String> {
        self.text(match self.kind {
            Kind::Date => "%Y-%m-%d",
            Kind::Naive => "%Y-%m-%dT%H:%M:%S",
            Kind::Aware => "%Y-%m-%dT%H:%M:%SZ",
        })
    }

    /// As `str()` writes it.
    pub(super) fn shown(self) -> Option<String> {
        self.text(match self.kind {
            Kind::Date => "%Y-%m-%d",
            Kind::Naive => "%Y-%m-%d %H:%M:%S",
            Kind::Aware => "%Y-%m-%d %H:%M:%S+00:00",
        })
    }

    /// By a format of strftime: a template, or the text itself if it is always the same.
    pub(super) fn text(self, format: &str) -> Option<String> {
        if format.contains('}') {
            return None;
        }
        let (word, default) = match self.base {
            Base::At(_) => {
                let at = Offset::UTC.to_timestamp(self.fixed()?).ok()?.to_zoned_datetime(TimeZone::UTC);
                return jiff::fmt::strtime::format(format, &at).ok();
            }
            Base::Now => ("now", "%Y-%m-%dT%H:%M:%SZ"),
            Base::Today => ("today", "%Y-%m-%d"),
        };
        let sign = if self.seconds < 0 { '-' } else { '+' };
        let span = match self.seconds.unsigned_abs() {
            0 => String::new(),
            span if span % 86_400 == 0 => format!(" {sign} {}d", span / 86_400),
            span if span % 3_600 == 0 => format!(" {sign} {}h", span / 3_600),
            span => format!(" {sign} {span}s"),
        };
        let format = if format == default { String::new() } else { format!(":{format}") };
        Some(format!("${{{word}{span}{format}}}"))
    }

    /// A number if it is always the same, else a template that gives its digits.
    pub(super) fn seconds_since_1970(self, thousandths: bool) -> Option<Value> {
        if let Some(at) = self.fixed() {
            let seconds = Offset::UTC.to_timestamp(at).ok()?.as_second();
            let factor = if thousandths { 1_000 } else { 1 };
            return seconds.checked_mul(factor).map(Value::Int);
        }
        let text = self.text("%s")?;
        Some(Value::Text(if thousandths { text + "000" } else { text }))
    }
}

/// A format of pendulum's `format()` as one of strftime; nothing if it holds words that strftime lacks.
pub(super) fn strftime_of(format: &str) -> Option<String> {
    const TOKENS: [(&str, &str); 14] = [
        ("YYYY", "%Y"),
        ("YY", "%y"),
        ("MM", "%m"),
        ("M", "%-m"),
        ("DD", "%d"),
        ("D", "%-d"),
        ("HH", "%H"),
        ("H", "%-H"),
        ("mm", "%M"),
        ("ss", "%S"),
        ("SSS", "000"),
        ("ZZ", "+0000"),
        ("Z", "+00:00"),
        ("X", "%s"),
    ];
    let mut written = String::new();
    let mut rest = format;
    while let Some(letter) = rest.chars().next() {
        if let Some((literal, after)) = rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            written.push_str(&literal.replace('%', "%%"));
            rest = after;
            continue;
        }
        // Names of months and days of the year.
        let run = rest.chars().take_while(|other| *other == letter).count();
        if run > 2 && !["YYYY", "SSS"].iter().any(|token| token.len() == run && rest.starts_with(token)) {
            return None;
        }
        let token = TOKENS.iter().find_map(|(token, code)| Some((rest.strip_prefix(token)?, *code)));
        match token {
            Some((after, code)) => {
                written.push_str(code);
                rest = after;
            }
            None if letter == '%' => return None,
            None if letter.is_ascii_alphabetic() && letter != 'T' => return None,
            None => {
                written.push(letter);
                rest = rest.strip_prefix(letter)?;
            }
        }
    }
    Some(written)
}
