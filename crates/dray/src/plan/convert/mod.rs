//! A configuration of any accepted spelling, written anew in the one that dray shows: `dray convert`.
//!
//! What cannot be read is left out and marked, so that the rest of a long file need not be copied by hand.

mod paths;
mod secrets;

pub use secrets::{Caution, move_secrets};

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::{Note, compile};
use crate::config::diagnostics::{Diagnostic, Diagnostics};
use crate::config::lists::Lists;
use crate::config::literals::literals;
use crate::config::load::Loaded;
use crate::config::node::Node;
use crate::config::resolve::resolve;
use crate::config::secrets::Sources;
use crate::config::write::{Comments, yaml};
use crate::config::{dialect, each, read};
use crate::secret::Secret;
use paths::Paths;

/// Every round takes at least one entry out; no file has so many wrong ones.
const MAX_ROUNDS: usize = 100;
/// Names of resources that a reading of many of them lists.
const LISTED: usize = 5;

/// What became of a file.
#[derive(Debug)]
pub struct Converted {
    /// The configuration as YAML.
    pub yaml: String,
    /// What could not be read, each of which is marked in the YAML.
    pub left_out: Diagnostics,
    /// Secrets that stood in the file in clear: the YAML looks them up by these names.
    pub moved: Vec<String>,
    /// Their values and others that the file holds, for a [`crate::secret::Scrubber`].
    pub secrets: Vec<Secret>,
}

/// Writes a file anew. `problems` are those that were found when it was read as far as it can be
/// ([`crate::config::load::read_file_partly`]).
#[must_use]
pub fn convert(loaded: Loaded, problems: &Diagnostics) -> Converted {
    let mut root = loaded.root;
    let paths = Paths::closing_gaps(&mut root);
    let mut notes = dialect::Notes::new();
    let mut root = dialect::respell(dialect::restructure(root, &mut notes), &mut notes);
    let found = literals(&root);
    let moved = move_secrets(&mut root, Caution::ByName);
    let mut unread = Vec::new();
    for problem in problems.iter() {
        take_over(problem, paths.now(&problem.path), &mut unread);
    }
    let needs = take_out_wrong(&mut root, &notes, &loaded.lists, &mut unread);

    let mut comments = Comments::default();
    let name = loaded.file.rsplit(['/', '\\']).next().unwrap_or(&loaded.file).to_owned();
    comments.add("", &format!("Converted from {name}."));
    readings(&root, &notes, &mut comments);
    for note in &loaded.notes {
        comments.add("", &note.to_string());
    }
    if !needs.is_empty() {
        let needs: Vec<&str> = needs.iter().map(String::as_str).collect();
        comments.add("", &format!("Looked up when it is read: {}.", needs.join(", ")));
    }
    for (secret, path) in &moved {
        comments.add(path, &format!("The file held this secret in clear. Set it as `{secret}` in .dray/secrets.toml, or in the environment as {}.", secret.to_uppercase()));
    }
    let mut left_out = Diagnostics::new();
    for Unread { problem, at } in &unread {
        let mut line = format!("NOT CONVERTED: {problem}");
        if let Some(hint) = &problem.hint {
            line.push_str("; ");
            line.push_str(hint);
        }
        comments.add(paths::above(at, &root), &line);
        left_out
            .push(problem.path.clone(), problem.place, problem.message.clone())
            .hint
            .clone_from(&problem.hint);
    }
    let yaml = yaml(&root, &comments);
    Converted { yaml, left_out, moved: moved.into_iter().map(|(name, _)| name).collect(), secrets: found }
}

/// A part of the file that could not be read.
struct Unread {
    problem: Diagnostic,
    /// Its path in the tree that is written.
    at: String,
}

/// Keeps a problem, unless it only follows from another: of what is left of a value that could not be read as a whole.
fn take_over(problem: &Diagnostic, at: String, unread: &mut Vec<Unread>) {
    let follows = |known: &Unread| {
        known.at.strip_prefix(&at).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
            && !paths::is_needed(&at)
    };
    let same =
        |known: &Unread| known.problem.place == problem.place && known.problem.message == problem.message;
    if !unread.iter().any(|known| follows(known) || same(known)) {
        unread.push(Unread { problem: problem.clone(), at });
    }
}

/// Takes out every entry that is wrong, until the rest is right or wrong as a whole. The answer is what has to be set for
/// the file to be read.
fn take_out_wrong(
    root: &mut Node,
    notes: &[Note],
    lists: &Lists,
    unread: &mut Vec<Unread>,
) -> BTreeSet<String> {
    let mut needs = BTreeSet::new();
    for _ in 0..MAX_ROUNDS {
        let problems = check(root, notes, lists, &mut needs);
        let mut changed = false;
        for problem in &problems {
            take_over(problem, problem.path.clone(), unread);
            // Resources that are written out for every item have other places.
            changed |= !paths::are_written_out(root) && paths::remove(root, &problem.path);
        }
        if !changed {
            break;
        }
    }
    needs
}

/// The problems of a tree, but for values that are only not set here and now.
fn check(root: &Node, notes: &[Note], lists: &Lists, needs: &mut BTreeSet<String>) -> Vec<Diagnostic> {
    let mut sources = Sources::new(Timestamp::UNIX_EPOCH);
    sources.placeholders = true;
    let mut unset = Diagnostics::new();
    let mut tree = root.clone();
    each::read_in(&mut tree, lists, &mut unset);
    resolve(&mut tree, &sources, &mut unset);
    let mut problems = Diagnostics::new();
    let config = read(&tree, notes.to_vec(), &mut problems);
    // A plan of it is not wanted, only what is wrong with it.
    drop(compile(&config, &mut problems));
    let mut found = Vec::new();
    let mut open = BTreeSet::new();
    for said in unset.iter().chain(unset.notes()) {
        match said.message.strip_suffix(" is not set") {
            Some(what) => {
                needs.insert(what.to_owned());
                open.insert(said.path.as_str());
            }
            None => found.push(said.clone()),
        }
    }
    // A value is reported once, and may stand in several places.
    let unresolved = paths::with_templates(&tree);
    for problem in problems.iter() {
        if !open.contains(problem.path.as_str()) && !unresolved.contains(&problem.path) {
            found.push(problem.clone());
        }
    }
    found
}

/// How loose spellings were read: above the resource, or on top if it is the same for several.
fn readings(root: &Node, notes: &[Note], comments: &mut Comments) {
    let mut by_text: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for note in notes {
        by_text.entry(&note.text).or_default().extend(note.resource.as_deref());
    }
    let mut said = BTreeSet::new();
    for note in notes {
        let of = by_text.get(note.text.as_str()).map_or(&[][..], Vec::as_slice);
        if let [only] = of
            && let Some(path) = paths::resource(root, only)
        {
            comments.add(path, &format!("Read: {}.", note.text));
        } else if said.insert(&note.text) {
            let mut text = format!("Read: {}", note.text);
            if !of.is_empty() {
                let more = if of.len() > LISTED {
                    format!(" and {} more", of.len() - LISTED)
                } else {
                    String::new()
                };
                let names: Vec<&str> = of.iter().take(LISTED).copied().collect();
                text.push_str(&format!(" ({}{more})", names.join(", ")));
            }
            comments.add("", &format!("{text}."));
        }
    }
}

#[cfg(test)]
mod tests;
