//! The command line, as typed.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};
use dray::config::parse_duration;

/// Hauls data from REST APIs into databases: one file describes an API, `dray run` loads it.
#[derive(Debug, Parser)]
#[command(name = "dray", version, disable_help_subcommand = true)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options of every command.
#[derive(Debug, ClapArgs)]
pub(crate) struct Global {
    /// Only problems and what was asked for
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
    /// More detail; twice for all of it
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    /// How log lines are written
    #[arg(long, global = true, value_enum, default_value = "text")]
    pub(crate) log_format: LogFormat,
}

/// How log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    Text,
    Json,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Load the resources of a configuration into a database
    Run(Run),
    /// Find every problem of a configuration, offline
    Check(Config),
    /// Show what will be asked, in order
    Plan(Config),
    /// Write a configuration from what an API shows of itself
    Init(Init),
    /// Write a configuration of any accepted form anew, as YAML
    Convert(Convert),
    /// Show every key of a configuration: what it takes, its default, its meaning
    Keys(Keys),
    /// Show a few records of a resource, write nothing
    Preview(Preview),
    /// Show the tables and columns of a dataset
    Schema(Look),
    /// Show the stored cursors of a pipeline
    State(Look),
    /// Show the loads of a dataset
    Loads(Look),
    /// Run a shipped connector against its simulated API
    Demo(Demo),
}

/// A configuration and what is overridden in it.
#[derive(Debug, ClapArgs)]
pub(crate) struct Config {
    /// A file (.yaml, .json, .toml, .py, .md) or the name of a shipped connector
    #[arg(value_name = "CONFIG")]
    pub(crate) config: String,
    /// What stands above the file
    #[arg(
        long = "set",
        help = "Override a key, as in client.base_url=https://api.example.com",
        value_name = "KEY.PATH=VALUE"
    )]
    pub(crate) set: Vec<String>,
}

/// `dray init`
#[derive(Debug, ClapArgs)]
pub(crate) struct Init {
    /// The address of a list, as in `https://api.example.com/v1/orders`
    #[arg(value_name = "URL", required_unless_present = "openapi", conflicts_with = "openapi")]
    pub(crate) url: Option<String>,
    /// A description of the API in its place
    #[arg(
        long,
        value_name = "FILE|URL",
        help = "Write all lists of an OpenAPI description (3, or 2: Swagger), as YAML or JSON; the API itself is not asked"
    )]
    pub(crate) openapi: Option<String>,
    /// A header of every request; may be given several times
    #[arg(
        long = "header",
        value_name = "NAME=VALUE",
        help = "A header of every request, as in 'X-Key=${env.KEY}'; a secret in it does not get into the file"
    )]
    pub(crate) headers: Vec<String>,
    /// How requests are authenticated
    #[arg(
        long,
        value_name = "AUTH",
        help = "How requests are authenticated: bearer:env:NAME, basic:env:USER:env:PASSWORD, api_key:HEADER:env:NAME, or the mapping of the file"
    )]
    pub(crate) auth: Option<String>,
    /// A JSON body: the list is asked for by POST
    #[arg(long, value_name = "BODY")]
    pub(crate) json: Option<String>,
    /// Where the YAML goes
    #[arg(
        short,
        long,
        value_name = "FILE",
        help = "Write to this file, which must not exist; else to standard output"
    )]
    pub(crate) output: Option<PathBuf>,
}

/// `dray convert`
#[derive(Debug, ClapArgs)]
pub(crate) struct Convert {
    /// A file (.py, .md, .json, .toml, .yaml) or the name of a shipped connector
    #[arg(value_name = "CONFIG")]
    pub(crate) config: String,
    /// Where the YAML goes
    #[arg(
        short,
        long,
        value_name = "FILE",
        help = "Write to this file, which must not exist; else to standard output"
    )]
    pub(crate) output: Option<PathBuf>,
}

/// `dray keys`
#[derive(Debug, Clone, Copy, ClapArgs)]
pub(crate) struct Keys {
    /// As JSON Schema, for editors
    #[arg(long)]
    pub(crate) json_schema: bool,
}

/// Where the data goes.
#[derive(Debug, Clone, ClapArgs)]
pub(crate) struct Target {
    /// The database
    #[arg(
        long,
        value_name = "DESTINATION",
        help = "The database: duckdb:PATH [default: duckdb:<pipeline>.duckdb]"
    )]
    pub(crate) to: Option<String>,
    /// The dataset
    #[arg(long, value_name = "NAME", help = "The dataset [default: <pipeline>_dataset]")]
    pub(crate) dataset: Option<String>,
    /// The pipeline
    #[arg(long, value_name = "NAME", help = "The pipeline [default: the file's name without its ending]")]
    pub(crate) pipeline: Option<String>,
}

/// `dray run`
#[derive(Debug, ClapArgs)]
pub(crate) struct Run {
    #[command(flatten)]
    pub(crate) config: Config,
    /// Load these resources only
    #[arg(value_name = "RESOURCE")]
    pub(crate) resources: Vec<String>,
    #[command(flatten)]
    pub(crate) target: Target,
    /// Write a report as JSON; `-` for standard output
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) go: Go,
    #[command(flatten)]
    pub(crate) range: Range,
}

/// Another range than the stored cursors say.
#[derive(Debug, Clone, Default, ClapArgs)]
pub(crate) struct Range {
    /// Read incremental resources from here
    #[arg(
        long,
        value_name = "TIME",
        help = "Read incremental resources from this date or instant, whatever is stored; as in 2024-01-31 or 2024-01-31T12:00:00Z"
    )]
    pub(crate) since: Option<String>,
    /// Read them up to here
    #[arg(
        long,
        value_name = "TIME",
        help = "Read them up to this date or instant; stored cursors are neither read nor moved then"
    )]
    pub(crate) until: Option<String>,
}

/// How far a run goes, and how long it waits to begin.
#[derive(Debug, Clone, Copy, Default, ClapArgs)]
pub(crate) struct Go {
    /// Stop after this time; the next run goes on
    #[arg(long, value_name = "TIME", value_parser = time, help = "Stop after this time, as in 90s, 15m or 2h; the next run goes on from there")]
    pub(crate) max_time: Option<Duration>,
    /// Stop after this many requests; the next run goes on
    #[arg(long, value_name = "N", help = "Stop after this many requests; the next run goes on from there")]
    pub(crate) max_requests: Option<u64>,
    /// Stop after this many records; the next run goes on
    #[arg(
        long,
        value_name = "N",
        help = "Stop once this many records are loaded; the next run goes on from there"
    )]
    pub(crate) max_rows: Option<u64>,
    /// Wait for a database that another process holds
    #[arg(long, value_name = "TIME", value_parser = time, help = "Wait this long for a database that another process holds")]
    pub(crate) wait: Option<Duration>,
}

fn time(text: &str) -> Result<Duration, String> {
    parse_duration(text).ok_or_else(|| "write a time as 90s, 15m or 2h".to_owned())
}

/// `dray preview`
#[derive(Debug, ClapArgs)]
pub(crate) struct Preview {
    #[command(flatten)]
    pub(crate) config: Config,
    /// The resource
    #[arg(value_name = "RESOURCE")]
    pub(crate) resource: String,
    /// How many records
    #[arg(long, value_name = "N", default_value = "5")]
    pub(crate) limit: usize,
}

/// `dray schema`, `dray state`, `dray loads`
#[derive(Debug, ClapArgs)]
pub(crate) struct Look {
    /// The configuration that was run: names the pipeline
    #[arg(value_name = "CONFIG")]
    pub(crate) config: Option<String>,
    #[command(flatten)]
    pub(crate) target: Target,
}

/// `dray demo`
#[derive(Debug, ClapArgs)]
pub(crate) struct Demo {
    /// The connector: stripe, orb, zoho_billing or fastbill
    #[arg(value_name = "NAME", default_value = "stripe")]
    pub(crate) name: String,
    /// Records of each resource that the simulated API has
    #[arg(long, value_name = "N", default_value = "250")]
    pub(crate) size: u64,
    #[command(flatten)]
    pub(crate) target: Target,
}
