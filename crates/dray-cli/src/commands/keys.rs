//! `dray keys`: every key of a configuration.

use dray::config::keys::{json_schema, reference};
use dray::error::Result;

use crate::args::Keys;
use crate::exit::Exit;
use crate::printer::Printer;

/// Prints the reference as Markdown, or as JSON Schema.
pub(crate) fn keys(args: Keys, printer: &Printer) -> Result<Exit> {
    if args.json_schema {
        printer.out(&format!("{:#}\n", json_schema()))?;
    } else {
        printer.out(&reference())?;
    }
    Ok(Exit::Success)
}
