//! A configuration of all lists of an API, from its OpenAPI description.

use std::path::Path;

use dray::config::diagnostics::Diagnostics;
use dray::config::load::read_text;
use dray::config::node::Node;
use dray::config::parse::{Format, parse};
use dray::config::write::Comments;
use dray::error::{Error, ErrorKind, Result};
use dray::plan::openapi;
use dray::plan::propose::Draft;
use serde_json::{Value as Json, json};

use super::address;
use super::asked::Asked;
use super::auth::{auth, header};
use crate::args::Init;
use crate::printer::Printer;

pub(super) fn configuration(args: &Init, from: &str, printer: &Printer) -> Result<(Node, Comments)> {
    let url = address(from);
    let text = match &url {
        Some(url) => {
            let (base_url, mut draft) = Draft::of_url(url);
            draft.paginator = vec![("type", json!("single_page"))];
            let mut asked = Asked::new(base_url, printer)?;
            asked.headers = args.headers.iter().map(|written| header(written)).collect::<Result<_>>()?;
            asked.auth = args.auth.as_deref().map(auth).transpose()?;
            String::from_utf8_lossy(&asked.first(&draft, true)?.body).into_owned()
        }
        None => read_text(Path::new(from))
            .map_err(|error| Error::new(ErrorKind::Config, "cannot read the description").caused_by(error))?,
    };
    openapi::configuration(&description(&text, from, printer)?, url.as_ref())
}

/// A description in JSON or YAML.
fn description(text: &str, from: &str, printer: &Printer) -> Result<Json> {
    let refused =
        || Error::new(ErrorKind::Config, "the description is neither JSON nor YAML").with("file", from);
    if text.trim_start_matches('\u{feff}').trim_start().starts_with('{') {
        return serde_json::from_str(text).map_err(|error| refused().caused_by(error));
    }
    let mut diagnostics = Diagnostics::new();
    parse(text, Format::Yaml, &mut diagnostics).map(|node| node.to_json()).ok_or_else(|| {
        printer.err(diagnostics.render(from, text).trim_end());
        refused()
    })
}
