//! Values of single columns, cleaned and read as moments, on their way into the table: cursors and children have seen the
//! record as it was.
//!
//! A record is copied, and only the values of these columns are written anew. What does not fit stays as it came, a
//! number as text: a column of timestamps would take it for seconds.

use std::borrow::Cow;
use std::collections::HashMap;

use jiff::fmt::strtime::{self, BrokenDownTime};
use jiff::tz::{Offset, TimeZone};
use jiff::{Timestamp, civil};

use crate::error::{Error, ErrorKind, Result};
use crate::json::{Bounds, Document, Kind, NodeId, quote};
use crate::schema::DataType;
use crate::schema::naming::{SEPARATOR, normalize};
use crate::timestamp;

/// What is done to the values of one column, in this order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ColumnRule {
    /// The column, by its name in the table.
    pub name: String,
    /// White space around a text goes.
    pub trim: bool,
    /// A text in lower case.
    pub lower: bool,
    /// An empty text is null.
    pub empty_as_null: bool,
    /// The value is a moment.
    pub convert: Option<Moment>,
}

/// How a moment is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Moment {
    /// Seconds since 1970.
    Unix,
    /// Milliseconds since 1970.
    UnixMillis,
    /// ISO 8601: a date and a time, or a date alone, which is its midnight.
    Iso,
    /// A date, or the date of a moment in ISO 8601.
    Date,
    /// A pattern of strptime. Without an offset it is UTC.
    Pattern(String),
}

impl Moment {
    /// From the word of a configuration: `unix`, `unix_ms`, `iso`, `date`, or a pattern.
    ///
    /// # Errors
    /// With what is wrong, in words.
    pub fn parse(word: &str) -> std::result::Result<Self, String> {
        Ok(match word {
            "unix" => Self::Unix,
            "unix_ms" | "unix_milliseconds" => Self::UnixMillis,
            "iso" => Self::Iso,
            "date" => Self::Date,
            pattern if pattern.contains('%') => {
                let noon = Timestamp::UNIX_EPOCH.to_zoned_datetime(TimeZone::UTC);
                if let Err(error) = strtime::format(pattern, &noon) {
                    return Err(format!("`{pattern}` is no pattern: {error}"));
                }
                Self::Pattern(pattern.to_owned())
            }
            other => return Err(format!("unknown way to write a moment `{other}`")),
        })
    }

    /// The type of the column, where nobody says another.
    #[must_use]
    pub fn data_type(&self) -> DataType {
        match self {
            Self::Unix | Self::UnixMillis | Self::Iso => DataType::Timestamp,
            Self::Date => DataType::Date,
            Self::Pattern(pattern) => {
                const TIMES: [&str; 13] =
                    ["%H", "%I", "%k", "%l", "%s", "%T", "%R", "%c", "%X", "%r", "%f", "%Q", "%M"];
                let timed = TIMES.iter().any(|time| pattern.contains(time));
                if timed { DataType::Timestamp } else { DataType::Date }
            }
        }
    }

    /// The moment in ISO 8601; none where the value is not written this way.
    fn read(&self, value: &str) -> Option<String> {
        let value = value.trim();
        match self {
            Self::Unix => from_number(value, 6),
            Self::UnixMillis => from_number(value, 3),
            Self::Iso if timestamp::parse(value.as_bytes()).is_some() => Some(value.to_owned()),
            Self::Iso => {
                timestamp::parse_date(value.as_bytes())?;
                Some(format!("{value}T00:00:00Z"))
            }
            Self::Date if timestamp::parse_date(value.as_bytes()).is_some() => Some(value.to_owned()),
            Self::Date => {
                let moment = Timestamp::from_microsecond(timestamp::parse(value.as_bytes())?).ok()?;
                Some(moment.strftime("%Y-%m-%d").to_string())
            }
            Self::Pattern(pattern) => {
                let read = BrokenDownTime::parse(pattern, value).ok()?;
                if self.data_type() == DataType::Date {
                    return read.to_date().ok().map(|date| date.to_string());
                }
                read.to_timestamp()
                    .ok()
                    .or_else(|| {
                        let local = read.to_datetime().or_else(|_| read.to_date().map(civil::DateTime::from));
                        local.ok().and_then(|local| Offset::UTC.to_timestamp(local).ok())
                    })
                    .map(|moment| moment.to_string())
            }
        }
    }
}

/// A number of a unit of which ten to `scale` are a microsecond, as a moment; digits below a microsecond are cut off.
fn from_number(number: &str, scale: usize) -> Option<String> {
    let plain = || -> Option<i64> {
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let (negative, digits) = match whole.strip_prefix('-') {
            Some(digits) => (true, digits),
            None => (false, whole),
        };
        if digits.is_empty() || !digits.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let fraction = fraction.get(..fraction.len().min(scale))?;
        let micros: i64 = format!("{digits}{fraction:0<scale$}").parse().ok()?;
        Some(if negative { -micros } else { micros })
    };
    // `1.7e9`: with an exponent it was computed, and is as exact as a double.
    let computed = || -> Option<i64> {
        let value: f64 = number.parse().ok().filter(|_| number.contains(['e', 'E']))?;
        format!("{:.0}", value * 10_f64.powi(i32::try_from(scale).ok()?)).parse().ok()
    };
    let moment = Timestamp::from_microsecond(plain().or_else(computed)?).ok()?;
    Some(moment.to_string())
}

impl ColumnRule {
    /// For people.
    pub(super) fn shown(&self) -> String {
        let flags =
            [(self.trim, "trimmed"), (self.lower, "lower case"), (self.empty_as_null, "null where empty")];
        let mut words: Vec<String> =
            flags.iter().filter(|(set, _)| *set).map(|(_, word)| (*word).to_owned()).collect();
        words.extend(self.convert.as_ref().map(|convert| match convert {
            Moment::Unix => "read as unix seconds".to_owned(),
            Moment::UnixMillis => "read as unix milliseconds".to_owned(),
            Moment::Iso => "read as ISO 8601".to_owned(),
            Moment::Date => "read as a date".to_owned(),
            Moment::Pattern(pattern) => format!("read as {pattern}"),
        }));
        format!("column {}: {}", self.name, words.join(", "))
    }

    /// The new value as JSON; none where it stays.
    fn value(&self, document: &Document, id: NodeId) -> Option<String> {
        let scalar = document.scalar(id)?;
        let is_text = matches!(document.kind(id), Kind::Plain | Kind::Escaped);
        let mut text = Cow::Borrowed(&*scalar);
        if is_text && self.trim {
            text = Cow::Owned(text.trim().to_owned());
        }
        if is_text && self.lower {
            text = Cow::Owned(text.to_lowercase());
        }
        if is_text && self.empty_as_null && text.is_empty() {
            return Some("null".to_owned());
        }
        let is_flag = matches!(document.kind(id), Kind::True | Kind::False);
        let moment = self.convert.as_ref().filter(|_| !is_flag).map(|convert| convert.read(&text));
        match moment {
            Some(Some(moment)) => Some(quote(&moment)),
            Some(None) => Some(quote(&text)),
            None => (is_text && *text != *scalar).then(|| quote(&text)),
        }
    }
}

/// What a key leads to.
enum Found {
    Nothing,
    Value(usize),
    Object(Box<Level>),
}

/// The keys of an object that were looked up already.
#[derive(Default)]
struct Level {
    prefix: String,
    known: HashMap<Box<[u8]>, Found>,
}

impl Level {
    fn find(&mut self, rules: &[ColumnRule], document: &Document, key: NodeId) -> &mut Found {
        let prefix = &self.prefix;
        self.known.entry(document.raw(key).into()).or_insert_with(|| {
            let name = format!("{prefix}{}", normalize(&document.text(key).unwrap_or_default()));
            if let Some(at) = rules.iter().position(|rule| rule.name == name) {
                return Found::Value(at);
            }
            let prefix = format!("{name}{SEPARATOR}");
            if rules.iter().any(|rule| rule.name.starts_with(&prefix)) {
                Found::Object(Box::new(Self { prefix, known: HashMap::new() }))
            } else {
                Found::Nothing
            }
        })
    }

    /// Finds the values of an object that change.
    fn changes(
        &mut self,
        rules: &[ColumnRule],
        document: &Document,
        object: NodeId,
        changes: &mut Vec<(NodeId, String)>,
    ) {
        for (key, value) in document.entries(object) {
            match self.find(rules, document, key) {
                Found::Nothing => {}
                Found::Value(at) => {
                    let changed = rules.get(*at).and_then(|rule| rule.value(document, value));
                    changes.extend(changed.map(|changed| (value, changed)));
                }
                Found::Object(level) => level.changes(rules, document, value, changes),
            }
        }
    }
}

/// The records of a page with the values of these columns written anew.
///
/// # Errors
/// Where the new body is more than `bounds` allow.
pub fn clean(
    rules: &[ColumnRule],
    document: &Document,
    records: &[NodeId],
    bounds: &Bounds,
) -> Result<(Document, Vec<NodeId>)> {
    let mut level = Level::default();
    let mut body = vec![b'['];
    let mut changes = Vec::new();
    for record in records {
        if body.len() > 1 {
            body.push(b',');
        }
        changes.clear();
        level.changes(rules, document, *record, &mut changes);
        let whole = document.span(*record);
        let mut from = whole.start;
        for (id, changed) in &changes {
            let span = document.span(*id);
            body.extend_from_slice(document.body().get(from..span.start).unwrap_or_default());
            body.extend_from_slice(changed.as_bytes());
            from = span.end;
        }
        body.extend_from_slice(document.body().get(from..whole.end).unwrap_or_default());
    }
    body.push(b']');
    // Records with a flaw were taken out before.
    let document = Document::parse_within(body, bounds).map_err(|cause| {
        Error::new(ErrorKind::Response, "the records of a page become too large").caused_by(cause)
    })?;
    let records = document.items(document.root()).collect();
    Ok((document, records))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(name: &str, convert: &str) -> ColumnRule {
        ColumnRule {
            name: name.to_owned(),
            convert: Some(Moment::parse(convert).unwrap()),
            ..ColumnRule::default()
        }
    }

    fn cleaned(rules: &[ColumnRule], records: &str) -> String {
        let document = Document::parse(records.as_bytes().to_vec()).unwrap();
        let records: Vec<_> = document.items(document.root()).collect();
        let (document, _) = clean(rules, &document, &records, &Bounds::default()).unwrap();
        document.json(document.root()).to_owned()
    }

    #[test]
    fn moments_are_read_as_they_are_written() {
        // Seconds from `date -u -d ... +%s`.
        for (convert, written, read) in [
            ("unix", "1714566600", r#""2024-05-01T12:30:00Z""#),
            ("unix", r#""1714566600""#, r#""2024-05-01T12:30:00Z""#),
            ("unix", "1714566600.25", r#""2024-05-01T12:30:00.25Z""#),
            ("unix", "-1", r#""1969-12-31T23:59:59Z""#),
            ("unix", "1.7145666e9", r#""2024-05-01T12:30:00Z""#),
            ("unix_ms", "1714566600250", r#""2024-05-01T12:30:00.25Z""#),
            ("unix_ms", "1714566600250.75", r#""2024-05-01T12:30:00.25075Z""#),
            ("iso", r#""2024-05-01""#, r#""2024-05-01T00:00:00Z""#),
            ("iso", r#"" 20240501T1230Z ""#, r#""20240501T1230Z""#),
            ("date", r#""2024-05-01T23:30:00-02:00""#, r#""2024-05-02""#),
            ("date", r#""2024-05-01""#, r#""2024-05-01""#),
            ("%d.%m.%Y", r#""01.05.2024""#, r#""2024-05-01""#),
            ("%d.%m.%Y %H:%M", r#""01.05.2024 12:30""#, r#""2024-05-01T12:30:00Z""#),
            ("%d/%b/%Y:%H:%M:%S %z", r#""01/May/2024:14:30:00 +0200""#, r#""2024-05-01T12:30:00Z""#),
            ("%Y%m%d", "20240501", r#""2024-05-01""#),
        ] {
            let record = cleaned(&[rule("at", convert)], &format!(r#"[{{"at":{written}}}]"#));
            assert_eq!(record, format!(r#"[{{"at":{read}}}]"#), "{convert} {written}");
        }
    }

    #[test]
    fn what_is_no_such_moment_stays_and_a_number_becomes_text() {
        for (convert, written, read) in [
            ("unix", r#""soon""#, r#""soon""#),
            ("unix", "1e300", r#""1e300""#),
            ("unix_ms", "9223372036854775807", r#""9223372036854775807""#),
            ("iso", "5", r#""5""#),
            ("%d.%m.%Y", r#""31.02.2024""#, r#""31.02.2024""#),
            ("unix", "null", "null"),
            ("unix", "true", "true"),
            ("unix", "[1]", "[1]"),
        ] {
            let record = cleaned(&[rule("at", convert)], &format!(r#"[{{"at":{written}}}]"#));
            assert_eq!(record, format!(r#"[{{"at":{read}}}]"#), "{convert} {written}");
        }
    }

    #[test]
    fn columns_are_found_by_the_names_that_they_have_in_the_table() {
        let rules = [rule("created_at", "unix"), rule("a__b__at", "unix")];
        let records = r#"[{"createdAt":0,"a":{"b":{"at":0,"x":1.10},"at":0}}, 5, {"a":0,"created-at" : 1 }]"#;
        let expected = r#"[{"createdAt":"1970-01-01T00:00:00Z","a":{"b":{"at":"1970-01-01T00:00:00Z","x":1.10},"at":0}},5,{"a":0,"created-at" : "1970-01-01T00:00:01Z" }]"#;
        assert_eq!(cleaned(&rules, records), expected);
    }

    #[test]
    fn texts_are_trimmed_lowered_and_emptied() {
        let rules = [ColumnRule {
            name: "t".to_owned(),
            trim: true,
            lower: true,
            empty_as_null: true,
            convert: None,
        }];
        let records = r#"[{"t":" ÄB\n"},{"t":"  "},{"t":5},{"t":"x"}]"#;
        assert_eq!(cleaned(&rules, records), r#"[{"t":"äb"},{"t":null},{"t":5},{"t":"x"}]"#);
    }

    #[test]
    fn a_wrong_word_or_pattern_is_told() {
        assert!(Moment::parse("epoch").unwrap_err().contains("`epoch`"));
        assert!(Moment::parse("%Y-%!").unwrap_err().contains("is no pattern"));
    }
}
