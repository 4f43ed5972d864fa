//! Answers judged by `response_actions`: which rule an answer falls under.

use http::StatusCode;
use memchr::memmem;

use super::body;
use super::client::Answer;
use crate::json::{Document, Kind, NodeId};
use crate::plan::{AnswerRule, BodyCondition, BodyTest, FormatPlan, Limits};

/// Bytes of the API's own words that are shown.
const WORDS: usize = 500;
/// Keys under which APIs say what is wrong, the most telling first.
const SAID: [&str; 9] = [
    "message",
    "error_description",
    "error_message",
    "detail",
    "description",
    "reason",
    "error",
    "errors",
    "response",
];

/// An answer that `response_actions` takes for no page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ruled {
    pub(super) status: StatusCode,
    pub(super) ruling: Ruling,
}

/// What it means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ruling {
    /// No records (`ignore`).
    Ignored,
    /// No records, counted under this reason (`skip`).
    Skipped(String),
    /// The list is over (`end`).
    Ended,
}

impl Ruled {
    /// Whether a chain may end with it after its first page. `promised`: the API has said that there is this page.
    pub(super) fn may_end(&self, promised: bool) -> bool {
        let passing = matches!(self.status, StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS)
            || self.status.is_server_error();
        let denied = matches!(self.status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN);
        // Who writes `end` has said what the answer means; `ignore` leaves it open.
        !promised && !passing && (self.ruling == Ruling::Ended || !denied)
    }
}

/// The rules that an answer may fall under, as far as can be said without reading its body.
#[derive(Debug, Default)]
pub(super) struct Candidates<'r>(Vec<&'r AnswerRule>);

impl<'r> Candidates<'r> {
    pub(super) fn of(rules: &'r [AnswerRule], answer: &Answer) -> Self {
        let fits = |rule: &&AnswerRule| {
            let code = answer.status.as_u16();
            let status = rule.statuses.is_empty() || rule.statuses.iter().any(|range| range.contains(&code));
            let content = rule.content.as_ref();
            let content = content.is_none_or(|piece| memmem::find(&answer.body, piece.as_bytes()).is_some());
            let headers = rule.headers.iter().all(|(name, pattern)| {
                let mut values = answer.headers.get_all(name.as_str()).iter();
                values.any(|value| value.to_str().is_ok_and(|value| pattern.matches(value)))
            });
            status && content && headers
        };
        Self(rules.iter().filter(fits).collect())
    }

    /// The rule that counts. Of a body that is not JSON nothing can be said by path.
    pub(super) fn judge(self, document: Option<&Document>) -> Option<&'r AnswerRule> {
        self.0.into_iter().find(|rule| {
            let holds = |condition| document.is_some_and(|document| holds(condition, document));
            rule.body.iter().all(holds)
        })
    }
}

/// The rule for a refusal.
pub(super) fn of_refusal<'r>(
    rules: &'r [AnswerRule],
    answer: &Answer,
    limits: &Limits,
) -> Option<&'r AnswerRule> {
    let candidates = Candidates::of(rules, answer);
    let inside = candidates.0.iter().any(|rule| !rule.body.is_empty());
    let document = inside
        .then(|| body::read(answer.body.clone(), &answer.headers, &FormatPlan::default(), limits).ok())
        .flatten();
    candidates.judge(document.as_ref())
}

fn holds(condition: &BodyCondition, document: &Document) -> bool {
    let mut found = Vec::new();
    condition.path.all(document, document.root(), &mut found);
    let there = |id: &NodeId| document.kind(*id) != Kind::Null;
    match &condition.test {
        BodyTest::Exists(wanted) => found.iter().any(there) == *wanted,
        BodyTest::Equals(value) => found.iter().any(|id| is(document, *id, value)),
        BodyTest::NotEquals(value) => found.iter().any(|id| there(id) && !is(document, *id, value)),
        BodyTest::In(values) => found.iter().any(|id| values.iter().any(|value| is(document, *id, value))),
        BodyTest::Contains(piece) => found.iter().any(|id| match document.kind(*id) {
            Kind::Array => document.items(*id).any(|item| is(document, item, piece)),
            _ => document.scalar(*id).is_some_and(|text| text.contains(piece)),
        }),
    }
}

/// Whether a scalar is what the configuration writes: `0`, `"0"` and `0.0` are one number.
fn is(document: &Document, id: NodeId, wanted: &str) -> bool {
    let Some(text) = document.scalar(id) else { return false };
    let number = |text: &str| text.trim().parse::<f64>().ok().filter(|number| number.is_finite());
    let counts = matches!(document.kind(id), Kind::Integer | Kind::Decimal);
    text == wanted || counts && number(&text).is_some_and(|own| number(wanted) == Some(own))
}

/// The beginning of a text of the API.
pub(super) fn beginning(text: &str) -> &str {
    text.get(..text.floor_char_boundary(WORDS)).unwrap_or_default()
}

/// What a body says in words of its own, if it is a message and no page.
pub(super) fn words(document: &Document) -> Option<String> {
    spoken(document, document.root(), 4)
}

fn spoken(document: &Document, id: NodeId, depth: u32) -> Option<String> {
    match document.kind(id) {
        Kind::Plain | Kind::Escaped => document.text(id).map(|text| text.into_owned()),
        Kind::Array if depth > 0 => spoken(document, document.items(id).next()?, depth - 1),
        Kind::Object if depth > 0 => SAID.iter().find_map(|known| {
            let named = |key: NodeId| document.text(key).is_some_and(|key| key.eq_ignore_ascii_case(known));
            let value = document.entries(id).find(|(key, _)| named(*key))?.1;
            spoken(document, value, depth - 1).filter(|text| !text.trim().is_empty())
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Path;

    fn holds_in(body: &str, path: &str, test: BodyTest) -> bool {
        let document = Document::parse(body.as_bytes().to_vec()).unwrap();
        holds(&BodyCondition { path: Path::parse(path).unwrap(), test }, &document)
    }

    #[test]
    fn values_are_compared_as_they_are_written() {
        let body =
            r#"{"code":0,"ok":true,"s":"57","n":null,"tags":["a","b"],"errors":[],"m":"no more data"}"#;
        let equals = |path: &str, value: &str| holds_in(body, path, BodyTest::Equals(value.to_owned()));
        let other = |path: &str, value: &str| holds_in(body, path, BodyTest::NotEquals(value.to_owned()));
        let contains = |path: &str, value: &str| holds_in(body, path, BodyTest::Contains(value.to_owned()));
        let exists = |path: &str| holds_in(body, path, BodyTest::Exists(true));
        assert!(equals("code", "0") && equals("code", "0.0") && equals("s", "57") && equals("ok", "true"));
        assert!(!equals("s", "57.0") && !equals("code", "57") && !equals("n", "null") && !equals("x", "0"));
        assert!(other("s", "0") && !other("code", "0") && !other("n", "0") && !other("x", "0"));
        assert!(contains("m", "more") && contains("tags", "b") && !contains("tags", "c"));
        assert!(exists("code") && exists("errors") && !exists("errors[0]") && !exists("n") && !exists("x"));
        assert!(holds_in(body, "x", BodyTest::Exists(false)) && holds_in(body, "n", BodyTest::Exists(false)));
        assert!(holds_in(body, "s", BodyTest::In(vec!["1".to_owned(), "57".to_owned()])));
        assert!(holds_in(body, "tags[*]", BodyTest::Equals("b".to_owned())));
    }

    #[test]
    fn an_api_says_what_is_wrong_in_its_own_way() {
        for (body, said) in [
            (r#"{"code":57,"message":"You are not authorized"}"#, Some("You are not authorized")),
            (r#"{"REQUEST":[],"RESPONSE":{"ERRORS":["Wrong API key"]}}"#, Some("Wrong API key")),
            (r#"{"error":{"type":"x","message":"No such customer"}}"#, Some("No such customer")),
            (r#"{"errors":[{"detail":"too late"}]}"#, Some("too late")),
            (r#"{"error":"invalid_grant","error_description":"expired"}"#, Some("expired")),
            (r#"{"id":1}"#, None),
            (r#"[{"error":{}}]"#, None),
        ] {
            let document = Document::parse(body.as_bytes().to_vec()).unwrap();
            assert_eq!(words(&document).as_deref(), said, "{body}");
        }
    }
}
