//! `dray init`: a configuration from what an API shows of itself, to be looked through and run.

mod asked;
mod auth;
mod from_openapi;
mod from_url;

use dray::config::node::Node;
use dray::config::write::{Comments, yaml};
use dray::error::{Error, ErrorKind, Result};
use dray::plan::{Caution, move_secrets};
use url::Url;

use super::convert::write;
use crate::args::Init;
use crate::exit::Exit;
use crate::printer::Printer;

/// Editors with a YAML language server complete and check keys by it (`dray keys --json-schema` writes it).
const SCHEMA: &str = "yaml-language-server: $schema=dray.schema.json";

/// Looks at the API, and writes the configuration.
pub(crate) fn init(args: &Init, printer: &Printer) -> Result<Exit> {
    let (tree, mut comments) = match &args.openapi {
        Some(description) => from_openapi::configuration(args, description, printer)?,
        None => {
            let url = args.url.as_deref().and_then(address).ok_or_else(|| {
                Error::new(ErrorKind::Config, "the address of a list is needed")
                    .hint("as in dray init https://api.example.com/v1/orders")
            })?;
            from_url::configuration(args, &url, printer)?
        }
    };
    comments.first(SCHEMA);
    finish(tree, comments, args, printer)
}

/// A text as an address, if it is one.
fn address(text: &str) -> Option<Url> {
    Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"))
}

/// Writes a tree. What was given in clear on the command line does not get into the file.
fn finish(mut tree: Node, mut comments: Comments, args: &Init, printer: &Printer) -> Result<Exit> {
    for (secret, path) in move_secrets(&mut tree, Caution::AllHeaders) {
        let upper = secret.to_uppercase();
        comments.add(
            path,
            &format!("Set it as `{secret}` in .dray/secrets.toml, or in the environment as {upper}."),
        );
        printer.talk(&format!("the secret `{secret}` is not in the file: set {upper}"));
    }
    write(args.output.as_deref(), &yaml(&tree, &comments), printer)?;
    Ok(Exit::Success)
}
