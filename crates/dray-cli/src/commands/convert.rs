//! `dray convert`: a configuration of any accepted form, written anew as YAML. Offline.

use std::fs::OpenOptions;
use std::io::{ErrorKind as IoKind, Write};
use std::path::Path;

use dray::error::{Error, ErrorKind, Result};
use dray::plan;

use crate::args::Convert;
use crate::exit::Exit;
use crate::printer::Printer;
use crate::source::load_partly;

/// Writes the YAML. What could not be read is marked in it and said, and makes the exit code 1.
pub(crate) fn convert(args: &Convert, printer: &Printer) -> Result<Exit> {
    let (loaded, problems) = load_partly(&args.config, printer)?;
    let (file, source_text) = (loaded.file.clone(), loaded.source_text.clone());
    let converted = plan::convert(loaded, &problems);
    for secret in &converted.secrets {
        printer.scrubber().add(secret);
    }
    write(args.output.as_deref(), &converted.yaml, printer)?;
    if !converted.moved.is_empty() {
        let names = converted.moved.join(", ");
        printer.talk(&format!("secrets that stood in the file are looked up now: set {names}"));
    }
    if converted.left_out.is_empty() {
        return Ok(Exit::Success);
    }
    printer.err(converted.left_out.render(&file, &source_text).trim_end());
    let count = converted.left_out.len();
    let parts = if count == 1 { "1 part is".to_owned() } else { format!("{count} parts are") };
    printer.err(&format!("{parts} not converted: look for NOT CONVERTED in what was written"));
    Ok(Exit::Failure)
}

/// Writes a configuration to a file that is not there yet, or to standard output.
pub(super) fn write(to: Option<&Path>, text: &str, printer: &Printer) -> Result<()> {
    let Some(to) = to.filter(|to| *to != Path::new("-")) else { return printer.out(text) };
    let failed = |error: std::io::Error| {
        let there = error.kind() == IoKind::AlreadyExists;
        let failed =
            Error::new(ErrorKind::Config, "cannot write the configuration").with("file", to.display());
        let failed = failed.caused_by(error);
        if there {
            failed.hint("name another file with -o, or remove this one: nothing is overwritten")
        } else {
            failed
        }
    };
    let mut file = OpenOptions::new().write(true).create_new(true).open(to).map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)?;
    printer.talk(&format!("written to {}", to.display()));
    Ok(())
}
