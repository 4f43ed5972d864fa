//! The command line of dray, callable as a function.
//!
//! Data goes to standard output, talk to standard error, and both only through `Printer`, which takes every
//! known secret out of what it writes.

mod args;
mod commands;
mod execute;
mod exit;
mod logging;
mod printer;
mod progress;
mod source;
mod summary;
mod table;

use std::ffi::OsString;

use clap::Parser;

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
    commands::dispatch(args, &printer)
        .unwrap_or_else(|error| {
            printer.error(&error);
            Exit::of(&error)
        })
        .code()
}
