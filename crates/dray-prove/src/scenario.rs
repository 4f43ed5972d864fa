//! The loads that are made to die: small APIs of which everything is known.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use dray::pipeline::Checkpointing;
use dray_sim::{Api, Options, Request, Response, Sim};
use serde_json::{Value, json};

use crate::load::{DATASET, Folder, every_page, every_second_page, load_into, plan};

/// Records of a page.
const PAGE: usize = 10;
/// The first id of the second list of two.
const OTHERS: usize = 5000;
/// Where windows begin, in unix seconds: 40 records later it is still past.
const FIRST: i64 = 1_600_000_000;

/// A kind of load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The first run of an incremental append.
    Append,
    /// Its second run, with new records.
    AppendAgain,
    /// The same of a list that begins with the newest and is left at the stored cursor.
    NewestFirst,
    /// An append without key and cursor, counted pages.
    AppendPlain,
    /// A merge over rows that are there, all of them changed.
    Merge,
    /// A replace of rows that are there by others.
    Replace,
    /// An append whose later records have new columns, new types and a new list.
    Evolve,
    /// Parents that are merged, and their children, appended.
    Family,
    /// Parents and children that are merged; for the soak, since no sweep finds more with it than with [`Self::Family`].
    MergedFamily,
    /// Two appends into one table.
    SharedTable,
    /// An append of counted pages, many of them under way.
    Ahead,
    /// The first run of an incremental append in windows of time, records on their borders.
    Windows,
    /// An append of what each item of a `for_each` gives.
    Each,
    /// An append of lists inside records, most of them read on from their own addresses.
    Lists,
    /// An append of records that are asked for by the ids of several parents at once.
    Batches,
}

impl Kind {
    /// Loads of which many requests are under way at once.
    pub const SIDE_BY_SIDE: [Self; 2] = [Self::Ahead, Self::Windows];

    /// Those that a sweep goes through.
    pub const ALL: [Self; 12] = [
        Self::Append,
        Self::AppendAgain,
        Self::NewestFirst,
        Self::AppendPlain,
        Self::Merge,
        Self::Replace,
        Self::Evolve,
        Self::Family,
        Self::SharedTable,
        Self::Each,
        Self::Lists,
        Self::Batches,
    ];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Append => "append",
            Self::AppendAgain => "append, second run",
            Self::NewestFirst => "append, newest first",
            Self::AppendPlain => "append without key",
            Self::Merge => "merge",
            Self::Replace => "replace",
            Self::Evolve => "schema change",
            Self::Family => "parent and child",
            Self::SharedTable => "two in one table",
            Self::MergedFamily => "parent and child, merged",
            Self::Ahead => "pages ahead",
            Self::Windows => "windows",
            Self::Each => "items of for_each",
            Self::Lists => "lists inside records",
            Self::Batches => "batches of parents",
        }
    }

    /// By name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::soaked().chain(Self::SIDE_BY_SIDE).find(|kind| kind.name() == name)
    }

    /// Those that a soak goes through.
    pub fn soaked() -> impl Iterator<Item = Self> + Clone {
        Self::ALL.into_iter().chain([Self::MergedFamily])
    }

    /// Whether one run more of the same list adds nothing, so that the list may grow from run to run.
    #[must_use]
    pub fn grows(self) -> bool {
        !self.appends_all() && self != Self::Family
    }

    /// Whether every complete run appends everything once more.
    #[must_use]
    pub fn appends_all(self) -> bool {
        matches!(self, Self::AppendPlain | Self::Ahead | Self::Each | Self::Lists | Self::Batches)
    }

    /// Whether it has children.
    #[must_use]
    pub fn is_family(self) -> bool {
        matches!(self, Self::Family | Self::MergedFamily)
    }

    /// The configuration against an API at `base`.
    #[must_use]
    pub fn config(self, base: &str) -> String {
        let items = |disposition: &str, more: &str| {
            format!(
                "  - {{name: items, write_disposition: {disposition}, {more}\n     endpoint: {{path: items, data_selector: data, \
                 paginator: {{type: cursor, cursor_path: next, cursor_param: cursor}}"
            )
        };
        let since = ", incremental: {cursor_path: updated, start_param: since, initial_value: 0}}}";
        let resources = match self {
            Self::Append | Self::AppendAgain | Self::Evolve => format!("{}{since}", items("append", "")),
            Self::NewestFirst => format!(
                "{}, incremental: {{cursor_path: updated, row_order: desc}}}}}}",
                items("append", "primary_key: id,")
            ),
            Self::SharedTable => {
                let items = format!("{}{since}", items("append", ""));
                let others = items.replace("name: items,", "name: others, table_name: items,");
                format!("{items}\n{}", others.replace("path: items,", "path: others,"))
            }
            Self::AppendPlain | Self::Ahead => {
                "  - {name: items, write_disposition: append, endpoint: {path: items, data_selector: data, \
                 paginator: {type: offset, limit: 10, total_path: null}}}"
                    .to_owned()
            }
            Self::Windows => format!(
                "{}, incremental: {{cursor_path: updated, start_param: since, end_param: until, format: unix, \
                 initial_value: {FIRST}, window: 60d}}}}}}",
                items("append", "primary_key: id,")
            ),
            Self::Each => format!(
                "{}, params: {{part: \"${{each.part}}\"}}}}}}",
                items("append", "for_each: {part: [0, 1, 2, 3]},")
            ),
            Self::Batches => {
                "  - {name: heads, selected: false, endpoint: {path: heads, data_selector: data, \
                 paginator: {type: cursor, cursor_path: next, cursor_param: cursor}}}\n  \
                 - {name: items, write_disposition: append, endpoint: {path: items, data_selector: data, paginator: single_page, \
                 params: {ids: {type: resolve, resource: heads, field: id, batch: 4}}}}"
                    .to_owned()
            }
            Self::Lists => format!(
                "{}, expand: {{path: rows.data, complete: {{has_more: rows.more, url: rows.url, \
                 paginator: {{type: cursor, cursor_field: id, cursor_param: after, has_more_path: more}}}}}}}}}}",
                items("append", "")
            ),
            Self::Merge => format!("{}}}}}", items("merge", "primary_key: id,")),
            Self::Replace => format!("{}}}}}", items("replace", "")),
            Self::Family | Self::MergedFamily => format!(
                "{}}}}}\n  - {{name: children, {}, include_from_parent: [id], \
                 endpoint: {{path: \"items/{{resources.items.id}}/children\", data_selector: data, \
                 paginator: {{type: cursor, cursor_path: next, cursor_param: cursor}}}}}}",
                items("merge", "primary_key: id,"),
                if self == Self::Family {
                    "write_disposition: append"
                } else {
                    "write_disposition: merge, primary_key: [_items_id, id]"
                }
            ),
        };
        let concurrency = if Self::SIDE_BY_SIDE.contains(&self) { 16 } else { 2 };
        format!(
            "client: {{base_url: \"{base}\", concurrency: {concurrency}, retry: {{max_retries: 3, backoff_factor: 0.01}}}}\nresources:\n{resources}\n"
        )
    }

    /// Whether the load goes into a database that has rows already.
    #[must_use]
    pub fn has_before(self) -> bool {
        matches!(self, Self::AppendAgain | Self::NewestFirst | Self::Merge | Self::Replace)
    }

    /// When its transactions end: after every page in some, in others only after rows of a page were written before.
    #[must_use]
    pub fn checkpointing(self) -> Checkpointing {
        match self {
            Self::Append | Self::Merge | Self::Evolve => every_second_page(),
            _ => every_page(),
        }
    }

    /// Records that the API has in its first or second state.
    fn count(self, second: bool) -> usize {
        match self {
            Self::AppendAgain | Self::NewestFirst if second => 70,
            Self::Family | Self::MergedFamily => 12,
            Self::SharedTable => 25,
            // Pages enough for several to be under way.
            Self::Ahead => 90,
            _ => 40,
        }
    }
}

/// An API in its first or second state, and the requests it got.
pub struct World {
    /// Its server.
    pub sim: Sim,
    /// What is loaded from it.
    pub kind: Kind,
    second: Arc<Mutex<bool>>,
    /// Records beyond those that its kind has.
    grown: Arc<AtomicUsize>,
}

impl World {
    /// Starts it in its first state.
    ///
    /// # Errors
    /// Where the server cannot start.
    pub fn start(kind: Kind) -> std::io::Result<Self> {
        let second = Arc::new(Mutex::new(false));
        let (own, grown) = (Arc::clone(&second), Arc::new(AtomicUsize::new(0)));
        let more = Arc::clone(&grown);
        let api = Api::custom(move |request: &Request| {
            let second = *own.lock().unwrap_or_else(PoisonError::into_inner);
            answer(kind, second, kind.count(second) + more.load(Ordering::SeqCst), request)
        });
        Ok(Self { sim: Sim::start(Options { api, ..Options::default() })?, kind, second, grown })
    }

    /// Which state it is in.
    pub fn state(&self, second: bool) {
        *self.second.lock().unwrap_or_else(PoisonError::into_inner) = second;
    }

    /// Puts so many new records at the end of its list.
    pub fn grow(&self, records: usize) {
        self.grown.fetch_add(records, Ordering::SeqCst);
    }

    /// Its configuration.
    #[must_use]
    pub fn config(&self) -> String {
        self.kind.config(self.sim.base_url())
    }

    /// A database as it is before the load.
    ///
    /// # Errors
    /// In words, where it cannot be made.
    pub fn before(&self, folder: &Folder) -> Result<Option<PathBuf>, String> {
        if !self.kind.has_before() {
            return Ok(None);
        }
        self.state(false);
        self.load(&folder.database())?;
        Ok(Some(folder.database()))
    }

    /// One whole run that nobody disturbs.
    ///
    /// # Errors
    /// In words, where it does not succeed.
    pub fn load(&self, database: &Path) -> Result<(), String> {
        let plan = plan(&self.config(), &[]).map_err(|error| error.chain())?;
        let ran = load_into(database, plan, self.kind.checkpointing(), dray::steps::Steps::default());
        crate::load::failure(&ran).map_or(Ok(()), Err)
    }

    /// The rows that a complete load leaves: table, and its rows as `id` or `parent id`, sorted.
    #[must_use]
    pub fn expected(&self, second: bool) -> BTreeMap<&'static str, Vec<String>> {
        let first_id = if self.kind == Kind::Replace && second { 1000 } else { 0 };
        let count = self.kind.count(second) + self.grown.load(Ordering::SeqCst);
        let mut items: Vec<String> = (0..count)
            .map(|index| {
                let changed = self.kind == Kind::Merge && second;
                format!("{} {}", first_id + index, if changed { "new" } else { "old" })
            })
            .collect();
        let mut tags: Vec<String> =
            (0..count).flat_map(|index| [0, 1].map(|at| format!("{} {at}", first_id + index))).collect();
        if self.kind == Kind::SharedTable {
            items.extend((0..count).map(|index| format!("{} old", OTHERS + index)));
            tags.extend((0..count).flat_map(|index| [0, 1].map(|at| format!("{} {at}", OTHERS + index))));
        }
        items.sort();
        tags.sort();
        let mut expected = BTreeMap::from([("items", items), ("items__tags", tags)]);
        if self.kind.is_family() {
            let mut children: Vec<String> = (0..count)
                .flat_map(|parent| (0..children(parent)).map(move |child| format!("{parent} {child}")))
                .collect();
            children.sort();
            expected.insert("children", children);
        }
        expected
    }

    /// The rows that are there, as [`World::expected`] writes them.
    ///
    /// # Errors
    /// In words, where the database refuses.
    pub fn found(&self, folder: &Folder) -> Result<BTreeMap<&'static str, Vec<String>>, String> {
        let mut found = BTreeMap::new();
        let mut queries = vec![
            ("items", format!("SELECT id || ' ' || v FROM {DATASET}.items")),
            (
                "items__tags",
                format!(
                    "SELECT i.id || ' ' || t._dlt_list_idx FROM {DATASET}.items__tags t \
                     LEFT JOIN {DATASET}.items i ON t._dlt_parent_id = i._dlt_id"
                ),
            ),
        ];
        if self.kind.is_family() {
            queries.push(("children", format!("SELECT _items_id || ' ' || id FROM {DATASET}.children")));
        }
        for (table, sql) in queries {
            let there = format!(
                "SELECT table_name FROM information_schema.tables WHERE table_schema = '{DATASET}' AND table_name = '{table}'"
            );
            let there = folder.column(&there).map_err(|error| error.chain())?;
            let rows = if there.is_empty() {
                Vec::new()
            } else {
                folder.query(&sql).map_err(|error| error.chain())?
            };
            // A nested row without its parent row has a null here, which no expected row has.
            let mut rows: Vec<String> = rows
                .into_iter()
                .filter_map(|row| row.into_iter().next())
                .map(|cell| cell.unwrap_or_else(|| "torn".to_owned()))
                .collect();
            rows.sort();
            found.insert(table, rows);
        }
        Ok(found)
    }
}

/// Children of the parent `index`: none, some on one page, some on two.
fn children(index: usize) -> usize {
    [0, 3, 13, 1][index % 4]
}

fn answer(kind: Kind, second: bool, count: usize, request: &Request) -> Response {
    let number = |name: &str| request.param(name).and_then(|text| text.parse::<usize>().ok());
    let from = number("cursor").or_else(|| number("offset")).unwrap_or(0);
    if kind == Kind::Lists {
        return lists(second, count, request);
    }
    let all: Vec<Value> = match request.path.strip_prefix("/items/") {
        Some(rest) => {
            let parent = rest.split('/').next().and_then(|id| id.parse().ok()).unwrap_or(0);
            (0..children(parent)).map(|id| json!({"id": id})).collect()
        }
        None => {
            let since = i64::try_from(number("since").unwrap_or(0)).unwrap_or(0);
            let until = number("until").and_then(|until| i64::try_from(until).ok()).unwrap_or(i64::MAX);
            let others = if request.path == "/others" { OTHERS } else { 0 };
            let part = number("part");
            let ids = request.param("ids").map(|ids| format!(",{ids},"));
            let asked = |index: &usize| {
                part.is_none_or(|part| index % 4 == part)
                    && ids.as_ref().is_none_or(|ids| ids.contains(&format!(",{index},")))
            };
            let records = (0..count).filter(asked).map(|index| {
                let mut record = record(kind, second, index);
                if others > 0 {
                    record["id"] = json!(others + index);
                }
                record
            });
            records
                .filter(|record| (since..until).contains(&record["updated"].as_i64().unwrap_or_default()))
                .collect()
        }
    };
    if kind == Kind::NewestFirst {
        return newest_first(&all, number("cursor"));
    }
    let page: Vec<&Value> = all.iter().skip(from).take(PAGE).collect();
    let next = (from + PAGE < all.len()).then(|| (from + PAGE).to_string());
    Response::json(&json!({"data": page, "next": next}))
}

/// The page of records older than the one whose id is `before`; nothing that is put in can shift it.
fn newest_first(all: &[Value], before: Option<usize>) -> Response {
    let older = before.unwrap_or(all.len()).min(all.len());
    let page: Vec<&Value> = all.iter().take(older).rev().take(PAGE).collect();
    let next = (older > PAGE).then(|| (older - PAGE).to_string());
    Response::json(&json!({"data": page, "next": next}))
}

/// Records a page, each with the beginning of a list of eight, which goes on at its own address.
fn lists(second: bool, count: usize, request: &Request) -> Response {
    const HOLDERS: usize = 2;
    const ROWS: usize = 8;
    const HELD: usize = 3;
    let number = |name: &str| request.param(name).and_then(|text| text.parse::<usize>().ok());
    let rows = |holder: usize, from: usize| {
        let end = (holder * ROWS + ROWS).min(count);
        let rows: Vec<Value> =
            (from..(from + HELD).min(end)).map(|index| record(Kind::Lists, second, index)).collect();
        json!({"data": rows, "more": from + HELD < end, "url": format!("/items/{holder}/rows")})
    };
    match request.path.strip_prefix("/items/") {
        Some(rest) => {
            let holder = rest.split('/').next().and_then(|id| id.parse().ok()).unwrap_or(0);
            Response::json(&rows(holder, number("after").map_or(holder * ROWS, |last| last + 1)))
        }
        None => {
            let from = number("cursor").unwrap_or(0);
            let end = count.div_ceil(ROWS);
            let page: Vec<Value> = (from..(from + HOLDERS).min(end))
                .map(|holder| json!({"id": holder, "rows": rows(holder, holder * ROWS)}))
                .collect();
            let next = (from + HOLDERS < end).then(|| (from + HOLDERS).to_string());
            Response::json(&json!({"data": page, "next": next}))
        }
    }
}

fn record(kind: Kind, second: bool, index: usize) -> Value {
    let id = if kind == Kind::Replace && second { 1000 + index } else { index };
    let v = if kind == Kind::Merge && second { "new" } else { "old" };
    // Every fourth record lies on the border of a window.
    let place = i64::try_from(index).unwrap_or(i64::MAX);
    let updated = if kind == Kind::Windows { FIRST + place * 15 * 86_400 } else { place + 1 };
    let mut record = json!({"id": id, "v": v, "updated": updated, "tags": [{"t": "a"}, {"t": "b"}]});
    if kind == Kind::Evolve && index >= 20 {
        record["more"] = json!({"deep": index});
        record["price"] = json!(1.5);
        record["notes"] = json!(["n"]);
    } else if kind == Kind::Evolve {
        record["price"] = json!(1);
    }
    record
}
