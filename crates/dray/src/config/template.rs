//! Templates in texts: `${secrets.x}`, `${env.X:-default}`, `${vars.x}`, `${config.x}`, `${now - 30d}`,
//! `${today:%Y/%m/%d}`. `$${` is a literal `${`. Of names with `|` between them the first that is set counts.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::diagnostics::closest;
use super::secrets::Kind;

/// A part of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// What is taken as it stands.
    Literal(String),
    /// `${kind.name:-default}`
    Lookup {
        /// Where to look.
        kind: Kind,
        /// What to look for.
        name: String,
        /// What to take if it is not there.
        default: Option<String>,
    },
    /// `${now - 30d:%s}`
    Moment {
        /// Whether to start from midnight (UTC).
        today: bool,
        /// Seconds to add.
        seconds: i64,
        /// A format of strftime.
        format: Option<String>,
    },
}

/// Why a text is no template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateError {
    /// What was found and what was expected.
    pub message: String,
    /// What to do about it.
    pub hint: String,
}

const KNOWN: &str = "secrets.NAME, env.NAME, vars.NAME, config.NAME, now or today";

/// Splits a text into its parts.
///
/// # Errors
/// If a `${` is not closed or holds something unknown.
pub fn pieces(text: &str) -> Result<Vec<Piece>, TemplateError> {
    let mut pieces = Vec::new();
    let mut literal = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        if let Some(before) = before.strip_suffix('$') {
            literal.push_str(before);
            literal.push_str("${");
            rest = after;
            continue;
        }
        literal.push_str(before);
        let Some((inner, after)) = after.split_once('}') else {
            return Err(error("`${` is not closed by `}`".to_owned()));
        };
        if !literal.is_empty() {
            pieces.push(Piece::Literal(std::mem::take(&mut literal)));
        }
        pieces.push(expression(inner)?);
        rest = after;
    }
    literal.push_str(rest);
    if !literal.is_empty() {
        pieces.push(Piece::Literal(literal));
    }
    Ok(pieces)
}

fn error(message: String) -> TemplateError {
    TemplateError { message, hint: "for a literal `${`, write `$${`".to_owned() }
}

fn expression(inner: &str) -> Result<Piece, TemplateError> {
    let trimmed = inner.trim();
    for today in [false, true] {
        let word = if today { "today" } else { "now" };
        if let Some(rest) = trimmed.strip_prefix(word)
            && !rest.starts_with(|letter: char| letter.is_alphanumeric() || letter == '_' || letter == '.')
        {
            return moment(today, rest, trimmed);
        }
    }
    let Some((kind, name)) = trimmed.split_once('.') else {
        let mut error = error(format!("`${{{trimmed}}}` is not known, expected {KNOWN}"));
        if is_name(trimmed) {
            error.hint = format!("did you mean `${{env.{trimmed}}}` or `${{secrets.{trimmed}}}`?");
        }
        return Err(error);
    };
    let Some(kind) = Kind::of_name(kind) else {
        let mut error = error(format!("`{kind}` in `${{{trimmed}}}` is not known, expected {KNOWN}"));
        if let Some(close) = closest(kind, Kind::ALL.map(Kind::name)) {
            error.hint = format!("did you mean `{close}`?");
        }
        return Err(error);
    };
    let (name, default) = match name.split_once(":-") {
        Some((name, default)) => (name, Some(default.to_owned())),
        None => (name, None),
    };
    if !name.split('|').all(is_name) {
        // Neither the name nor the default is repeated: somebody may have put the secret itself there.
        return Err(error(format!(
            "`${{{}. ...}}` holds no name of letters, digits, `_`, `-` and `.`",
            kind.name()
        )));
    }
    if kind == Kind::Secrets && default.is_some() {
        return Err(TemplateError {
            message: format!("the secret `{name}` has a default, expected none"),
            hint: "a secret in a file is none; ${env.NAME:-default} takes a default".to_owned(),
        });
    }
    Ok(Piece::Lookup { kind, name: name.to_owned(), default })
}

fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name.chars().all(|letter| letter.is_alphanumeric() || "_-.".contains(letter))
        && !name.split('.').any(str::is_empty)
}

/// What follows `now` or `today`: spans, then a format.
fn moment(today: bool, rest: &str, whole: &str) -> Result<Piece, TemplateError> {
    let (spans, format) = match rest.split_once(':') {
        Some((spans, format)) => (spans, Some(format.to_owned())),
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
            Some('d') => 86_400,
            Some('w') => 7 * 86_400,
            _ => return Err(spoiled()),
        };
        let number: i64 = number.parse().map_err(|_| spoiled())?;
        let span = number.checked_mul(length).and_then(|span| span.checked_mul(sign));
        seconds = span.and_then(|span| seconds.checked_add(span)).ok_or_else(spoiled)?;
        spans = letters.as_str().trim_start();
    }
    Ok(Piece::Moment { today, seconds, format })
}

/// A moment as text.
///
/// # Errors
/// If the moment lies outside of what a calendar holds, or the format is not one of strftime's.
pub fn format_moment(
    now: Timestamp,
    today: bool,
    seconds: i64,
    format: Option<&str>,
) -> Result<String, TemplateError> {
    let spoiled = |problem: jiff::Error| TemplateError {
        message: format!("this moment cannot be written: {problem}"),
        hint: "formats are those of strftime: %Y-%m-%dT%H:%M:%SZ, %s for seconds since 1970".to_owned(),
    };
    let whole = now.as_second() - i64::from(now.subsec_nanosecond() < 0);
    let start = if today { whole - whole.rem_euclid(86_400) } else { whole };
    let start = Timestamp::from_second(start).map_err(spoiled)?;
    let moment = start.checked_add(SignedDuration::from_secs(seconds)).map_err(spoiled)?;
    let format = format.unwrap_or(if today { "%Y-%m-%d" } else { "%Y-%m-%dT%H:%M:%SZ" });
    jiff::fmt::strtime::format(format, &moment.to_zoned_datetime(TimeZone::UTC)).map_err(spoiled)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment_pieces(text: &str) -> (bool, i64, Option<String>) {
        match pieces(text).unwrap().as_slice() {
            [Piece::Moment { today, seconds, format }] => (*today, *seconds, format.clone()),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn no_template_reads_or_runs_anything() {
        for text in [
            "${file:/etc/passwd}",
            "${file./etc/passwd}",
            "${cmd:id}",
            "${exec.id}",
            "${http://127.0.0.1/}",
            "${env.HOME/x}",
            "${secrets.../../etc/passwd}",
            "${secrets.$(id)}",
            "${vars.`id`}",
        ] {
            assert!(pieces(text).is_err(), "{text}");
        }
        // Other languages' templates are plain text here.
        for text in [
            "$(id)",
            "`id`",
            "{{ lookup('file', '/etc/passwd') }}",
            "!include /etc/passwd",
            "<%= id %>",
            "%(x)s",
        ] {
            assert_eq!(pieces(text).unwrap(), [Piece::Literal(text.to_owned())]);
        }
    }

    #[test]
    fn moments() {
        assert_eq!(moment_pieces("${now}"), (false, 0, None));
        assert_eq!(moment_pieces("${now - 30d}"), (false, -30 * 86_400, None));
        assert_eq!(moment_pieces("${now-1h+30m}"), (false, -1800, None));
        assert_eq!(
            moment_pieces("${today - 2w:%Y/%m/%d %H:%M}"),
            (true, -14 * 86_400, Some("%Y/%m/%d %H:%M".into()))
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
        let text = |today, seconds, format| format_moment(now, today, seconds, format).unwrap();
        assert_eq!(text(false, 0, None), "2024-03-01T02:03:04Z");
        assert_eq!(text(false, -86_400, None), "2024-02-29T02:03:04Z");
        assert_eq!(text(true, 0, None), "2024-03-01");
        assert_eq!(text(true, -86_400, Some("%d.%m.%Y")), "29.02.2024");
        assert_eq!(text(true, 0, Some("%s")), "1709251200");
        assert!(format_moment(now, false, 0, Some("%")).is_err());
        assert!(format_moment(now, false, i64::MAX, None).is_err());
        let before: Timestamp = "1969-12-31T23:59:59.5Z".parse().unwrap();
        assert_eq!(format_moment(before, false, 0, None).unwrap(), "1969-12-31T23:59:59Z");
        assert_eq!(format_moment(before, true, 0, None).unwrap(), "1969-12-31");
    }

    #[test]
    fn literals_stay() {
        for text in ["a $ b", "{resources.x.id}", "$id", "{{ x }}", "a } b"] {
            assert_eq!(pieces(text).unwrap(), [Piece::Literal(text.to_owned())]);
        }
        assert_eq!(pieces("a $${b} c").unwrap(), [Piece::Literal("a ${b} c".to_owned())]);
    }
}
