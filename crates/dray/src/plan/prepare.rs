//! A configuration's way from its file to a plan.

use jiff::Timestamp;
use xxhash_rust::xxh3::xxh3_128;

use super::{Plan, compile};
use crate::config::diagnostics::Diagnostics;
use crate::config::literals::literals;
use crate::config::load::Loaded;
use crate::config::secrets::Sources;
use crate::config::{dialect, each, read, resolve, set};
use crate::secret::Secret;

/// What became of a file.
#[derive(Debug)]
pub struct Prepared {
    /// The plan; none where there are problems.
    pub plan: Option<Plan>,
    /// The source's name, if the file gives one.
    pub name: Option<String>,
    /// Every secret that was read, for a [`crate::secret::Scrubber`].
    pub secrets: Vec<Secret>,
    /// Everything that is wrong with the file.
    pub diagnostics: Diagnostics,
}

/// Reads a file's tree into a plan: loose shapes first, then what is overridden (`--set`), loose spellings, templates and
/// secrets, the typed configuration, the plan.
#[must_use]
pub fn prepare(loaded: Loaded, overrides: &[String], sources: &Sources) -> Prepared {
    // Under another clock only what depends on the clock differs.
    let still = Sources { now: Timestamp::UNIX_EPOCH, ..sources.clone() };
    let timeless = prepare_once(loaded.clone(), overrides, &still);
    let mut prepared = prepare_once(loaded, overrides, sources);
    if let (Some(plan), Some(timeless)) = (&mut prepared.plan, timeless.plan) {
        for resource in &mut plan.resources {
            // A `when` may ask the clock: what another clock leaves out has no such digest, and starts over.
            if let Some(index) = timeless.resources.iter().position(|other| other.name == resource.name) {
                resource.fingerprint = fingerprint(&timeless, index);
            }
        }
    }
    prepared
}

/// Digest of what a plan says of a resource: what is asked, how pages and records are found, and how rows are loaded. Where
/// the API is and what the secrets are may change between runs.
fn fingerprint(plan: &Plan, index: usize) -> String {
    let Some(resource) = plan.resources.get(index) else { return String::new() };
    let parent = resource.parent.as_ref().and_then(|parent| {
        let above = &plan.resources.get(parent.resource)?.name;
        Some((above, &parent.fields, &parent.include, &parent.filter, &parent.batch))
    });
    let text = format!(
        "{:?}",
        (
            (&resource.request, &resource.paging, &resource.selector, &resource.expand, parent),
            (&resource.incremental, &resource.answers, &resource.load, &resource.each, &resource.transform),
        )
    );
    format!("{:032x}", xxh3_128(text.as_bytes()))
}

fn prepare_once(loaded: Loaded, overrides: &[String], sources: &Sources) -> Prepared {
    let mut diagnostics = Diagnostics::new();
    let mut notes = dialect::Notes::new();
    let mut root = dialect::restructure(loaded.root, &mut notes);
    for assignment in overrides {
        set::apply(&mut root, assignment, &mut diagnostics);
    }
    let mut root = dialect::respell(root, &mut notes);
    each::read_in(&mut root, &loaded.lists, &mut diagnostics);
    let mut secrets = literals(&root);
    secrets.extend(resolve::resolve(&mut root, sources, &mut diagnostics));
    let config = read(&root, notes, &mut diagnostics);
    // A text that could not be resolved is still there as it was written: what follows from it would only confuse.
    let plan = compile(&config, &mut diagnostics).filter(|_| diagnostics.is_empty());
    let name = config.name.map(|name| name.value);
    Prepared { plan, name, secrets, diagnostics }
}
