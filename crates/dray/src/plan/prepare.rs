//! A configuration's way from its file to a plan.

use super::{Note, Plan, compile};
use crate::config::diagnostics::Diagnostics;
use crate::config::load::Loaded;
use crate::config::secrets::Sources;
use crate::config::{dialect, model, read, resolve, set};
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
    let mut diagnostics = Diagnostics::new();
    let mut notes = dialect::Notes::new();
    let mut root = dialect::restructure(loaded.root, &mut notes);
    for assignment in overrides {
        set::apply(&mut root, assignment, &mut diagnostics);
    }
    let mut root = dialect::respell(root, &mut notes);
    let secrets = resolve::resolve(&mut root, sources, &mut diagnostics);
    let config: Option<model::Config> = read(root, &mut diagnostics);
    // A text that could not be resolved is still there as it was written: what follows from it would only confuse.
    let plan = config.as_ref().and_then(|config| compile(config, &mut diagnostics));
    let plan = plan.filter(|_| diagnostics.is_empty()).map(|mut plan| {
        let mut all: Vec<Note> = notes;
        all.append(&mut plan.notes);
        plan.notes = all;
        plan
    });
    let name = config.and_then(|config| config.name).map(|name| name.value);
    Prepared { plan, name, secrets, diagnostics }
}
