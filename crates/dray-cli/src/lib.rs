//! The command line of dray, callable as a function.
//!
//! Data goes to standard output, talk to standard error, and both only through `Printer`, which takes every
//! known secret out of what it writes.

mod args;
mod commands;
mod execute;
mod exit;
mod logging;
mod panics;
mod printer;
mod progress;
mod source;
mod summary;
mod table;

use std::ffi::OsString;

use clap::Parser;
use dray::secret::Secret;

use crate::args::Args;
use crate::exit::Exit;
use crate::printer::Printer;

/// Runs the program with these arguments, the first of which is its name, and gives its exit code.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    let args = match Args::try_parse_from(arguments) {
        Ok(args) => args,
        Err(error) => {
            let printer = Printer::default();
            let text = error.render().to_string();
            return match error.exit_code() {
                0 => printer.out(&text).map_or(Exit::Bug, |()| Exit::Success),
                _ => {
                    printer.err(text.trim_end());
                    Exit::Config
                }
            }
            .code();
        }
    };
    let printer = Printer::new(&args.global);
    logging::start(&args.global, &printer);
    panics::caught(&printer, || {
        commands::dispatch(args, &printer).unwrap_or_else(|error| {
            printer.error(&error);
            Exit::of(&error)
        })
    })
    .code()
}

/// Does some work as the program does it: a panic is told without these secrets, and becomes the exit code of a bug.
pub fn guarded<'a>(secrets: impl IntoIterator<Item = &'a Secret>, work: impl FnOnce() -> u8) -> u8 {
    let printer = Printer::default();
    secrets.into_iter().for_each(|secret| printer.scrubber().add(secret));
    let mut code = None;
    match panics::caught(&printer, || {
        code = Some(work());
        Exit::Success
    }) {
        Exit::Success => code.unwrap_or_default(),
        exit => exit.code(),
    }
}
