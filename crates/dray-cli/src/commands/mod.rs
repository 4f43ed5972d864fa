//! One file a command.

mod check;
mod convert;
mod demo;
mod init;
mod keys;
mod look;
mod preview;
mod run;

use std::collections::BTreeMap;

use dray::error::Result;

use crate::args::{Args, Command};
use crate::exit::Exit;
use crate::printer::Printer;

/// Runs the command that was asked for.
pub(crate) fn dispatch(args: Args, printer: &Printer) -> Result<Exit> {
    let global = args.global;
    match args.command {
        Command::Run(args) => run::run(&args, BTreeMap::new(), &global, printer),
        Command::Check(config) => check::check(&config, printer),
        Command::Plan(config) => check::plan(&config, printer),
        Command::Init(args) => init::init(&args, printer),
        Command::Convert(args) => convert::convert(&args, printer),
        Command::Keys(args) => keys::keys(args, printer),
        Command::Preview(args) => preview::preview(&args, printer),
        Command::Schema(args) => look::schema(&args, printer),
        Command::State(args) => look::state(&args, printer),
        Command::Loads(args) => look::loads(&args, printer),
        Command::Demo(args) => demo::demo(&args, &global, printer),
    }
}
