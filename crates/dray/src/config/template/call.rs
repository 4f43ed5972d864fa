//! Calls in templates: `lower(vars.name)`, `base64(secrets.id, ":", secrets.key)`. An argument is a text in quotes, a
//! number, true, false, a lookup, a moment, or another call.

use super::moment::START_OF;
use super::{Function, Piece, TemplateError, error, expression, is_name};
use crate::config::diagnostics::closest;

/// How deep calls may stand in each other.
const MAX_DEPTH: usize = 16;

/// The call that a template begins with, and what follows its closing brace; none if it is no call. `text` is what
/// follows `${`.
pub(super) fn template(text: &str) -> Result<Option<(Piece, &str)>, TemplateError> {
    let Some((name, rest)) = begun(text) else { return Ok(None) };
    let (call, rest) = arguments(name, rest, MAX_DEPTH)?;
    let Some(rest) = rest.trim_start().strip_prefix('}') else {
        return Err(error(format!("`${{{name}(...)` is followed by something else than `}}`")));
    };
    Ok(Some((call, rest)))
}

/// The name of a call and what follows its parenthesis; none of what is read as something else.
fn begun(text: &str) -> Option<(&str, &str)> {
    let (name, rest) = text.split_once('(')?;
    let name = name.trim();
    (is_name(name) && !name.contains(['.', '-']) && name != START_OF).then_some((name, rest))
}

/// The arguments up to the closing parenthesis.
fn arguments<'t>(name: &str, mut rest: &'t str, depth: usize) -> Result<(Piece, &'t str), TemplateError> {
    let Some(function) = Function::of_name(name) else {
        let known = Function::names();
        return Err(TemplateError {
            message: format!("there is no function `{name}`"),
            hint: match closest(name, known.iter().copied()) {
                Some(close) => format!("did you mean `{close}`? There is {}", known.join(", ")),
                None => format!("there is {}", known.join(", ")),
            },
        });
    };
    let Some(depth) = depth.checked_sub(1) else {
        return Err(error(format!("calls in calls go deeper than {MAX_DEPTH}")));
    };
    let mut arguments = Vec::new();
    if let Some(after) = rest.trim_start().strip_prefix(')') {
        rest = after;
    } else {
        loop {
            let (argument, after) = argument(name, rest, depth)?;
            arguments.push(argument);
            let after = after.trim_start();
            if let Some(after) = after.strip_prefix(',') {
                rest = after;
            } else if let Some(after) = after.strip_prefix(')') {
                rest = after;
                break;
            } else {
                return Err(unclosed(name));
            }
        }
    }
    if !function.arguments().contains(&arguments.len()) {
        return Err(TemplateError {
            message: format!("`{name}` has {} arguments", arguments.len()),
            hint: format!("expected {}", function.usage()),
        });
    }
    Ok((Piece::Call { function, arguments }, rest))
}

fn argument<'t>(name: &str, text: &'t str, depth: usize) -> Result<(Piece, &'t str), TemplateError> {
    let text = text.trim_start();
    for quote in ['"', '\''] {
        if let Some(inner) = text.strip_prefix(quote) {
            let (literal, rest) = inner.split_once(quote).ok_or_else(|| unclosed(name))?;
            return Ok((Piece::Literal(literal.to_owned()), rest));
        }
    }
    let end = text.find([',', ')', '(', '}']).unwrap_or(text.len());
    if text.get(end..).is_some_and(|rest| rest.starts_with('('))
        && let Some((inner, rest)) = begun(text)
    {
        return arguments(inner, rest, depth);
    }
    // `start_of(month) - 1d` has a parenthesis of its own.
    let from = if text.starts_with(START_OF) { text.find(')').map_or(end, |at| at + 1) } else { end };
    let rest = text.get(from..).unwrap_or_default();
    let end = from + rest.find([',', ')', '}']).unwrap_or(rest.len());
    let (written, rest) = text.split_at_checked(end).unwrap_or((text, ""));
    let written = written.trim();
    if written.is_empty() {
        return Err(TemplateError {
            message: format!("`{name}` has an empty argument"),
            hint: "an empty text is written \"\"".to_owned(),
        });
    }
    let constant = matches!(written, "true" | "false") || written.parse::<f64>().is_ok_and(f64::is_finite);
    if constant {
        return Ok((Piece::Literal(written.to_owned()), rest));
    }
    let piece = expression(written).map_err(|mut error| {
        // What stands there may be a secret without its quotes, but only names are ever repeated.
        error.hint = format!("a text stands in quotes; {}", error.hint);
        error
    })?;
    Ok((piece, rest))
}

fn unclosed(name: &str) -> TemplateError {
    error(format!("`{name}(` is not closed by `)`"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::secrets::Kind;
    use crate::config::template::{Base, pieces};

    fn lookup(kind: Kind, name: &str) -> Piece {
        Piece::Lookup { kind, name: name.to_owned(), default: None }
    }

    fn call(function: Function, arguments: Vec<Piece>) -> Piece {
        Piece::Call { function, arguments }
    }

    #[test]
    fn calls_and_what_stands_around_them() {
        let literal = |text: &str| Piece::Literal(text.to_owned());
        assert_eq!(
            pieces("Basic ${base64(secrets.id, \":\", secrets.key)} x").unwrap(),
            [
                literal("Basic "),
                call(
                    Function::Base64,
                    vec![lookup(Kind::Secrets, "id"), literal(":"), lookup(Kind::Secrets, "key")]
                ),
                literal(" x"),
            ]
        );
        assert_eq!(
            pieces("${ upper( lower('a}b)') ) }").unwrap(),
            [call(Function::Upper, vec![call(Function::Lower, vec![literal("a}b)")])])]
        );
        let moment = Piece::Moment { base: Base::Now, seconds: -86_400, format: Some("%b".to_owned()) };
        assert_eq!(pieces("${lower(now - 1d : %b)}").unwrap(), [call(Function::Lower, vec![moment])]);
        let call_of_start = &pieces("${lower(start_of(month) - 1d:%b)}").unwrap()[0];
        assert!(matches!(call_of_start, Piece::Call { arguments, .. } if arguments.len() == 1));
    }

    #[test]
    fn a_default_may_hold_what_looks_like_a_call() {
        let piece = &pieces("${env.X:-f(x)}").unwrap()[0];
        assert!(matches!(piece, Piece::Lookup { default: Some(default), .. } if default == "f(x)"));
    }

    #[test]
    fn what_is_no_call_says_why() {
        let told: Vec<String> = [
            "${bse64(vars.x)}",
            "${lower()}",
            "${lower(vars.x}",
            "${lower('x)}",
            "${lower(vars.x) + 1}",
            "${lower(, vars.x)}",
            "${lower(hello)}",
            "${replace(vars.x, 'a')}",
            "${exec('id')}",
        ]
        .into_iter()
        .map(|text| {
            let error = pieces(text).unwrap_err();
            format!("{} | {}", error.message, error.hint)
        })
        .collect();
        insta::assert_snapshot!(told.join("\n"), @r##"
        there is no function `bse64` | did you mean `base64`? There is base64, base64url, hex, url_encode, md5, sha1, sha256, sha512, hmac_sha1, hmac_sha256, hmac_sha512, lower, upper, trim, replace, join, default, lookup, equals, not
        `lower` has 0 arguments | expected lower(TEXT, ...)
        `lower(` is not closed by `)` | for a literal `${`, write `$${`
        `lower(` is not closed by `)` | for a literal `${`, write `$${`
        `${lower(...)` is followed by something else than `}` | for a literal `${`, write `$${`
        `lower` has an empty argument | an empty text is written ""
        `${hello}` is not known, expected secrets.NAME, env.NAME, vars.NAME, config.NAME, now, today or a function | a text stands in quotes; did you mean `${env.hello}` or `${secrets.hello}`?
        `replace` has 2 arguments | expected replace(TEXT, FROM, TO)
        there is no function `exec` | there is base64, base64url, hex, url_encode, md5, sha1, sha256, sha512, hmac_sha1, hmac_sha256, hmac_sha512, lower, upper, trim, replace, join, default, lookup, equals, not
        "##);
        let deep = format!("${{{}vars.x{}}}", "lower(".repeat(40), ")".repeat(40));
        assert!(pieces(&deep).unwrap_err().message.contains("deeper"));
    }
}
