//! CONFIG to a plan: a file, or a connector that comes with the program.

use std::collections::BTreeMap;
use std::path::Path;

use dray::config::connectors::{shipped, shipped_all};
use dray::config::diagnostics::{Diagnostics, closest};
use dray::config::load::{
    LoadError, Loaded, read_environment, read_file, read_file_partly, read_secret_files, read_text_as,
    read_text_partly,
};
use dray::config::parse::Format;
use dray::config::secrets::Sources;
use dray::env::Env;
use dray::error::{Error, ErrorKind, Result};
use dray::normalize::normalize_name;
use dray::plan::{Plan, prepare};

use crate::args::Config;
use crate::printer::Printer;

/// What became of a file that was looked for.
type Found<T> = std::result::Result<T, LoadError>;

/// A plan, and what it is called.
#[derive(Debug)]
pub(crate) struct Ready {
    pub(crate) plan: Plan,
    /// The source's name in schema and state; dlt's default.
    pub(crate) source: String,
    /// The pipeline's name, unless another is given.
    pub(crate) pipeline: String,
}

/// The pipeline's name for a configuration: the file's name without its ending.
pub(crate) fn pipeline_name(config: &str) -> String {
    let stem = Path::new(config)
        .file_stem()
        .map_or_else(|| config.into(), |stem| stem.to_string_lossy().into_owned());
    normalize_name(&stem)
}

/// How a configuration is read, apart from what it says itself.
#[derive(Debug, Default)]
pub(crate) struct Reading<'a> {
    /// The pipeline's name, if it is given.
    pub(crate) pipeline: Option<&'a str>,
    /// Variables that stand above the environment.
    pub(crate) given: BTreeMap<String, String>,
    /// Missing secrets are only noted: the plan is shown and not run.
    pub(crate) placeholders: bool,
}

/// Reads CONFIG to a plan. What is wrong with it has been printed when this fails.
pub(crate) fn ready(config: &Config, reading: Reading<'_>, env: &Env, printer: &Printer) -> Result<Ready> {
    let loaded = load(&config.config, printer)?;
    let pipeline = reading.pipeline.map_or_else(|| pipeline_name(&config.config), str::to_owned);
    let folder = Path::new(".");
    let files = read_secret_files(folder).map_err(|error| refused(error, printer))?;
    let mut environment = read_environment();
    environment.extend(reading.given);
    let placeholders = reading.placeholders;
    let sources =
        Sources { environment, files, pipeline: Some(pipeline.clone()), now: env.now(), placeholders };
    let (file, source_text) = (loaded.file.clone(), loaded.source_text.clone());
    let prepared = prepare(loaded, &config.set, &sources);
    for secret in &prepared.secrets {
        printer.scrubber().add(secret);
    }
    for secret in prepared.plan.iter().flat_map(Plan::secrets) {
        printer.scrubber().add(&secret);
    }
    match prepared.plan {
        Some(plan) => {
            for note in prepared.diagnostics.notes() {
                printer.talk(&format!("note: {note}"));
                if let Some(hint) = &note.hint {
                    printer.talk(&format!("      {hint}"));
                }
            }
            Ok(Ready { plan, source: prepared.name.unwrap_or_else(|| "rest_api".to_owned()), pipeline })
        }
        None => {
            printer.err(prepared.diagnostics.render(&file, &source_text).trim_end());
            Err(problems(prepared.diagnostics.len(), &file))
        }
    }
}

fn problems(count: usize, file: &str) -> Error {
    let text = if count == 1 { "1 problem".to_owned() } else { format!("{count} problems") };
    Error::new(ErrorKind::Config, format!("{text} in {file}"))
}

fn load(config: &str, printer: &Printer) -> Result<Loaded> {
    find(config, read_file, read_text_as)?.map_err(|error| refused(error, printer))
}

/// Reads CONFIG as far as it can be read, and what was left out of it.
pub(crate) fn load_partly(config: &str, printer: &Printer) -> Result<(Loaded, Diagnostics)> {
    find(config, read_file_partly, read_text_partly)?.map_err(|error| refused(error, printer))
}

/// Reads the file or the connector of this name.
fn find<T>(
    config: &str,
    file: fn(&Path) -> Found<T>,
    text: fn(String, String, Format) -> Found<T>,
) -> Result<Found<T>> {
    let path = Path::new(config);
    Ok(match shipped(config) {
        Some(shipped) if !path.exists() => {
            text(format!("connector {config}"), shipped.to_owned(), Format::Yaml)
        }
        _ if !path.exists() && Format::of_file(config).is_none() => {
            let names: Vec<&str> = shipped_all().iter().map(|(name, _)| *name).collect();
            let hint = match closest(config, names.iter().copied()) {
                Some(near) => format!("did you mean the connector `{near}`?"),
                None => format!("shipped connectors: {}", names.join(", ")),
            };
            return Err(
                Error::new(ErrorKind::Config, format!("no file and no connector `{config}`")).hint(hint)
            );
        }
        _ => file(path),
    })
}

/// A file that cannot be read; what is wrong inside it is printed.
fn refused(error: LoadError, printer: &Printer) -> Error {
    if let LoadError::Invalid { file, source_text, diagnostics } = &error {
        printer.err(diagnostics.render(file, source_text).trim_end());
        return problems(diagnostics.len(), file);
    }
    Error::new(ErrorKind::Config, "cannot use the configuration").caused_by(error)
}
