//! `dray demo`: a shipped connector against its simulated API, into DuckDB, and the tables that come out.

use std::collections::BTreeMap;

use dray::config::connectors::shipped_all;
use dray::error::{Error, ErrorKind, Result};
use dray_sim::{Api, Options, Sim};

use super::look::{name, rows};
use super::run::run;
use crate::args::{Config, Demo, Global, Go, Range, Run, Target};
use crate::execute::Place;
use crate::exit::Exit;
use crate::printer::Printer;
use crate::table::{Align, cut, render, thousands};

/// Columns of the rows that are shown.
const COLUMNS: usize = 6;

/// Runs the demo.
pub(crate) fn demo(args: &Demo, global: &Global, printer: &Printer) -> Result<Exit> {
    let api = match args.name.as_str() {
        "stripe" => Api::Stripe,
        "orb" => Api::Orb,
        "zoho_billing" => Api::Zoho,
        "fastbill" | "fastbill_api" => Api::FastBill,
        other => {
            let names: Vec<_> = shipped_all().iter().map(|(name, _)| *name).collect();
            return Err(Error::new(ErrorKind::Config, format!("no demo `{other}`"))
                .hint(format!("demos: {}", names.join(", "))));
        }
    };
    let sim = Sim::start(Options { api, size: args.size, ..Options::default() })
        .map_err(|error| Error::new(ErrorKind::Bug, "cannot start the simulated API").caused_by(error))?;
    printer.talk(&format!("a simulated API answers at {}", sim.base_url()));
    // The real APIs' limits are for the real APIs.
    let below = if args.name == "fastbill_api" { "api/1.0/" } else { "" };
    let mut set =
        vec![format!("client.base_url={}{below}", sim.base_url()), "client.rate_limit=null".to_owned()];
    if args.name == "zoho_billing" {
        set.push(format!("client.auth.access_token_url={}", sim.token_url()));
    }
    let given: BTreeMap<String, String> =
        sim.secrets().into_iter().map(|(name, value)| (name.to_uppercase(), value)).collect();
    let pipeline = args.target.pipeline.clone().unwrap_or_else(|| format!("demo_{}", args.name));
    let target = Target { pipeline: Some(pipeline.clone()), ..args.target.clone() };
    let place = Place::of(&target, &pipeline)?;
    let config = Config { config: args.name.clone(), set };
    let ended = run(
        &Run {
            config,
            resources: Vec::new(),
            target,
            report: None,
            go: Go::default(),
            range: Range::default(),
        },
        given,
        global,
        printer,
    )?;
    show(&place, printer)?;
    Ok(ended)
}

/// Prints the tables of a dataset, and the first rows of the first one.
fn show(place: &Place, printer: &Printer) -> Result<()> {
    let mut database = place.open()?;
    let dataset = place.dataset.replace('\'', "''");
    let tables = rows(
        &mut database,
        &format!(
            "SELECT table_name, CAST(count(*) AS VARCHAR) FROM information_schema.columns \
             WHERE table_schema = '{dataset}' GROUP BY 1 ORDER BY 1"
        ),
    )?;
    let mut listed = Vec::new();
    for table in &tables {
        let [table, columns] = table.as_slice() else { continue };
        let counted =
            rows(&mut database, &format!("SELECT count(*) FROM {}.{}", name(&place.dataset), name(table)))?;
        let count = counted
            .first()
            .and_then(|row| row.first())
            .and_then(|count| count.parse().ok())
            .unwrap_or_default();
        listed.push(vec![table.clone(), thousands(count), columns.clone()]);
    }
    printer.out("\n")?;
    printer.out(&render(
        &[("table", Align::Left), ("rows", Align::Right), ("columns", Align::Right)],
        &listed,
    ))?;
    let Some(first) = tables.iter().filter_map(|table| table.first()).find(|table| !table.starts_with('_'))
    else {
        return Ok(());
    };
    let columns = rows(
        &mut database,
        &format!(
            "SELECT column_name FROM information_schema.columns WHERE table_schema = '{dataset}' \
             AND table_name = '{}' AND column_name NOT LIKE '\\_dlt%' ESCAPE '\\' ORDER BY ordinal_position LIMIT {COLUMNS}",
            first.replace('\'', "''")
        ),
    )?;
    let columns: Vec<String> = columns.into_iter().flatten().collect();
    let wanted: Vec<String> =
        columns.iter().map(|column| format!("CAST({} AS VARCHAR)", name(column))).collect();
    let sql = format!("SELECT {} FROM {}.{} LIMIT 5", wanted.join(", "), name(&place.dataset), name(first));
    let found: Vec<Vec<String>> = rows(&mut database, &sql)?
        .into_iter()
        .map(|row| row.iter().map(|cell| cut(cell, 28)).collect())
        .collect();
    let header: Vec<(&str, Align)> = columns.iter().map(|column| (column.as_str(), Align::Left)).collect();
    printer.out(&format!("\nthe first rows of {first}\n"))?;
    printer.out(&render(&header, &found))
}
