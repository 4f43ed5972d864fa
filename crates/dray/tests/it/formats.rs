//! Bodies that are not JSON: CSV, XML, one document a line, packed files.

use std::io::Write;

use dray::error::ErrorKind;
use dray_sim::{Response, Sim};
use serde_json::{Value, json};

use crate::support::{Bench, endpoint, fact, of, plan, script};

/// An API that answers with these bytes.
fn gives(body: impl Into<Vec<u8>>, kind: &'static str) -> Sim {
    let body = body.into();
    script(move |_| Response::status(200).with_header("content-type", kind).with_body(body.clone()))
}

fn records(body: &str, kind: &'static str, keys: &str) -> Vec<Value> {
    let told = endpoint(&gives(body, kind), keys);
    assert!(matches!(told.outcome, Some(Ok(()))), "{:?}", told.outcome);
    told.partitions.into_values().flatten().collect()
}

#[test]
fn csv_is_loaded_with_types_by_hints_and_its_bad_rows_are_rejects_with_their_line() {
    let sim = gives(&b"id;name;amount\n1;caf\xe9;2.50\n2;b\n\"3\";\"x;y\";\n"[..], "text/csv");
    let resources = "  - {name: things, columns: {id: {data_type: bigint}, amount: {data_type: decimal}}, \
        endpoint: {path: export, format: {type: csv, delimiter: ';', encoding: latin1}}}";
    let bench = Bench::new();
    let report = bench.run(plan(&sim, "rejects: keep", resources));
    assert_eq!((of(&report, "things").rows, of(&report, "things").rejected), (2, 1));
    let note = "things: records were rejected: a row with more or fewer fields than its header (1)";
    assert!(report.notes.iter().any(|found| found == note), "{:?}", report.notes);
    let rows = bench.query("select id, name, amount, typeof(id) from test_dataset.things order by id");
    assert_eq!(rows[0], ["1", "café", "2.500000000", "BIGINT"]);
    assert_eq!(rows[1], ["3", "x;y", "NULL", "BIGINT"]);
    let rejects = bench.query("select pointer, decode(raw) from test_dataset._dray_rejects");
    assert_eq!(rejects, [["/1/line 3", r#"{"line 3":["2","b"]}"#]]);
}

#[test]
fn csv_pages_follow_each_other_as_any() {
    let sim = script(|request| {
        let page: u64 = request.param("page").unwrap().parse().unwrap();
        let rows: String = (page * 2..(page * 2 + 2).min(5)).map(|id| format!("{id}\n")).collect();
        Response::status(200).with_body(format!("id\n{rows}"))
    });
    let told =
        endpoint(&sim, "format: {type: csv, infer: true}, paginator: {type: page_number, base_page: 0}");
    assert_eq!(told.ids(), [0, 1, 2, 3, 4]);
}

#[test]
fn xml_is_read_by_a_selector_and_an_empty_list_is_none() {
    let feed =
        |items: &str| format!("<?xml version='1.0'?><rss><channel><title>t</title>{items}</channel></rss>");
    let keys = "format: {type: xml, infer: true, lists: [tag]}, data_selector: rss.channel.item";
    let item = "<item id=\"7\"><n>5</n><tag>a</tag></item>";
    let one = json!({"@id": "7", "n": 5, "tag": ["a"]});
    assert_eq!(records(&feed(item), "application/xml", keys), std::slice::from_ref(&one));
    assert_eq!(records(&feed(&item.repeat(2)), "application/xml", keys), [one.clone(), one]);
    assert_eq!(records(&feed(""), "application/xml", keys), Vec::<Value>::new());
    let found = records(&feed(&item.repeat(2)), "application/xml", "format: xml");
    assert_eq!(found[1], json!({"@id": "7", "n": "5", "tag": "a"}));
}

#[test]
fn lines_are_read_where_the_answer_or_the_file_says_so() {
    let lines = "{\"id\":1}\n{\"id\":2}\n";
    for (kind, keys) in [("application/x-ndjson", "auth: null"), ("text/plain", "format: jsonl")] {
        assert_eq!(records(lines, kind, keys), [json!({"id": 1}), json!({"id": 2})]);
    }
}

#[test]
fn packed_files_are_unpacked_whatever_they_hold() {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(b"id\n1\n2\n").unwrap();
    let gzip = gzip.finish().unwrap();
    let sim = gives(gzip.clone(), "application/octet-stream");
    assert_eq!(endpoint(&sim, "format: {type: csv, infer: true}").ids(), [1, 2]);
    let packed = gives(gzip, "application/gzip");
    endpoint(&packed, "format: {type: json, unpack: never}").failed(ErrorKind::Response, "not JSON");
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    zip.start_file("export.json", options).unwrap();
    zip.write_all(b"[{\"id\":3}]").unwrap();
    let mut two = zip.finish().unwrap().into_inner();
    assert_eq!(endpoint(&gives(two.clone(), "application/zip"), "auth: null").ids(), [3]);
    let mut zip = zip::ZipWriter::new_append(std::io::Cursor::new(std::mem::take(&mut two))).unwrap();
    zip.start_file("more.json", options).unwrap();
    let two = zip.finish().unwrap().into_inner();
    let told = endpoint(&gives(two, "application/zip"), "auth: null");
    told.failed(ErrorKind::Response, "does not hold one file");
    assert_eq!((fact(told.error(), "file"), told.requests), ("export.json", 1));
}

#[test]
fn nul_bytes_are_left_out_where_the_file_says_so() {
    let body = b"[{\"id\":1,\"a\":\"x\0\xff\"}]".to_vec();
    let told = endpoint(&gives(body, "application/json"), "format: {type: json, lossy: true}");
    assert_eq!(told.values("a"), ["x\u{fffd}"]);
}

#[test]
fn what_is_not_what_it_should_be_says_where_and_what_it_looks_like() {
    for (body, kind, keys, said) in [
        ("<r>\n<a>", "text/xml", "format: xml", "line: 2"),
        ("<r>\n<a></b>", "text/xml", "format: xml", "the answer is not XML"),
        ("[{\"id\":1}]", "application/json", "format: xml", "it looks like JSON"),
        ("{\"id\":1}\n{\"id\":", "text/plain", "format: jsonl", "line: 2"),
        ("<?xml version='1.0'?><a/>", "text/xml", "auth: null", "write `format: xml`"),
        ("a,b\n1,2", "text/csv", "auth: null", "write `format: csv`"),
        ("", "text/csv", "format: csv", "empty where CSV was expected"),
    ] {
        let told = endpoint(&gives(body, kind), keys);
        told.failed(ErrorKind::Response, said);
        // It may have been cut on its way.
        assert_eq!(told.requests, 4, "{body}");
    }
}

#[test]
fn what_grows_beyond_the_limits_is_refused() {
    let body = format!("{}\n{}", "n".repeat(1000), "1\n".repeat(1000));
    let resources = "  - {name: things, endpoint: {path: items, format: csv}}";
    let told = crate::support::things(plan(&gives(body, "text/csv"), "limits: {body: 100000}", resources));
    told.failed(ErrorKind::Response, "raise `client.limits.body`");
    assert_eq!(told.requests, 1);
}
