//! How answers are read and judged, decided (`response_actions`).

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use super::FormatPlan;
use crate::json::Path;

/// How the answers of a resource are read and judged.
#[derive(Debug, Clone, Default)]
pub struct AnswerPlan {
    /// The endpoint's rules, then the client's; the first that fits an answer counts.
    pub rules: Arc<[AnswerRule]>,
    /// What their bodies are written in.
    pub format: Arc<FormatPlan>,
}

/// One of `response_actions`: what is done with an answer for which every condition holds.
#[derive(Debug, Clone)]
pub struct AnswerRule {
    /// Its status is in one of these; empty: any.
    pub statuses: Vec<RangeInclusive<u16>>,
    /// A piece of its body.
    pub content: Option<String>,
    /// Headers that it has, with their values.
    pub headers: Vec<(String, Pattern)>,
    /// Values in its body, which is then JSON.
    pub body: Vec<BodyCondition>,
    /// What is done.
    pub action: AnswerAction,
}

/// What is done with an answer.
#[derive(Debug, Clone, PartialEq)]
pub enum AnswerAction {
    /// It means no records; counted.
    Ignore,
    /// It means no records, and is counted under this reason.
    Skip {
        /// In the report's words; none: the status.
        reason: Option<String>,
    },
    /// It is the list's last.
    End,
    /// The request is sent again, within `client.retry.max_retries`.
    Retry {
        /// After this time; none: as the server says, or as any other retry.
        delay: Option<Duration>,
    },
    /// The token is renewed and the request sent again, once.
    RefreshAuth,
    /// The resource fails.
    Fail {
        /// What is said.
        message: Option<String>,
        /// Where the API's own words are in the body.
        words: Option<Path>,
    },
}

impl AnswerAction {
    /// The word of the configuration.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Ignore => "ignore",
            Self::Skip { .. } => "skip",
            Self::End => "end",
            Self::Retry { .. } => "retry",
            Self::RefreshAuth => "refresh_auth",
            Self::Fail { .. } => "fail",
        }
    }
}

/// Something that must hold of the body.
#[derive(Debug, Clone)]
pub struct BodyCondition {
    /// Where; of several matches one must pass the test.
    pub path: Path,
    /// What is asked of the value there.
    pub test: BodyTest,
}

/// What is asked of a value. Values are compared as text, numbers as numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BodyTest {
    /// It is this.
    Equals(String),
    /// It is there and something else.
    NotEquals(String),
    /// It is one of these.
    In(Vec<String>),
    /// It is a text with this piece, or a list with this item.
    Contains(String),
    /// It is there and not null; or it is not.
    Exists(bool),
}

/// A text with `*` for anything, compared without regard to ASCII case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern(pub String);

impl Pattern {
    /// Whether all of the text is what the pattern says.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        let (pattern, text) = (self.0.to_ascii_lowercase(), text.to_ascii_lowercase());
        let mut pieces = pattern.split('*');
        let Some(mut rest) = text.strip_prefix(pieces.next().unwrap_or_default()) else { return false };
        let mut pieces: Vec<&str> = pieces.collect();
        let Some(last) = pieces.pop() else { return rest.is_empty() };
        for piece in pieces {
            match rest.split_once(piece) {
                Some((_, after)) => rest = after,
                None => return false,
            }
        }
        rest.ends_with(last)
    }
}

impl AnswerRule {
    /// The rule in words, for `dray plan`.
    #[must_use]
    pub fn in_words(&self) -> String {
        let mut when = Vec::new();
        if !self.statuses.is_empty() {
            let each = self.statuses.iter().map(|range| match (range.start(), range.end()) {
                (one, other) if one == other => one.to_string(),
                (from, to) => format!("{from}-{to}"),
            });
            when.push(format!("status {}", each.collect::<Vec<_>>().join(", ")));
        }
        when.extend(self.content.iter().map(|piece| format!("\"{piece}\" in the body")));
        when.extend(self.headers.iter().map(|(name, value)| format!("header {name}: {}", value.0)));
        when.extend(self.body.iter().map(|condition| {
            let path = &condition.path;
            match &condition.test {
                BodyTest::Equals(value) => format!("{path} equal to {value}"),
                BodyTest::NotEquals(value) => format!("{path} other than {value}"),
                BodyTest::In(values) => format!("{path} one of {}", values.join(", ")),
                BodyTest::Contains(piece) => format!("{path} with {piece}"),
                BodyTest::Exists(true) => format!("{path} present"),
                BodyTest::Exists(false) => format!("{path} missing"),
            }
        }));
        let done = match &self.action {
            AnswerAction::Ignore => "no records".to_owned(),
            AnswerAction::Skip { reason: None } => "no records, counted as skipped".to_owned(),
            AnswerAction::Skip { reason: Some(reason) } => format!("no records, counted as \"{reason}\""),
            AnswerAction::End => "the end of the list".to_owned(),
            AnswerAction::Retry { delay: None } => "asked again".to_owned(),
            AnswerAction::Retry { delay: Some(delay) } => format!("asked again after {delay:?}"),
            AnswerAction::RefreshAuth => "asked again with a new token, once".to_owned(),
            AnswerAction::Fail { message: None, .. } => "the resource fails".to_owned(),
            AnswerAction::Fail { message: Some(message), .. } => format!("fails: {message}"),
        };
        format!("{}: {done}", when.join(" and "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_anything() {
        let matches = |pattern: &str, text: &str| Pattern(pattern.to_owned()).matches(text);
        assert!(matches("application/json", "Application/JSON"));
        assert!(matches("text/*", "text/html; charset=utf-8") && matches("*html*", "text/html; x"));
        assert!(matches("*", "") && matches("a*b*c", "a-b-b-c"));
        assert!(!matches("json", "application/json") && !matches("a*b", "a") && !matches("ab*ba", "aba"));
        assert!(!matches("", "x") && matches("", ""));
    }
}
