//! R5: bodies that are broken, odd or hostile, one resource each.
//!
//! The first run meets all of them at once; what comes of each must be exact. The second run meets a healthy API in the
//! same database, and must load everything: a bad record poisons nothing.

mod cases;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use dray::destination::duckdb::DuckDb;
use dray::report::{Report, Status};

use self::cases::{Case, Expect, all};
use crate::load::{DATASET, Folder, of};
use crate::raw::{Answer, Raw};
use crate::suite::{Bench, Outcome, Suite};

/// The suite.
pub(super) const SUITE: Suite = Suite {
    id: "R5",
    name: "malformed bodies",
    criterion: "no value changes in silence, a bad record is counted and the others load, and the next run against a \
                healthy API loads everything",
    dlt: "at least 8 changes in silence; one lone surrogate or 200-bit integer ends the run, 2^63 ends all later ones",
    run,
};

fn run(_: &Bench) -> Outcome {
    let mut outcome = Outcome::default();
    if let Err(problem) = runs(&mut outcome) {
        outcome.case("the runs", Err(problem));
    }
    outcome
}

fn runs(outcome: &mut Outcome) -> Result<(), String> {
    let cases: Arc<Vec<Case>> = Arc::new(all());
    let healed = Arc::new(AtomicBool::new(false));
    let (served, healthy) = (Arc::clone(&cases), Arc::clone(&healed));
    let server = Raw::start(move |asked| {
        let case = served.iter().find(|case| asked.path().get(1..) == Some(&*case.name));
        if healthy.load(Ordering::Acquire) {
            let list = r#"[{"id":1,"a":"healthy"},{"id":2,"a":"healthy"}]"#;
            let under = case.is_some_and(|case| case.selected);
            return Answer::json(if under { format!(r#"{{"data":{list}}}"#) } else { list.to_owned() });
        }
        match case {
            Some(case) if case.content_type.is_empty() => Answer::whole("200 OK", &[], case.body.clone()),
            Some(case) => {
                let header = format!("Content-Type: {}", case.content_type);
                Answer::whole("200 OK", &[&header], case.body.clone())
            }
            None => Answer::whole("404 Not Found", &[], ""),
        }
    })
    .map_err(|error| error.to_string())?;
    let folder = Folder::new().map_err(|error| error.to_string())?;
    let resources: String = cases
        .iter()
        .map(|case| {
            let selector = if case.selected { ", data_selector: data" } else { "" };
            let name = &case.name;
            format!("  - {{name: {name}, endpoint: {{path: {name}, paginator: single_page{selector}}}}}\n")
        })
        .collect();
    let config = format!(
        "client:\n  base_url: {}\n  concurrency: 4\n  rejects: keep\n  \
         retry: {{max_retries: 1, backoff_factor: 0.01}}\n\
         resource_defaults: {{write_disposition: replace}}\nresources:\n{resources}",
        server.base_url()
    );
    let report = folder.load(&config, &[]).map_err(|error| error.chain())?;
    let mut judge = Judge { report, database: open(&folder)? };
    for case in cases.iter() {
        outcome.case(&case.name, judge.judge(case));
    }
    let kept = judge.one(&format!("SELECT count(*) FROM {DATASET}._dray_rejects"))?;
    let rejected: u64 = judge.report.resources.0.iter().map(|(_, resource)| resource.rejected).sum();
    outcome.case("every reject is kept", same("rejects", &kept, &rejected.to_string()));
    drop(judge);
    healed.store(true, Ordering::Release);
    let report = folder.load(&config, &[]).map_err(|error| error.chain())?;
    let mut judge = Judge { report, database: open(&folder)? };
    for case in cases.iter() {
        let name = &case.name;
        let rows = judge.one(&format!("SELECT count(*) FROM {DATASET}.{name} WHERE id IN (1, 2)"));
        let rows = rows.and_then(|rows| same("rows", &rows, "2"));
        let status = of(&judge.report, name).map(|resource| resource.status);
        let healthy = if status == Some(Status::Succeeded) { rows } else { Err(format!("{status:?}")) };
        outcome.case(format_args!("{name}, then healthy"), healthy);
    }
    outcome.figure("malformed bodies", cases.len());
    outcome.figure("records rejected and kept", kept);
    Ok(())
}

fn open(folder: &Folder) -> Result<DuckDb, String> {
    DuckDb::open(folder.database(), DATASET, None).map_err(|error| error.chain())
}

fn same(what: &str, found: &str, expected: &str) -> Result<(), String> {
    let short = |text: &str| text.chars().take(80).collect::<String>();
    if found == expected {
        return Ok(());
    }
    Err(format!("{what}: expected `{}`, found `{}`", short(expected), short(found)))
}

/// A run that was made, and its database.
struct Judge {
    report: Report,
    database: DuckDb,
}

impl Judge {
    fn judge(&mut self, case: &Case) -> Result<(), String> {
        let resource = of(&self.report, &case.name).ok_or("not in the report")?;
        let said = resource.error.clone().unwrap_or_default();
        let (status, rejected) = (resource.status, resource.rejected);
        match &case.expect {
            Expect::Fails(words) => {
                if status != Status::Failed {
                    return Err("succeeded".to_owned());
                }
                let named = said.contains(&case.name) && said.contains("page: 1") && said.contains(words);
                if named { Ok(()) } else { Err(format!("no `{words}`, resource or page in: {said}")) }
            }
            Expect::Loads { select, found } => {
                if status != Status::Succeeded {
                    return Err(said);
                }
                same("rejected", &rejected.to_string(), "0")?;
                let sql =
                    format!("SELECT CAST({select} AS VARCHAR) FROM {DATASET}.{} {}", case.name, case.which);
                same(select, &self.one(&sql)?, found)
            }
            Expect::Rejects(reason) => {
                if status != Status::Succeeded {
                    return Err(said);
                }
                same("rejected", &rejected.to_string(), "1")?;
                let ids = format!("SELECT string_agg(id, ',' ORDER BY id) FROM {DATASET}.{}", case.name);
                same("ids", &self.one(&ids)?, "1,3")?;
                let kept = format!(
                    "SELECT CAST(hex(raw) || ' ' || reason || ' ' || page AS VARCHAR) FROM {DATASET}._dray_rejects \
                     WHERE resource = '{}'",
                    case.name
                );
                let raw: String =
                    case.record.iter().take(1 << 20).map(|byte| format!("{byte:02X}")).collect();
                let kept = self.one(&kept)?;
                if kept.starts_with(&raw) && kept.contains(reason) && kept.ends_with(" 1") {
                    Ok(())
                } else {
                    Err(format!("kept as {}", kept.chars().rev().take(120).collect::<String>()))
                }
            }
        }
    }

    /// The one value of a query.
    fn one(&mut self, sql: &str) -> Result<String, String> {
        let rows = self.database.query(sql).map_err(|error| error.chain())?;
        Ok(rows.into_iter().flatten().next().flatten().unwrap_or_else(|| "NULL".to_owned()))
    }
}
