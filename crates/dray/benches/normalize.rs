//! Pages to columns, without network and database: `cargo bench -p dray --bench normalize -- FOLDER`.
//!
//! FOLDER holds pages as JSON files, each with its records under `data`. Prints megabytes a second for reading the
//! bytes into a tape, and for tape and columns together.
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::disallowed_methods, clippy::cast_precision_loss)]

use std::sync::Arc;
use std::time::Instant;

use dray::extract::{Page, Position};
use dray::json::{Document, Path};
use dray::normalize::Normalizer;
use dray::plan::{Disposition, LoadPlan};
use dray::schema::Schema;

fn main() {
    let Some(folder) = std::env::args().skip(1).find(|argument| !argument.starts_with("--")) else {
        println!("no folder of pages given: nothing measured");
        return;
    };
    let mut bodies = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        bodies.push(std::fs::read(entry.unwrap().path()).unwrap());
    }
    let megabytes = bodies.iter().map(Vec::len).sum::<usize>() as f64 / 1e6;
    let load = LoadPlan {
        table: "records".to_owned(),
        disposition: Disposition::Merge,
        primary_key: vec!["id".to_owned()],
        key_inherited: false,
        fallback_key: None,
        merge_key: Vec::new(),
        columns: Vec::new(),
        max_nesting: None,
    };
    let data = Path::key("data");
    for _ in 0..3 {
        let mut normalizer = Normalizer::for_resources(
            [("records", load.clone())],
            Schema::new("bench"),
            "1.0",
            fastrand::Rng::with_seed(1),
        );
        let (mut parsing, mut rows) = (0.0, 0);
        let start = Instant::now();
        for body in &bodies {
            let before = Instant::now();
            let document = Document::parse(body.clone()).unwrap();
            parsing += before.elapsed().as_secs_f64();
            let list = data.first(&document, document.root()).unwrap();
            let records: Vec<_> = document.items(list).collect();
            let page = Page {
                resource: 0,
                partition: "".into(),
                number: 1,
                document: Arc::new(document),
                records,
                overlay: None,
                rejects: Vec::new(),
                position: Position::default(),
                opened: Vec::new(),
            };
            normalizer.page(&page).unwrap();
            if rows % 4096 == 0 {
                rows += normalizer.flush().unwrap().iter().map(|rows| rows.batch.num_rows()).sum::<usize>();
            }
        }
        rows += normalizer.flush().unwrap().iter().map(|rows| rows.batch.num_rows()).sum::<usize>();
        let all = start.elapsed().as_secs_f64();
        println!(
            "{megabytes:.0} MB, {rows} rows: tape {:.0} MB/s, tape and columns {:.0} MB/s",
            megabytes / parsing,
            megabytes / all
        );
    }
}
