//! Lists that change between the pages, against what must hold for every one of them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use http::HeaderMap;
use url::Url;

use super::{Chain, Ended, Next, PageFacts, Token, Verdict};
use crate::error::Error;
use crate::extract::ahead::{Came, Pace};
use crate::json::{Document, Path};
use crate::plan::{
    Disposition, DriftWatch, LoadPlan, PaginatorPlan, Paging, ResourcePlan, TokenTarget, Total,
};

/// Lists of each kind.
const SEEDS: u64 = 2_000;

/// A list of ids, and what happens to it.
struct World {
    rows: Vec<u64>,
    random: fastrand::Rng,
    next: u64,
    /// Changes left, and how many may fall between two pages.
    budget: u32,
    at_once: u32,
    moves: bool,
    /// Rows that were there from the beginning and were never deleted.
    steady: BTreeSet<u64>,
    deletes: bool,
    /// Nothing was asked yet.
    fresh: bool,
    /// Answers between two changes at least, and those still to come: so many may be under way from one page to the next.
    apart: usize,
    calm: usize,
    log: Vec<String>,
}

impl World {
    /// Answers a request, after what may have happened since the last one.
    fn page(&mut self, token: &Token, limit: u64, total: bool) -> serde_json::Value {
        if !std::mem::replace(&mut self.fresh, false) {
            self.change();
        }
        let from = match token {
            Token::Offset(at) => *at,
            Token::Page(page) => (page - 1) * limit,
            _ => panic!("{token:?}"),
        };
        let from = usize::try_from(from).unwrap().min(self.rows.len());
        let to = (from + usize::try_from(limit).unwrap()).min(self.rows.len());
        let data: Vec<_> = self.rows[from..to].iter().map(|id| serde_json::json!({ "id": id })).collect();
        self.log.push(format!("{token:?}"));
        if total {
            serde_json::json!({ "data": data, "total": self.rows.len() })
        } else {
            serde_json::json!({ "data": data })
        }
    }

    fn change(&mut self) {
        self.calm = self.calm.saturating_sub(1);
        if self.calm > 0 {
            return;
        }
        let before = self.log.len();
        self.changes();
        if self.log.len() > before {
            self.calm = self.apart;
        }
    }

    fn changes(&mut self) {
        for _ in 0..self.at_once {
            if self.budget == 0 || self.random.u8(0..10) > 3 {
                continue;
            }
            self.budget -= 1;
            let place = self.random.usize(0..=self.rows.len());
            match self.random.u8(0..if self.moves { 3 } else { 2 }) {
                0 => {
                    self.rows.insert(place, self.next);
                    self.log.push(format!("+{}@{place}", self.next));
                    self.next += 1;
                }
                1 if self.deletes && place < self.rows.len() => {
                    let gone = self.rows.remove(place);
                    self.steady.remove(&gone);
                    self.log.push(format!("-{gone}@{place}"));
                }
                2 if place < self.rows.len() => {
                    let moved = self.rows.remove(place);
                    let to = self.random.usize(0..=self.rows.len());
                    self.rows.insert(to, moved);
                    self.log.push(format!("{moved}@{place}->{to}"));
                }
                _ => {}
            }
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Case {
    pages: bool,
    total: bool,
    watch: DriftWatch,
    keyed: bool,
    at_once: u32,
    moves: bool,
    deletes: bool,
    /// Pages under way at once; the list changes between any two answers, which come in any order.
    under_way: usize,
}

fn resource(keyed: bool) -> ResourcePlan {
    let load = LoadPlan {
        table: "things".to_owned(),
        disposition: Disposition::Append,
        primary_key: if keyed { vec!["id".to_owned()] } else { Vec::new() },
        key_inherited: false,
        fallback_key: None,
        merge_key: Vec::new(),
        columns: Vec::new(),
        max_nesting: None,
        shared: None,
        contract: crate::plan::Contract::default(),
    };
    ResourcePlan::for_tests("things", load)
}

fn paging(case: Case, limit: u64) -> Paging {
    let into = TokenTarget::Query("at".to_owned());
    let paginator = if case.pages {
        PaginatorPlan::PageNumber { base: 1, start: 1, into, maximum: None }
    } else {
        PaginatorPlan::Offset { start: 0, into, maximum: None }
    };
    Paging {
        paginator,
        limit: Some(limit),
        limit_into: None,
        has_more: None,
        total: Some(Total::at(Path::key("total"), false)),
        stop_after_empty_page: true,
        stop_after_short_page: true,
        drift: case.watch,
        sending: crate::plan::Sending::default(),
    }
}

/// How often each id was delivered, and what was said at the end.
struct Told {
    delivered: BTreeMap<u64, u32>,
    ended: Ended,
    requests: u64,
}

/// Reads the list.
fn read(case: Case, seed: u64) -> (World, Result<Told, Error>) {
    let mut random = fastrand::Rng::with_seed(seed);
    let (size, limit) = (random.u64(0..40), random.u64(3..8));
    let rows: Vec<u64> = (0..size).collect();
    let budget = random.u32(0..5);
    let steady = rows.iter().copied().collect();
    let (at_once, moves) = (case.at_once, case.moves);
    let apart = if case.under_way > 1 { 2 * case.under_way } else { 0 };
    let mut world = World {
        rows,
        random,
        next: size,
        budget,
        at_once,
        moves,
        steady,
        deletes: case.deletes,
        fresh: true,
        apart,
        calm: 0,
        log: Vec::new(),
    };
    let told = chain(case, limit, &mut world);
    (world, told)
}

fn chain(case: Case, limit: u64, world: &mut World) -> Result<Told, Error> {
    let (paging, url, headers) = (paging(case, limit), Url::parse("http://h/").unwrap(), HeaderMap::new());
    let mut chain = Chain::new(&resource(case.keyed));
    let mut token = Chain::first(&paging);
    let mut delivered = BTreeMap::new();
    let (mut pace, mut early) = (Pace::new(case.under_way), VecDeque::new());
    let mut requests = 0;
    for _ in 1..2000 {
        let hurried = early.front().is_some_and(|(known, _)| *known == token);
        if !hurried {
            early.clear();
            requests += 1;
        }
        let body = early.pop_front().map_or_else(|| world.page(&token, limit, case.total), |(_, body)| body);
        if hurried {
            chain.hurry();
        }
        let data = body["data"].as_array().unwrap().clone();
        let document = Document::parse(body.to_string().into_bytes()).unwrap();
        let mut records = Vec::new();
        Path::parse("data[*]").unwrap().all(&document, document.root(), &mut records);
        let facts =
            PageFacts { document: &document, records: &records, headers: &headers, url: &url, last: false };
        let next = chain.next(&paging, &token, &facts)?;
        for (place, record) in data.iter().enumerate() {
            if !chain.dropped().contains(&place) {
                *delivered.entry(record["id"].as_u64().unwrap()).or_default() += 1;
            }
        }
        match next {
            Next::Page(following) => {
                let bound = chain.bound(&paging, &following);
                let came = Came {
                    records: records.len(),
                    bytes: 0,
                    onward: chain.may_hurry(),
                    disturbed: !chain.may_be_carried_on(),
                    bound: bound.total,
                    maximum: bound.maximum,
                    sparing: false,
                };
                let mut wanted = pace.wanted(&token, &following, came);
                if early.iter().zip(&wanted).any(|((known, _), token)| known != token) {
                    early.clear();
                }
                let mut fresh = wanted.split_off(early.len().min(wanted.len()));
                let order = fresh.clone();
                if case.under_way > 1 {
                    world.random.shuffle(&mut fresh);
                    let pages = fresh.into_iter().map(|token| {
                        requests += 1;
                        let body = world.page(&token, limit, case.total);
                        (token, body)
                    });
                    early.extend(pages.collect::<Vec<_>>());
                    early.make_contiguous().sort_by_key(|(token, _)| {
                        order.iter().position(|known| known == token).map_or(0, |place| place + 1)
                    });
                }
                token = following;
            }
            Next::Done => {
                return Ok(Told { delivered, ended: chain.ended(), requests });
            }
        }
    }
    panic!("never ends");
}

#[track_caller]
fn holds(case: Case) {
    let mut refused = 0;
    for seed in 0..SEEDS {
        let (world, told) = read(case, seed);
        let context = || format!("{case:?} seed {seed}: {:?}", world.log);
        let delivered = match told {
            Ok(told) => told.delivered,
            // As many insertions as a page has records look like a server that repeats itself.
            Err(error) if error.to_string().contains("same page again") => {
                refused += 1;
                continue;
            }
            Err(error) => panic!("{}: {}", context(), error.chain()),
        };
        for id in &world.steady {
            assert!(delivered.contains_key(id), "{id} is missing; {}", context());
        }
        let twice = delivered.iter().find(|(_, times)| **times > 1);
        assert!(twice.is_none(), "{twice:?} came twice; {}", context());
    }
    assert!(refused * 100 < SEEDS, "{refused} were refused");
}

const CASE: Case = Case {
    pages: false,
    total: true,
    watch: DriftWatch::Watch,
    keyed: true,
    at_once: 1,
    moves: false,
    deletes: true,
    under_way: 1,
};

#[test]
fn with_a_total_one_change_between_two_pages_loses_and_doubles_nothing() {
    for pages in [false, true] {
        holds(Case { pages, ..CASE });
        holds(Case { pages, keyed: false, ..CASE });
    }
}

#[test]
fn overlapping_offsets_lose_and_double_nothing_whatever_happens_between_two_pages() {
    for keyed in [true, false] {
        holds(Case { total: false, keyed, at_once: 4, ..CASE });
    }
}

#[test]
fn pages_ahead_lose_and_double_nothing_where_pages_in_turn_would_not() {
    for under_way in [3, 16] {
        for pages in [false, true] {
            holds(Case { pages, under_way, ..CASE });
            holds(Case { pages, under_way, keyed: false, ..CASE });
        }
        holds(Case { total: false, at_once: 4, under_way, ..CASE });
    }
}

/// In turn an insertion only brings records twice; ahead it may open a gap that nothing tells of at once.
#[test]
fn page_numbers_without_a_total_lose_nothing_to_insertions() {
    for under_way in [1, 4] {
        for keyed in [true, false] {
            holds(Case { pages: true, total: false, deletes: false, keyed, under_way, ..CASE });
        }
    }
}

#[test]
fn two_readings_that_agree_have_it_all() {
    for pages in [true, false] {
        for total in [true, false] {
            holds(Case { pages, total, watch: DriftWatch::Verify, at_once: 3, moves: true, ..CASE });
        }
    }
}

#[test]
fn a_list_that_stands_still_is_asked_for_once_and_is_complete() {
    for (pages, size) in [false, true].into_iter().flat_map(|pages| (0..40).map(move |size| (pages, size))) {
        let mut world = World {
            rows: (0..size).collect(),
            random: fastrand::Rng::with_seed(size),
            next: size,
            budget: 0,
            at_once: 0,
            moves: false,
            steady: BTreeSet::new(),
            deletes: false,
            fresh: true,
            apart: 0,
            calm: 0,
            log: Vec::new(),
        };
        let told = chain(Case { pages, ..CASE }, 5, &mut world).unwrap();
        // A page number's total may count pages: only an empty page tells then.
        let full = size > 0 && (!pages || size > 1);
        assert_eq!(told.requests, size.div_ceil(5).max(1) + u64::from(pages && full), "{size}");
        assert_eq!(told.ended.verdict, Verdict::Complete, "{size}");
        assert_eq!(told.ended.counted, size);
        assert_eq!(told.ended.events, Default::default());
    }
}
