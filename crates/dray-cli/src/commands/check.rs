//! `dray check` and `dray plan`: what is wrong, and what would be done. Both offline.

use std::collections::BTreeMap;

use dray::env::Env;
use dray::error::Result;
use dray::plan::explain;

use crate::args::Config;
use crate::exit::Exit;
use crate::printer::Printer;
use crate::source::ready;

/// Prints every problem of a configuration.
pub(crate) fn check(config: &Config, printer: &Printer) -> Result<Exit> {
    let ready = ready(config, None, BTreeMap::new(), &Env::system(), printer)?;
    printer.err(&format!("no problems: {} resources", ready.plan.resources.len()));
    Ok(Exit::Success)
}

/// Prints what will be asked, in order, and how loose spellings were read.
pub(crate) fn plan(config: &Config, printer: &Printer) -> Result<Exit> {
    let ready = ready(config, None, BTreeMap::new(), &Env::system(), printer)?;
    printer.out(&explain(&ready.plan))?;
    Ok(Exit::Success)
}
