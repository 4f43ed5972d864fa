//! What the benches measure: the stages of the hot path, each on the pages of two lists, without network and database.

use std::collections::BTreeMap;
use std::sync::Arc;

use dray::config::load::read_text_as;
use dray::config::parse::Format;
use dray::config::secrets::Sources;
use dray::env::Env;
use dray::extract::{Page, Position, bench};
use dray::json::{Document, NodeId, Path};
use dray::normalize::Normalizer;
use dray::plan::{Plan, ResourcePlan, prepare};
use dray::schema::Schema;
use dray_sim::{Api, Options, Sim};
use serde_json::{Value, json};

/// Records of each list, and of a page.
const RECORDS: usize = 2_000;
const PER_PAGE: usize = 100;

const CHARGES: &str = r#"
client: {base_url: "http://127.0.0.1/"}
resource_defaults: {primary_key: id, write_disposition: merge}
resources:
  - name: charges
    endpoint: {path: charges, data_selector: data, paginator: {type: cursor, cursor_path: "data[-1].id", cursor_param: starting_after, has_more_path: has_more}}
"#;
const ROWS: &str = r#"
client: {base_url: "http://127.0.0.1/"}
resource_defaults: {primary_key: id, write_disposition: append}
resources:
  - name: rows
    endpoint: {path: rows, data_selector: data, paginator: {type: offset, limit: 100, total_path: total}}
"#;

/// A list: its pages as they come, and parsed.
pub(crate) struct List {
    pub(crate) name: &'static str,
    plan: ResourcePlan,
    bodies: Vec<Vec<u8>>,
    pages: Vec<(Document, Vec<NodeId>)>,
}

impl List {
    /// Stripe's charges, wide and deep, paged by the last record's id.
    pub(crate) fn charges() -> Self {
        let size = u64::try_from(RECORDS).unwrap();
        let sim = Sim::start(Options { api: Api::Stripe, size, ..Options::default() }).unwrap();
        Self::new("charges", CHARGES, sim.expected("charges"))
    }

    /// Flat rows, paged by offset.
    pub(crate) fn rows() -> Self {
        let row = |number: usize| {
            json!({
                "id": number, "created_at": format!("2024-01-{:02}T10:00:00Z", number % 28 + 1),
                "customer_id": number * 7919 % 100_000, "amount": f64::from(u32::try_from(number).unwrap()) / 8.0,
                "currency": "usd", "status": "open", "name": format!("Product {number}"),
                "quantity": number % 50, "active": number.is_multiple_of(2), "note": Value::Null,
            })
        };
        Self::new("rows", ROWS, (0..RECORDS).map(row).collect())
    }

    fn new(name: &'static str, config: &str, records: Vec<Value>) -> Self {
        let pages = records.chunks(PER_PAGE).enumerate().map(|(page, chunk)| {
            let more = (page + 1) * PER_PAGE < records.len();
            json!({"data": chunk, "has_more": more, "total": records.len()}).to_string().into_bytes()
        });
        let bodies: Vec<_> = pages.collect();
        let pages = bodies.iter().cloned().map(found).collect();
        Self { name, plan: plan(config).resources.remove(0), bodies, pages }
    }

    /// Bodies that can be parsed, which takes them.
    pub(crate) fn bodies(&self) -> Vec<Vec<u8>> {
        self.bodies.clone()
    }

    /// Pages as the extract stage hands them on.
    pub(crate) fn pages(&self) -> Vec<Page> {
        let pages = self.pages.iter().map(|(document, records)| Page {
            resource: 0,
            partition: "".into(),
            number: 1,
            document: Arc::new(document.clone()),
            records: records.clone(),
            overlay: None,
            carries: false,
            rejects: Vec::new(),
            position: Position::default(),
            opened: Vec::new(),
        });
        pages.collect()
    }

    /// From tape to Arrow batches; the rows of all tables.
    pub(crate) fn normalize(&self, pages: &[Page]) -> usize {
        let mut normalizer = Normalizer::for_resources(
            [(self.name, self.plan.load.clone())],
            Schema::new("bench"),
            "1.0",
            fastrand::Rng::with_seed(1),
        );
        for page in pages {
            normalizer.page(page).unwrap();
        }
        normalizer.flush().unwrap().iter().map(|rows| rows.batch.num_rows()).sum()
    }

    /// From page to page.
    pub(crate) fn walk(&self) -> usize {
        bench::walk(&self.plan, &self.pages).unwrap()
    }
}

/// From bytes to tape.
pub(crate) fn decode(bodies: Vec<Vec<u8>>) -> Vec<Document> {
    bodies.into_iter().map(|body| Document::parse(body).unwrap()).collect()
}

fn found(body: Vec<u8>) -> (Document, Vec<NodeId>) {
    let document = Document::parse(body).unwrap();
    let list = Path::key("data").first(&document, document.root()).unwrap();
    let records = document.items(list).collect();
    (document, records)
}

fn plan(config: &str) -> Plan {
    let loaded = read_text_as("bench.yaml".to_owned(), config.to_owned(), Format::Yaml).unwrap();
    let mut sources = Sources::new(Env::system().now());
    sources.environment = BTreeMap::new();
    prepare(loaded, &[], &sources).plan.unwrap()
}
