//! Rules for answers (`response_actions`).

use super::Problems;
use crate::config::answers::ActionConfig;
use crate::plan::{AnswerAction, AnswerRule, BodyCondition};

/// The rules of an endpoint, or of the client.
pub(super) fn compile(actions: &[ActionConfig], problems: &mut Problems<'_>) -> Option<Vec<AnswerRule>> {
    let mut rules = Vec::new();
    for action in actions {
        rules.push(rule(action, problems));
    }
    rules.into_iter().collect()
}

fn rule(action: &ActionConfig, problems: &mut Problems<'_>) -> Option<AnswerRule> {
    let mut body = Vec::new();
    for condition in &action.body {
        let path = problems.path(&condition.path.value, &condition.path.at);
        body.push(path.map(|path| BodyCondition { path, test: condition.test.clone() }));
    }
    let words = match &action.message_path {
        Some(path) => Some(problems.path(&path.value, &path.at)?),
        None => None,
    };
    let done = match &action.action {
        AnswerAction::Fail { message, .. } => AnswerAction::Fail { message: message.clone(), words },
        other => other.clone(),
    };
    Some(AnswerRule {
        statuses: action.status_code.iter().map(|(from, to)| *from..=*to).collect(),
        content: action.content.clone(),
        headers: action.header.clone(),
        body: body.into_iter().collect::<Option<_>>()?,
        action: done,
    })
}
