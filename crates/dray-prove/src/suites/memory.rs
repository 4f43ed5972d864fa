//! R20: how much memory a load takes, by the command line in a process of its own. The API is in this one.

use std::time::Duration;

use crate::load::{DATASET, Folder};
use crate::measured;
use crate::raw::{Answer, Asked, Raw};
use crate::suite::{Bench, Outcome, Suite};

/// The suite.
pub(super) const SUITE: Suite = Suite {
    id: "R20",
    name: "memory",
    criterion: "each load stays below its stated ceiling",
    dlt: "300 to 400 MB for 50,000 to 500,000 rows by its fast path, gigabytes by its usual one",
    run,
};

/// A load may take so long.
const LONGEST: Duration = Duration::from_secs(600);
/// Records of a page of small rows, and of a page of parents.
const PAGE: usize = 1000;

fn run(bench: &Bench) -> Outcome {
    let mut outcome = Outcome::default();
    let page = bench.of(16, 200);
    let ceiling = bench.of(300, 1200);
    let shown = large_page(bench, page, ceiling, &mut outcome);
    outcome.figure("peak of one page of 200 MB (ceiling 1200 MiB)", shown);
    let parents = bench.of(2_000, 100_000);
    let shown = parents_of_one_child(bench, parents, 300, &mut outcome);
    outcome.figure("peak of 100,000 parents of one child each (ceiling 300 MiB)", shown);
    let rows = bench.of(200_000, 5_000_000);
    let shown = small_rows(bench, rows, 600, &mut outcome);
    outcome.figure("peak of 5,000,000 small rows (ceiling 600 MiB)", shown);
    outcome
}

/// One load: what it took, and whether it loaded so many rows of `resource` below its ceiling.
fn load(
    bench: &Bench,
    name: &str,
    (resource, resources): (&str, &str),
    (rows, ceiling): (usize, usize),
    outcome: &mut Outcome,
    script: impl Fn(&Asked) -> Answer + Send + Sync + 'static,
) -> String {
    let mut shown = "not measured".to_owned();
    let result = (|| {
        let server = Raw::start(script).map_err(|error| error.to_string())?;
        let folder = Folder::new().map_err(|error| error.to_string())?;
        let config = format!(
            "client: {{base_url: \"{}\", limits: {{items: 2000000}}}}\nresources:\n{resources}",
            server.base_url()
        );
        let measured = measured::run(&bench.program, &folder, &config, LONGEST)?;
        shown = format!("{} in {:.1} s", measured.shown(), measured.took.as_secs_f64());
        let found = folder.column(&format!("SELECT count(DISTINCT id) FROM {DATASET}.{resource}"));
        let found =
            found.map_err(|error| format!("{}: {}", error.chain(), measured.fact(resource, "error")))?;
        if found != [rows.to_string()] || measured.fact(resource, "status") != "succeeded" {
            return Err(format!("{found:?} of {rows} rows: {}", measured.fact(resource, "error")));
        }
        measured.below(u64::try_from(ceiling).unwrap_or_default())
    })();
    outcome.case(name, result);
    shown
}

fn large_page(bench: &Bench, megabytes: usize, ceiling: usize, outcome: &mut Outcome) -> String {
    let note = "a text that is about as long as texts are in the records of most APIs, and no longer";
    let (mut body, mut rows) = (String::from("["), 0);
    while body.len() < megabytes * 1_000_000 {
        if rows > 0 {
            body.push(',');
        }
        body.push_str(&format!(
            r#"{{"id":{rows},"name":"record number {rows}","amount":{rows}.25,"active":true,"note":"{note}"}}"#
        ));
        rows += 1;
    }
    body.push(']');
    let resources = "  - {name: large, endpoint: {path: large, paginator: single_page}}\n";
    let name = format!("one page of {megabytes} MB");
    load(bench, &name, ("large", resources), (rows, ceiling), outcome, move |_| {
        Answer::json(body.clone().into_bytes())
    })
}

fn parents_of_one_child(bench: &Bench, parents: usize, ceiling: usize, outcome: &mut Outcome) -> String {
    let resources = "  - {name: parents, endpoint: {path: parents, data_selector: data, \
                     paginator: {type: cursor, cursor_path: next, cursor_param: page}}}\n  \
                     - {name: children, endpoint: {path: \"parents/{resources.parents.id}/child\", \
                     paginator: single_page}}\n";
    let name = format!("{parents} parents of one child each");
    load(bench, &name, ("children", resources), (parents, ceiling), outcome, move |asked| {
        if asked.path() == "/parents" {
            return Answer::json(numbered(asked, parents));
        }
        let id = asked.path().split('/').nth(2).unwrap_or_default();
        Answer::json(format!(r#"[{{"id":{id},"text":"the only child"}}]"#))
    })
}

fn small_rows(bench: &Bench, rows: usize, ceiling: usize, outcome: &mut Outcome) -> String {
    let resources = "  - {name: small, endpoint: {path: small, data_selector: data, \
                     paginator: {type: cursor, cursor_path: next, cursor_param: page}}}\n";
    let name = format!("{rows} small rows");
    load(bench, &name, ("small", resources), (rows, ceiling), outcome, move |asked| {
        Answer::json(numbered(asked, rows))
    })
}

/// The page of numbered records that is asked for.
fn numbered(asked: &Asked, all: usize) -> String {
    let page = asked.param("page").and_then(|page| page.parse::<usize>().ok()).unwrap_or_default();
    let ids = page * PAGE..((page + 1) * PAGE).min(all);
    let next = if ids.end == all { "null".to_owned() } else { format!("\"{}\"", page + 1) };
    let records: Vec<String> = ids.map(|id| format!(r#"{{"id":{id},"value":{}}}"#, id % 97)).collect();
    format!(r#"{{"data":[{}],"next":{next}}}"#, records.join(","))
}
