//! The same load with one request at once and with sixteen.

use serde_json::{Value, json};

use super::late::{Late, Server, json as answer, number};
use crate::load::{Folder, failure, of};
use crate::raw::{Answer, Asked};

/// Records of a page.
const PAGE: u64 = 10;
/// Requests at once, and as many may be asked for in vain.
const AT_ONCE: usize = 16;

/// What is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum List {
    Offset,
    OffsetTotal,
    OffsetFlag,
    Pages,
    PagesTotal,
    Cursor,
    Link,
    /// A page fails now and then, and is asked for again.
    Faulty,
    Children,
}

pub(super) const ALL: [List; 9] = [
    List::Offset,
    List::OffsetTotal,
    List::OffsetFlag,
    List::Pages,
    List::PagesTotal,
    List::Cursor,
    List::Link,
    List::Faulty,
    List::Children,
];

impl List {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Offset => "offsets without a total",
            Self::OffsetTotal => "offsets with a total",
            Self::OffsetFlag => "offsets with a flag",
            Self::Pages => "page numbers without a total",
            Self::PagesTotal => "page numbers with a total",
            Self::Cursor => "cursors",
            Self::Link => "links",
            Self::Faulty => "offsets with faults",
            Self::Children => "children by offset",
        }
    }

    fn paginator(self) -> &'static str {
        match self {
            Self::Offset | Self::OffsetTotal | Self::Faulty | Self::Children => "{type: offset, limit: 10}",
            Self::OffsetFlag => "{type: offset, limit: 10, total_path: null, has_more_path: more}",
            Self::Pages => "{type: page_number, base_page: 1, limit: 10, total_path: null}",
            Self::PagesTotal => "{type: page_number, base_page: 1, total_path: pages}",
            Self::Cursor => "{type: cursor, cursor_path: next, cursor_param: at}",
            Self::Link => "{type: json_link, next_url_path: link}",
        }
    }

    fn resources(self) -> String {
        let endpoint = |path: &str| {
            format!("endpoint: {{path: \"{path}\", data_selector: data, paginator: {}}}", self.paginator())
        };
        let items = format!("  - {{name: items, write_disposition: append, {}}}\n", endpoint("items"));
        if self != Self::Children {
            return items;
        }
        format!(
            "{items}  - {{name: children, write_disposition: append, include_from_parent: [id], {}}}\n",
            endpoint("items/{resources.items.id}/children")
        )
    }

    fn page(self, asked: &Asked, count: u64) -> Answer {
        let parent =
            asked.path().strip_prefix("/items/").and_then(|rest| rest.split('/').next()?.parse::<u64>().ok());
        let count = parent.map_or(count, |parent| parent * 7 % 45);
        let at = number(asked, "offset").or(number(asked, "at")).unwrap_or_default();
        let from = number(asked, "page").map_or(at, |page| page.saturating_sub(1) * PAGE);
        if self == Self::Faulty && asked.times == 1 && from % 4 == 1 {
            return Answer::whole("503 Service Unavailable", &[], "");
        }
        let end = (from + PAGE).min(count);
        let data: Value = (from.min(count)..end).map(|id| json!({"id": id, "v": id * 31 % 17})).collect();
        let mut body = json!({"data": data, "more": end < count});
        match self {
            Self::OffsetTotal => body["total"] = json!(count),
            Self::PagesTotal => body["pages"] = json!(count.div_ceil(PAGE)),
            Self::Cursor if end < count => body["next"] = json!(end),
            Self::Link if end < count => body["link"] = json!(format!("/items?at={end}")),
            _ => {}
        }
        answer(&body)
    }
}

/// What a load left: the rows of each table, in the order of the table where it is that of one chain.
#[derive(Debug, PartialEq, Eq)]
struct Left {
    items: Vec<String>,
    children: Vec<String>,
}

fn load(list: List, count: u64, seed: u64, concurrency: usize) -> Result<(Left, u64, u64), String> {
    let server = Server::start(Late::Upto(6), seed, move |asked, _| list.page(asked, count))?;
    let folder = Folder::new().map_err(|error| error.to_string())?;
    let config = format!("{}resources:\n{}", server.client(concurrency), list.resources());
    let loaded = folder.load(&config, &[]);
    if let Some(error) = failure(&loaded) {
        return Err(format!("at {concurrency}: {error}"));
    }
    let report = loaded.map_err(|error| error.chain())?;
    let column = |sql: &str| folder.column(sql).map_err(|error| error.chain());
    let mut left =
        Left { items: column("SELECT id || ' ' || v FROM data.items ORDER BY rowid")?, children: Vec::new() };
    let mut allowed = 0;
    for resource in ["items", "children"] {
        if let Some(report) = of(&report, resource) {
            allowed += report.pages + report.retries + AT_ONCE as u64;
        }
    }
    if list == List::Children {
        // Each parent's rows in the order of its list.
        left.children = column("SELECT _items_id || ' ' || id FROM data.children ORDER BY _items_id, rowid")?;
        // Every chain may look for its end.
        allowed += server.seen.requests();
    }
    Ok((left, server.seen.requests(), allowed))
}

/// Loads a list of a random length both ways.
pub(super) fn same(list: List, seed: u64) -> Result<(), String> {
    let count = match list {
        List::Children => 25,
        _ => fastrand::Rng::with_seed(seed).u64(0..600),
    };
    let (expected, alone, _) = load(list, count, seed, 1)?;
    let (found, requests, allowed) = load(list, count, seed, AT_ONCE)?;
    let right: Vec<String> = (0..count).map(|id| format!("{id} {}", id * 31 % 17)).collect();
    if found.items != right {
        return Err(format!("{} rows of {count}, or in another order", found.items.len()));
    }
    if found != expected {
        return Err("the tables differ from those of one request after the other".to_owned());
    }
    if requests > allowed.max(alone + AT_ONCE as u64) {
        return Err(format!("{requests} requests, where {alone} are enough and {allowed} allowed"));
    }
    Ok(())
}
