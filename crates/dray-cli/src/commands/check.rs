//! `dray check` and `dray plan`: what is wrong, and what would be done. Both offline.

use dray::env::Env;
use dray::error::Result;
use dray::plan::explain;

use crate::args::Config;
use crate::exit::Exit;
use crate::printer::Printer;
use crate::source::{Reading, ready};

/// Prints every problem of a configuration.
pub(crate) fn check(config: &Config, printer: &Printer) -> Result<Exit> {
    let ready = ready(config, Reading::default(), &Env::system(), printer)?;
    printer.talk(&match ready.plan.resources.len() {
        1 => "no problems: 1 resource".to_owned(),
        count => format!("no problems: {count} resources"),
    });
    Ok(Exit::Success)
}

/// Prints what will be asked, in order, and how loose spellings were read. Needs no secrets.
pub(crate) fn plan(config: &Config, printer: &Printer) -> Result<Exit> {
    let reading = Reading { placeholders: true, ..Reading::default() };
    let ready = ready(config, reading, &Env::system(), printer)?;
    printer.out(&explain(&ready.plan))?;
    Ok(Exit::Success)
}
