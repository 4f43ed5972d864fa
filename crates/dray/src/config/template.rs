//! Templates in texts: `${secrets.x}`, `${env.X:-default}`, `${vars.x}`, `${config.x}`, `${now - 30d}`,
//! `${today:%Y/%m/%d}`, `${base64(secrets.id, ":", secrets.key)}`. `$${` is a literal `${`. Of names with `|` between
//! them the first that is set counts.

mod call;
mod functions;
mod moment;

pub use self::functions::Function;
pub(super) use self::functions::{Operand, evaluate, is_true};
pub use self::moment::{Base, format_moment};

use self::moment::moment;
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
        /// What to start from.
        base: Base,
        /// Seconds to add.
        seconds: i64,
        /// A format of strftime.
        format: Option<String>,
    },
    /// `${lower(vars.name)}`
    Call {
        /// What is done.
        function: Function,
        /// With what.
        arguments: Vec<Self>,
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

const KNOWN: &str = "secrets.NAME, env.NAME, vars.NAME, config.NAME, now, today or a function";

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
        if !literal.is_empty() {
            pieces.push(Piece::Literal(std::mem::take(&mut literal)));
        }
        // The texts of a call may hold braces.
        if let Some((call, after)) = call::template(after)? {
            pieces.push(call);
            rest = after;
            continue;
        }
        let Some((inner, after)) = after.split_once('}') else {
            return Err(error("`${` is not closed by `}`".to_owned()));
        };
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
    if let Some(moment) = moment(trimmed) {
        return moment;
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
    if kind == Kind::Secrets && default.as_ref().is_some_and(|default| !default.is_empty()) {
        return Err(TemplateError {
            message: format!("the secret `{name}` has a default, expected none"),
            hint: "a secret in a file is none; ${env.NAME:-default} takes a default, and ${secrets.NAME:-} is empty \
                   where there is none"
                .to_owned(),
        });
    }
    Ok(Piece::Lookup { kind, name: name.to_owned(), default })
}

fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name.chars().all(|letter| letter.is_alphanumeric() || "_-.".contains(letter))
        && !name.split('.').any(str::is_empty)
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn literals_stay() {
        for text in ["a $ b", "{resources.x.id}", "$id", "{{ x }}", "a } b"] {
            assert_eq!(pieces(text).unwrap(), [Piece::Literal(text.to_owned())]);
        }
        assert_eq!(pieces("a $${b} c").unwrap(), [Piece::Literal("a ${b} c".to_owned())]);
    }
}
