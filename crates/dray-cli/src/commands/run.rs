//! `dray run`: load the resources of a configuration.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use dray::config::diagnostics::closest;
use dray::env::Env;
use dray::error::{Error, ErrorKind, Result};
use dray::plan::{Backfill, Plan};
use dray::report::Report;

use crate::args::{Global, Run};
use crate::execute::{Place, execute, write_report};
use crate::exit::Exit;
use crate::printer::Printer;
use crate::source::{Reading, ready};

/// Loads; `given` are variables that stand above the environment.
pub(crate) fn run(
    args: &Run,
    given: BTreeMap<String, String>,
    global: &Global,
    printer: &Printer,
) -> Result<Exit> {
    let env = Arc::new(Env::system().hiding(printer.scrubber().clone()));
    let reading = Reading { pipeline: args.target.pipeline.as_deref(), given, placeholders: false };
    let mut ready = ready(&args.config, reading, &env, printer)?;
    select(&mut ready.plan, &args.resources)?;
    ready.plan.backfill(&Backfill { since: args.range.since.clone(), until: args.range.until.clone() })?;
    let place = Place::of(&args.target, &ready.pipeline)?;
    if let Some(to) = &args.report {
        check_report(to)?;
    }
    let ended = execute(ready, &place, env, (global, args.go), printer);
    if let Some(to) = &args.report {
        match &ended {
            Ok(report) => write_report(report, to, printer)?,
            Err(error) => write_report(&Report::not_begun(place.location(), error), to, printer)?,
        }
    }
    Ok(Exit::of_status(ended?.status))
}

/// A report that could not be written is refused before the run, not after it.
fn check_report(to: &Path) -> Result<()> {
    match to.parent() {
        Some(folder) if !folder.as_os_str().is_empty() && !folder.is_dir() => {
            Err(Error::new(ErrorKind::Config, "the report's folder does not exist")
                .with("file", to.display()))
        }
        _ => Ok(()),
    }
}

/// Leaves only these resources selected; their parents are read as far as they need them.
pub(crate) fn select(plan: &mut Plan, names: &[String]) -> Result<()> {
    for name in names {
        if !plan.resources.iter().any(|resource| resource.name == *name) {
            let known = plan.resources.iter().map(|resource| resource.name.as_str());
            let hint = match closest(name, known.clone()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("resources: {}", known.collect::<Vec<_>>().join(", ")),
            };
            return Err(Error::new(ErrorKind::Config, format!("no resource `{name}`")).hint(hint));
        }
    }
    for resource in &mut plan.resources {
        resource.selected &= names.is_empty() || names.contains(&resource.name);
        // A resource that is named is meant, also where the file leaves it out.
        resource.selected |= names.contains(&resource.name);
    }
    Ok(())
}
