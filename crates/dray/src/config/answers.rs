//! `response_actions` as written.

use super::model::Located;
use crate::plan::{AnswerAction, BodyTest, Pattern};

/// One of `response_actions`.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the fields carry the names of the keys")]
pub struct ActionConfig {
    /// Status codes, first and last of each range.
    pub status_code: Vec<(u16, u16)>,
    pub content: Option<String>,
    pub header: Vec<(String, Pattern)>,
    pub body: Vec<BodyConfig>,
    /// Its `message_path` is below.
    pub action: AnswerAction,
    pub message_path: Option<Located<String>>,
}

/// One condition of `body`.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the fields carry the names of the keys")]
pub struct BodyConfig {
    pub path: Located<String>,
    pub test: BodyTest,
}
