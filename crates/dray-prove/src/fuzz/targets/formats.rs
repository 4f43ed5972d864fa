//! Bodies that are not JSON to records: CSV, XML, one document a line, packed files.

use std::io::Write as _;

use dray::extract::door;
use dray::plan::Plan;
use http::HeaderMap;

use super::{Check, Target, as_it_is};
use crate::fuzz::{joined, parts};
use crate::load::plan;

/// The target.
pub(super) const TARGET: Target = Target {
    name: "formats",
    seeds,
    words: &[
        "<item>",
        "</item>",
        "<a b=\"c\"/>",
        "&amp;",
        "&#x41;",
        "<![CDATA[",
        "]]>",
        "<!DOCTYPE a [<!ENTITY b \"c\">]>",
        "<?xml version=\"1.0\" encoding=\"latin1\"?>",
        "\"\"",
        ";",
        "\r\n",
        "{\"id\":1}\n",
        "\u{1e}",
        "PK\x03\x04",
        "\x1f",
    ],
    finish: as_it_is,
    start,
};

/// A resource for each format.
const CONFIG: &str = r#"
client:
  base_url: https://api.example/v1/
  limits: {body: 8MiB, depth: 40, keys: 200}
resources:
  - {name: csv, endpoint: {paginator: single_page, format: csv}}
  - {name: bare, endpoint: {paginator: single_page, format: {type: csv, delimiter: ";", columns: [a, b], infer: true, lossy: true}}}
  - {name: xml, endpoint: {paginator: single_page, format: {type: xml, infer: true, lists: [tag]}, data_selector: feed.item}}
  - {name: latin, endpoint: {paginator: single_page, format: {type: xml, encoding: latin1}, data_selector: $}}
  - {name: lines, endpoint: {paginator: single_page, format: jsonl}}
  - {name: json, endpoint: {paginator: single_page}}
"#;

fn seeds() -> Vec<Vec<u8>> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let gzip = gzip.write_all(b"[{\"id\":1}]").and_then(|()| gzip.finish()).unwrap_or_default();
    // A zip with one stored file, written out: its entry, the directory, and the end.
    let mut zip =
        b"PK\x03\x04\x14\0\0\0\0\0\0\0\0\0\x7f\x9a\x57\x41\x03\0\0\0\x03\0\0\0\x01\0\0\0a[1]".to_vec();
    zip.extend(b"PK\x01\x02\x14\0\x14\0\0\0\0\0\0\0\0\0\x7f\x9a\x57\x41\x03\0\0\0\x03\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0a");
    zip.extend(b"PK\x05\x06\0\0\0\0\x01\0\x01\0\x2f\0\0\0\x22\0\0\0\0\0");
    let bodies: [(u8, &[u8]); 9] = [
        (0, b"id,name\r\n1,\"a, \"\"b\"\"\"\n2\n\n3,c\n"),
        (1, b"1;0.5\n007;true\n\xe9;\0\n1;2;3\n"),
        (2, b"<?xml version=\"1.0\"?><feed><item id=\"1\"><n>1</n><tag>a</tag></item><item/></feed>"),
        (2, b"<feed></feed>"),
        (3, b"<?xml version='1.0' encoding='ISO-8859-1'?><a>\xe9 &amp; &#233;<![CDATA[<b>]]><b c='d'>x</b></a>"),
        (4, b"{\"id\":1}\n\x1e{\"id\":2}\r\n[3]\n"),
        (5, &gzip),
        (5, &zip),
        (0, &gzip),
    ];
    bodies.iter().map(|(resource, body)| joined(&[&[*resource], body])).collect()
}

fn start() -> Result<Check, String> {
    let plan = plan(CONFIG, &[]).map_err(|error| error.chain())?;
    Ok(Box::new(move |input| check(&plan, input)))
}

fn check(plan: &Plan, input: &[u8]) -> Result<(), String> {
    let [resource, body] = parts(input);
    let index = usize::from(resource.first().copied().unwrap_or_default()) % plan.resources.len();
    let Ok((page, rejected, _)) = door::page(plan, index, &HeaderMap::new(), body.to_vec()) else {
        return Ok(());
    };
    // A row has a line of its own.
    let found = page.records.len() + rejected;
    let lines = body.iter().filter(|byte| matches!(byte, b'\n' | b'\r')).count() + 1;
    if index < 2 && !body.starts_with(b"PK") && !body.starts_with(b"\x1f") && found > lines {
        return Err(format!("{found} rows on {lines} lines"));
    }
    Ok(())
}
