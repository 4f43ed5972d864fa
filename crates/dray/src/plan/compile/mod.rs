//! `Config` to `Plan`: what the file leaves out is filled in, what it cannot mean is refused.

mod answers;
mod auth;
mod bind;
mod client;
mod complete;
mod defaults;
mod each;
mod format;
mod holes;
mod incremental;
mod lineage;
mod order;
mod paging;
mod parents;
mod placed;
mod request;
mod resource;
mod retention;
mod steps;
mod tables;
#[cfg(test)]
mod tests;
mod token;

use super::{Note, Plan};
use crate::config::diagnostics::Diagnostics;
use crate::config::model::{Config, Spot};

/// The limits of a configuration that names none.
#[cfg(test)]
pub(super) fn default_limits() -> super::Limits {
    defaults::limits()
}

/// Decides everything that a run does; none if a problem was added to `diagnostics`.
pub fn compile(config: &Config, diagnostics: &mut Diagnostics) -> Option<Plan> {
    let before = diagnostics.len();
    let mut notes = config.notes.clone();
    let mut problems = Problems { diagnostics, notes: &mut notes, resource: None };
    for name in &config.left_out {
        problems.resource = Some(name.clone());
        problems.note("left out by `when`");
    }
    problems.resource = None;
    let merged: Vec<_> = config
        .resources
        .iter()
        .map(|resource| defaults::merged(config.resource_defaults.as_ref(), resource))
        .collect();
    let mut client = client::compile(&config.client, &merged, &mut problems);
    // Once: its problems are not those of every resource.
    let written = config.client.auth.as_ref();
    let base = client.as_ref().map(|client| client.base_url.clone());
    let mut auth = auth::auth(written, base.as_ref(), &mut problems);
    if let Some(client) = &mut client {
        auth = client::user_part(client, written, auth, &mut problems);
    }
    let rules = answers::compile(&config.client.response_actions, &mut problems);
    let shared = resource::Shared { config, client: client.as_ref(), auth, rules };
    let mut drafts = resource::compile_all(&shared, &merged, &mut problems);
    lineage::hand_down(&mut drafts, &mut problems);
    tables::settle(&mut drafts, &merged, &mut problems);
    retention::check(&drafts, &merged, &mut problems);
    let resources = order::ordered(drafts, &mut problems);
    if diagnostics.len() > before {
        return None;
    }
    Some(Plan { client: client?, resources, notes: grouped(notes) })
}

/// One note in the place of the same note on many resources.
fn grouped(notes: Vec<Note>) -> Vec<Note> {
    let mut grouped: Vec<(String, Vec<String>)> = Vec::new();
    for note in notes {
        match grouped.iter_mut().find(|(text, _)| *text == note.text) {
            Some((_, resources)) => resources.extend(note.resource),
            None => grouped.push((note.text, note.resource.into_iter().collect())),
        }
    }
    grouped
        .into_iter()
        .map(|(text, mut resources)| match resources.len() {
            0 | 1 => Note { resource: resources.pop(), text },
            count => {
                let first: Vec<&str> = resources.iter().take(3).map(String::as_str).collect();
                let more = if count > 3 { format!(" and {} more", count - 3) } else { String::new() };
                Note { resource: None, text: format!("{text} ({}{more})", first.join(", ")) }
            }
        })
        .collect()
}

/// Where the parts of the compiler put what they find.
struct Problems<'a> {
    diagnostics: &'a mut Diagnostics,
    notes: &'a mut Vec<Note>,
    /// The resource that is being compiled.
    resource: Option<String>,
}

impl Problems<'_> {
    fn add(&mut self, at: &Spot, message: impl Into<String>) {
        self.diagnostics.push(at.path.clone(), at.place, message.into());
    }

    fn add_with_hint(&mut self, at: &Spot, message: impl Into<String>, hint: impl Into<String>) {
        self.diagnostics.push(at.path.clone(), at.place, message.into()).hint(hint.into());
    }

    fn note(&mut self, text: impl Into<String>) {
        self.notes.push(Note { resource: self.resource.clone(), text: text.into() });
    }

    /// A JSONPath, or a complaint.
    fn path(&mut self, written: &str, at: &Spot) -> Option<crate::json::Path> {
        match crate::json::Path::parse(written) {
            Ok(path) => Some(path),
            // One key with a space in it: `Date Submitted`.
            Err(_) if !written.contains(['.', '[', ']', '*', '?', '@', '$', '(', '\'', '"']) => {
                Some(crate::json::Path::key(written))
            }
            Err(error) => {
                self.add(at, error.to_string());
                None
            }
        }
    }
}
