//! Digests and base64 of texts become functions of templates: what is signed is known when the file is read.
//!
//! `hashlib.md5((stamp + key).encode()).hexdigest()` is `${md5(config.stamp, secrets.key)}`. What is no such call is
//! judged where it stands; an argument that cannot be read adds its problem.

use ruff_python_ast::{Expr, ExprCall};

use crate::config::node::{Node, Place};

use super::eval::Evaluator;
use super::scope::dotted;

/// Digests that Python and templates name alike.
const DIGESTS: [&str; 4] = ["md5", "sha1", "sha256", "sha512"];

impl Evaluator<'_, '_> {
    /// `hashlib.NAME(BYTES).hexdigest()`, `hmac.new(KEY, BYTES, NAME).hexdigest()`, `base64.b64encode(BYTES).decode()`.
    /// `None` if it is none of these, `Some(None)` if it is one with a problem.
    pub(super) fn digest(
        &mut self,
        call: &ExprCall,
        place: Place,
        scope: usize,
        path: &str,
    ) -> Option<Option<Node>> {
        let method = call.func.as_attribute_expr()?;
        let inner = method.value.as_call_expr()?;
        let function = match method.attr.id.as_str() {
            "hexdigest" if call.arguments.is_empty() => self.digested(inner, scope, path)?,
            "decode" if is_utf8(call.arguments.args.first()) => self.encoded(inner, scope, path)?,
            _ => return None,
        };
        let Some(function) = function else { return Some(None) };
        let name = function.split('(').next().unwrap_or_default();
        self.diagnostics.note(path, place, format!("the code is read as the function `{name}` of templates"));
        Some(Some(Node::text(format!("${{{function}}}"), place)))
    }

    /// A digest of `hashlib` or `hmac`, before it is written in some alphabet.
    fn digested(&mut self, call: &ExprCall, scope: usize, path: &str) -> Option<Option<String>> {
        let function = dotted(&call.func)?;
        let arguments = &*call.arguments.args;
        if function == "hmac.new" {
            let digest = arguments
                .get(2)
                .or_else(|| call.arguments.find_keyword("digestmod").map(|keyword| &keyword.value));
            let digest = named_digest(digest?)?;
            // Templates know no `hmac_md5`.
            let digest = digest.starts_with("sha").then_some(digest)?;
            let [key, bytes, ..] = arguments else { return None };
            let (key, bytes) = (text_of(key)?, text_of(bytes)?);
            let Some(key) = self.pieces(key, scope, path)? else { return Some(None) };
            // Several arguments are one text behind the key, not in it.
            let [key] = &*key else { return None };
            let Some(bytes) = self.pieces(bytes, scope, path)? else { return Some(None) };
            return Some(Some(format!("hmac_{digest}({key}, {})", bytes.join(", "))));
        }
        let digest = DIGESTS.into_iter().find(|digest| function.strip_prefix("hashlib.") == Some(digest))?;
        let [bytes] = arguments else { return None };
        let pieces = self.pieces(text_of(bytes)?, scope, path)?;
        Some(pieces.map(|pieces| format!("{digest}({})", pieces.join(", "))))
    }

    fn encoded(&mut self, call: &ExprCall, scope: usize, path: &str) -> Option<Option<String>> {
        if !matches!(dotted(&call.func)?.as_str(), "base64.b64encode" | "b64encode") {
            return None;
        }
        let [bytes] = &*call.arguments.args else { return None };
        if let Expr::Call(digest) = bytes
            && let Expr::Attribute(method) = &*digest.func
            && method.attr.id.as_str() == "digest"
        {
            let digest = self.digested(method.value.as_call_expr()?, scope, path)?;
            return Some(digest.map(|digest| format!("base64({digest})")));
        }
        let pieces = self.pieces(text_of(bytes)?, scope, path)?;
        Some(pieces.map(|pieces| format!("base64({})", pieces.join(", "))))
    }

    /// A text as arguments of a function: what is written in it in quotes, what is looked up without its `${}`.
    fn pieces(&mut self, expression: &Expr, scope: usize, path: &str) -> Option<Option<Vec<String>>> {
        let Some(node) = self.eval(expression, scope, path) else { return Some(None) };
        let mut pieces = Vec::new();
        let mut rest = node.as_text()?;
        if rest.contains("$$") {
            return None;
        }
        while let Some((before, template)) = rest.split_once("${") {
            let (looked_up, after) = template.split_once('}')?;
            if looked_up.contains(":-") || looked_up.contains(['\'', '"', ',', '(', '{']) {
                return None;
            }
            if !before.is_empty() {
                pieces.push(quoted(before)?);
            }
            pieces.push(looked_up.to_owned());
            rest = after;
        }
        if !rest.is_empty() || pieces.is_empty() {
            pieces.push(quoted(rest)?);
        }
        Some(Some(pieces))
    }
}

/// A text in the quotes of templates, between which nothing is escaped.
fn quoted(text: &str) -> Option<String> {
    if text.contains('}') {
        None
    } else if !text.contains('\'') {
        Some(format!("'{text}'"))
    } else if !text.contains('"') {
        Some(format!("\"{text}\""))
    } else {
        None
    }
}

/// The text of `TEXT.encode()` and `bytes(TEXT, "utf-8")`.
fn text_of(bytes: &Expr) -> Option<&Expr> {
    let call = bytes.as_call_expr()?;
    match &*call.func {
        Expr::Attribute(method)
            if method.attr.id.as_str() == "encode" && is_utf8(call.arguments.args.first()) =>
        {
            Some(&method.value)
        }
        Expr::Name(name) if name.id.as_str() == "bytes" && is_utf8(call.arguments.args.get(1)) => {
            call.arguments.args.first()
        }
        _ => None,
    }
}

/// Whether an encoding is not given, or is UTF-8 or a part of it.
fn is_utf8(encoding: Option<&Expr>) -> bool {
    encoding.is_none_or(|encoding| {
        encoding.as_string_literal_expr().is_some_and(|name| {
            matches!(name.value.to_str().to_ascii_lowercase().as_str(), "utf-8" | "utf8" | "ascii")
        })
    })
}

/// `hashlib.sha256` or `"sha256"`.
fn named_digest(expression: &Expr) -> Option<&'static str> {
    let name = match expression {
        Expr::StringLiteral(text) => text.value.to_str().to_owned(),
        other => dotted(other)?.strip_prefix("hashlib.")?.to_owned(),
    };
    DIGESTS.into_iter().find(|digest| *digest == name)
}
