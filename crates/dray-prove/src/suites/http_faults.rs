//! R4: every kind of broken answer, on the first, a middle and the last page.
//!
//! One configuration has a resource for each case, so that a broken neighbour is part of every case. The run against
//! faults that pass must load what a healthy API gives; the run against faults that stay must fail by name.

use std::time::Duration;

use dray::error::Result;
use dray::report::{Report, Status};

use crate::load::{DATASET, Folder, of};
use crate::pack::pack;
use crate::raw::{Answer, Asked, Raw, Step};
use crate::suite::{Bench, Outcome, Scale, Suite};

/// The suite.
pub(super) const SUITE: Suite = Suite {
    id: "R4",
    name: "HTTP faults",
    criterion: "whatever breaks on whichever page, the rows are those of a healthy API, or the resource fails with \
                resource, page and rule; never success with fewer rows",
    dlt: "7 of 7 kinds tested that lose rows in silence do so; HTML, 204, empty and cut bodies end the run",
    run,
};

/// Pages of every chain, and records of every page.
const PAGES: usize = 3;
const RECORDS: usize = 4;

/// How pages name the next.
const STYLES: [&str; 3] = ["cursor", "link", "offset"];

/// A kind of fault.
struct Kind {
    name: &'static str,
    /// A fault that passes is mended by asking again.
    heals: bool,
    /// What the error says where it stays.
    says: &'static str,
    /// It is about time, and runs with short ones.
    slow: bool,
    answer: fn(&Page) -> Answer,
}

/// The page that a fault stands in the place of.
struct Page {
    body: String,
    path: String,
}

const JSON: &str = "Content-Type: application/json";

const fn kind(name: &'static str, says: &'static str, answer: fn(&Page) -> Answer) -> Kind {
    Kind { name, heals: true, says, slow: false, answer }
}

const fn slow(name: &'static str, says: &'static str, answer: fn(&Page) -> Answer) -> Kind {
    Kind { name, heals: true, says, slow: true, answer }
}

/// A status that is an answer, not a fault of the moment.
const fn stays(name: &'static str, says: &'static str, answer: fn(&Page) -> Answer) -> Kind {
    Kind { name, heals: false, says, slow: false, answer }
}

/// A page in an encoding, cut where `keep` says.
fn encoded(encoding: &str, page: &Page, keep: impl Fn(usize) -> usize) -> Answer {
    let bytes = pack(encoding, page.body.as_bytes()).unwrap_or_default();
    let header = format!("Content-Encoding: {encoding}");
    Answer::whole("200 OK", &[JSON, &header], bytes.get(..keep(bytes.len())).unwrap_or_default())
}

/// The first half of a body.
fn half(page: &Page) -> &[u8] {
    page.body.as_bytes().get(..page.body.len() / 2).unwrap_or_default()
}

const KINDS: &[Kind] = &[
    kind("status_500", "status: 500", |_| Answer::whole("500 Oops", &[], "oops")),
    kind("status_503", "status: 503", |_| Answer::whole("503 Busy", &["Retry-After: 0"], "")),
    kind("status_429", "status: 429", |_| Answer::whole("429 Slow Down", &[], "")),
    stays("status_404", "status: 404", |_| Answer::whole("404 Gone", &[JSON], "{}")),
    stays("status_403", "status: 403", |_| Answer::whole("403 No", &[JSON], "{}")),
    kind("html_200", "not JSON", |_| {
        Answer::whole("200 OK", &["Content-Type: text/html"], "<html><body>Just a moment</body></html>")
    }),
    kind("no_content", "nothing where it announced", |_| Answer::head("204 No Content", &[])),
    kind("empty_200", "empty", |_| Answer::whole("200 OK", &[JSON], "")),
    kind("null", "`null`", |_| Answer::json("null")),
    kind("cut_json", "not JSON", |page| Answer::json(half(page))),
    kind("trailing_garbage", "end of the body", |page| Answer::json(format!("{}<!-- 3 ms -->", page.body))),
    kind("cut_by_length", "broke off", |page| {
        let length = format!("Content-Length: {}", page.body.len());
        Answer::head("200 OK", &[JSON, &length]).then(Step::Send(half(page).to_vec())).then(Step::Close)
    }),
    kind("length_too_small", "not JSON", |page| {
        let length = format!("Content-Length: {}", page.body.len() - 2);
        let body = page.body.as_bytes().to_vec();
        Answer::head("200 OK", &[JSON, &length, "Connection: close"]).then(Step::Send(body)).then(Step::Close)
    }),
    kind("cut_chunks", "broke off", |page| Answer::chunked(&[JSON], half(page), 10, false).then(Step::Close)),
    kind("broken_chunk_size", "broke off", |page| {
        let mut bytes = format!("{:x}\r\n", page.body.len()).into_bytes();
        bytes.extend_from_slice(page.body.as_bytes());
        bytes.extend_from_slice(b"\r\nxyz\r\n");
        Answer::head("200 OK", &[JSON, "Transfer-Encoding: chunked"])
            .then(Step::Send(bytes))
            .then(Step::Close)
    }),
    kind("early_close", "not JSON", |page| {
        let head = Answer::head("200 OK", &[JSON, "Connection: close"]);
        head.then(Step::Send(half(page).to_vec())).then(Step::Close)
    }),
    kind("cut_gzip", "compression is broken", |page| encoded("gzip", page, |length| length - 9)),
    kind("cut_deflate", "compression is broken", |page| encoded("deflate", page, |length| length - 5)),
    kind("cut_brotli", "compression is broken", |page| encoded("br", page, |length| length - 1)),
    kind("cut_zstd", "compression is broken", |page| encoded("zstd", page, |length| length - 3)),
    kind("gzip_that_is_none", "compression is broken", |page| {
        Answer::whole("200 OK", &[JSON, "Content-Encoding: gzip"], page.body.as_str())
    }),
    stays("unknown_encoding", "encoding that is not read", |page| {
        Answer::whole("200 OK", &[JSON, "Content-Encoding: lzma"], page.body.as_str())
    }),
    kind("reset_at_once", "cannot reach", |_| Answer::default().then(Step::Reset)),
    kind("reset_in_the_body", "broke off", |page| {
        let length = format!("Content-Length: {}", page.body.len());
        Answer::head("200 OK", &[JSON, &length]).then(Step::Send(half(page).to_vec())).then(Step::Reset)
    }),
    kind("close_at_once", "cannot reach", |_| Answer::default().then(Step::Close)),
    kind("not_http", "cannot reach", |_| {
        Answer::default().then(Step::Send(b"SSH-2.0-OpenSSH_9.6\r\n".to_vec())).then(Step::Close)
    }),
    kind("many_headers", "client.limits.headers", |page| {
        let many: Vec<String> = (0..300).map(|n| format!("X-Header-{n}: {n}")).collect();
        let mut headers: Vec<&str> = many.iter().map(String::as_str).collect();
        headers.push(JSON);
        Answer::whole("200 OK", &headers, page.body.as_str()).then(Step::Close)
    }),
    stays("redirect_in_circles", "circles", |page| {
        Answer::whole("302 Found", &[&format!("Location: {}", page.path)], "")
    }),
    stays("error_in_a_200", "matches nothing", |_| Answer::json(r#"{"error":"rate limited"}"#)),
    slow("no_answer", "client.timeout.first_byte", |_| Answer::default().then(Step::Hold)),
    slow("stands_still", "client.timeout.read", |page| {
        let length = format!("Content-Length: {}", page.body.len());
        Answer::head("200 OK", &[JSON, &length]).then(Step::Send(half(page).to_vec())).then(Step::Hold)
    }),
    slow("drips", "client.timeout.total", |page| {
        let length = format!("Content-Length: {}", page.body.len());
        let drip = Step::Drip(page.body.as_bytes().to_vec(), Duration::from_millis(100));
        Answer::head("200 OK", &[JSON, &length]).then(drip)
    }),
];

/// A kind of fault on a page of a chain of some style.
#[derive(Clone, Copy)]
struct Case {
    kind: &'static Kind,
    page: usize,
    style: &'static str,
}

impl Case {
    fn name(self) -> String {
        format!("{}_{}_{}", self.kind.name, self.style, self.page + 1)
    }

    fn resource(self) -> String {
        let name = self.name();
        let paginator = match self.style {
            "cursor" => "{type: cursor, cursor_path: next, cursor_param: page}",
            "link" => "{type: json_link, next_url_path: next}",
            _ => "{type: offset, limit: 4, total_path: total}",
        };
        format!(
            "  - {{name: {name}, endpoint: {{path: {name}, data_selector: data, paginator: {paginator}}}}}\n"
        )
    }
}

/// The page that a request asks for.
fn asked_page(asked: &Asked) -> usize {
    let number = |name| asked.param(name).and_then(|value| value.parse::<usize>().ok());
    number("page").or_else(|| number("offset").map(|offset| offset / RECORDS)).unwrap_or_default()
}

fn healthy(path: &str, style: &str, page: usize) -> String {
    let records: Vec<String> = (page * RECORDS..(page + 1) * RECORDS)
        .map(|id| format!(r#"{{"id":{id},"text":"a text of record {id}"}}"#))
        .collect();
    let next = match style {
        _ if page + 1 == PAGES => "null".to_owned(),
        "link" => format!(r#""{path}?page={}""#, page + 1),
        _ => format!(r#""{}""#, page + 1),
    };
    format!(r#"{{"data":[{}],"next":{next},"total":{}}}"#, records.join(","), PAGES * RECORDS)
}

fn serve(cases: Vec<Case>, passing: bool) -> std::io::Result<Raw> {
    Raw::start(move |asked| {
        let Some(case) = cases.iter().find(|case| asked.path().get(1..) == Some(&*case.name())) else {
            return Answer::whole("404 Not Found", &[], "");
        };
        let page = asked_page(asked);
        let body = healthy(asked.path(), case.style, page);
        if page == case.page && (asked.times == 1 || !passing) {
            (case.kind.answer)(&Page { body, path: asked.target.clone() })
        } else {
            Answer::json(body)
        }
    })
}

fn run(bench: &Bench) -> Outcome {
    let styles: &[&str] = if bench.scale == Scale::Full { &STYLES } else { &STYLES[..1] };
    let mut outcome = Outcome::default();
    for is_slow in [false, true] {
        let of_kind = KINDS.iter().filter(|kind| kind.slow == is_slow);
        let cases: Vec<Case> = of_kind
            .flat_map(|kind| (0..PAGES).map(move |page| (kind, page)))
            .flat_map(|(kind, page)| styles.iter().map(move |style| Case { kind, page, style }))
            .collect();
        for passing in [true, false] {
            let found = runs(&cases, is_slow, passing);
            for case in &cases {
                let which = if passing { "passes" } else { "stays" };
                let result = match &found {
                    Ok((report, folder)) => judge(*case, passing, report, folder),
                    Err(error) => Err(error.clone()),
                };
                outcome.case(format_args!("{} {which}", case.name()), result);
            }
        }
    }
    outcome.figure("kinds of faults", KINDS.len());
    outcome
}

/// A run of all cases against their server.
fn runs(cases: &[Case], slow: bool, passing: bool) -> std::result::Result<(Report, Folder), String> {
    let server = serve(cases.to_vec(), passing).map_err(|error| error.to_string())?;
    let folder = Folder::new().map_err(|error| error.to_string())?;
    let (timeout, retries) = match slow {
        // Long enough for a healthy answer of a busy machine.
        true => ("{connect: 10s, first_byte: 1s, read: 1s, total: 2s}", 1),
        false => ("{connect: 30s, first_byte: 60s, read: 60s}", 3),
    };
    let config = format!(
        "client:\n  base_url: {}\n  concurrency: 16\n  timeout: {timeout}\n  \
         retry: {{max_retries: {retries}, backoff_factor: 0.01}}\nresources:\n{}",
        server.base_url(),
        cases.iter().map(|case| case.resource()).collect::<String>()
    );
    let report: Result<Report> = folder.load(&config, &[]);
    report.map(|report| (report, folder)).map_err(|error| error.chain())
}

fn judge(case: Case, passing: bool, report: &Report, folder: &Folder) -> std::result::Result<(), String> {
    let name = case.name();
    let resource = of(report, &name).ok_or("not in the report")?;
    if resource.status == Status::Succeeded {
        let sql = format!("SELECT id FROM {DATASET}.{name} ORDER BY id");
        // A first page that says twice that there is nothing is an empty resource.
        let empty = case.kind.name == "no_content" && case.page == 0 && !passing;
        let rows = if empty { Vec::new() } else { folder.column(&sql).map_err(|error| error.chain())? };
        let whole: Vec<String> = (0..PAGES * RECORDS).map(|id| id.to_string()).collect();
        return match (rows == whole, empty) {
            (true, _) if passing => Ok(()),
            (_, true) if resource.records == 0 => Ok(()),
            (true, _) => Err("succeeded although its fault stays".to_owned()),
            _ => Err(format!("succeeded with the rows {rows:?}")),
        };
    }
    let said = resource.error.as_deref().unwrap_or_default();
    if passing && case.kind.heals {
        return Err(format!("a fault that passes was not mended: {said}"));
    }
    let page = format!("page: {}", case.page + 1);
    let expected = [case.kind.says, &name, &page];
    match expected.iter().find(|part| !said.contains(**part)) {
        Some(part) => Err(format!("no `{part}` in: {said}")),
        None => Ok(()),
    }
}
