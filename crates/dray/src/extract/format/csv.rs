//! CSV: a record for each row.

use std::collections::{HashMap, HashSet};

use csv::{ByteRecord, ErrorKind, ReaderBuilder};

use super::text::{quoted, value};
use super::{Written, Wrong, within};
use crate::json::{Flaw, FlawKind};
use crate::plan::{CsvPlan, Limits};

pub(super) fn written(body: &[u8], plan: &CsvPlan, limits: &Limits) -> Result<Written, Wrong> {
    refuse_other(body, plan)?;
    let mut reader = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(plan.delimiter)
        .quote(plan.quote)
        .from_reader(body);
    let mut row = ByteRecord::new();
    let mut names: Option<Vec<Vec<u8>>> = (!plan.columns.is_empty()).then(|| named(&plan.columns));
    let mut written = Written { json: vec![b'['], flaws: Vec::new() };
    let mut header = plan.header;
    while reader.read_byte_record(&mut row).map_err(malformed)? {
        let line = row.position().map_or(0, csv::Position::line);
        if names.is_none() && row.len() > limits.json.keys {
            return Err(Wrong::Beyond("keys"));
        }
        if header {
            header = false;
            names = Some(named(&told_apart(&row)));
            continue;
        }
        let names = names.get_or_insert_with(|| {
            let numbered: Vec<String> = (1..=row.len()).map(|number| format!("column_{number}")).collect();
            named(&numbered)
        });
        if written.json.len() > 1 {
            written.json.push(b',');
        }
        if row.len() == names.len() {
            record(&row, names, plan.infer, &mut written.json);
        } else {
            ragged(&row, line, &mut written);
        }
        within(written.json.len(), limits)?;
    }
    written.json.push(b']');
    Ok(written)
}

/// Anything can be read as CSV: a page of HTML or an error in JSON would be a header without rows. So would a body that was
/// cut within quotes be one long field.
fn refuse_other(body: &[u8], plan: &CsvPlan) -> Result<(), Wrong> {
    let refused = |line: usize, why: &str| Err(Wrong::Malformed { line, why: why.to_owned() });
    match body.trim_ascii_start().first() {
        Some(b'<') => return refused(1, "it begins as markup does"),
        Some(b'{' | b'[') => return refused(1, "it begins as JSON does"),
        _ => {}
    }
    // A quote opens at the beginning of a field only, and one that is meant as such is doubled.
    let (mut inside, mut may_open, mut line, mut opened) = (false, true, 1_usize, 1_usize);
    for byte in body {
        if *byte == plan.quote {
            let opens = !inside && may_open;
            opened = if opens { line } else { opened };
            // After one that closes, another one is the second half of a doubled one.
            may_open = inside;
            inside = opens;
        } else if !inside {
            may_open = *byte == plan.delimiter || matches!(byte, b'\n' | b'\r');
        }
        line += usize::from(*byte == b'\n');
    }
    if inside { refused(opened, "a quote is never closed") } else { Ok(()) }
}

fn record(row: &ByteRecord, names: &[Vec<u8>], infer: bool, json: &mut Vec<u8>) {
    json.push(b'{');
    for (place, (name, field)) in names.iter().zip(row).enumerate() {
        if place > 0 {
            json.push(b',');
        }
        json.extend_from_slice(name);
        value(field, infer, json);
    }
    json.push(b'}');
}

/// A row with more or fewer fields than it should have is rejected: which of them is which cannot be known. Its line is
/// the key, so that it is in the way to the flaw.
fn ragged(row: &ByteRecord, line: u64, written: &mut Written) {
    let json = &mut written.json;
    json.extend_from_slice(format!("{{\"line {line}\":").as_bytes());
    written.flaws.push(Flaw { at: json.len(), kind: FlawKind::Fields });
    json.push(b'[');
    for (place, field) in row.iter().enumerate() {
        if place > 0 {
            json.push(b',');
        }
        quoted(field, json);
    }
    json.extend_from_slice(b"]}");
}

/// Names as the keys of an object, colons included.
fn named(names: &[impl AsRef<[u8]>]) -> Vec<Vec<u8>> {
    let key = |name: &[u8]| {
        let mut key = Vec::new();
        quoted(name, &mut key);
        key.push(b':');
        key
    };
    names.iter().map(|name| key(name.as_ref())).collect()
}

/// The names of a header: what has none is numbered, and so is what has one that came before.
fn told_apart(row: &ByteRecord) -> Vec<Vec<u8>> {
    let mut taken: HashSet<Vec<u8>> = HashSet::new();
    // How far a name is numbered: a header may hold it thousands of times.
    let mut numbers: HashMap<Vec<u8>, usize> = HashMap::new();
    let mut names = Vec::with_capacity(row.len());
    for (place, field) in row.iter().enumerate() {
        let mut name = field.trim_ascii().to_vec();
        if name.is_empty() {
            name = format!("column_{}", place + 1).into_bytes();
        }
        let first = name.clone();
        while !taken.insert(name.clone()) {
            let number = numbers.entry(first.clone()).or_insert(1);
            *number += 1;
            name = [&*first, format!("_{number}").as_bytes()].concat();
        }
        names.push(name);
    }
    names
}

fn malformed(error: csv::Error) -> Wrong {
    let line = error.position().map_or(0, csv::Position::line);
    let why = match error.kind() {
        ErrorKind::Io(error) => error.to_string(),
        _ => "not a row of CSV".to_owned(),
    };
    Wrong::Malformed { line: usize::try_from(line).unwrap_or(usize::MAX), why }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Plan;

    fn plan() -> CsvPlan {
        CsvPlan { delimiter: b',', quote: b'"', header: true, columns: Vec::new(), infer: false }
    }

    fn json(body: &str, plan: &CsvPlan) -> String {
        let limits = Plan::for_tests(Vec::new()).client.limits;
        String::from_utf8(written(body.as_bytes(), plan, &limits).unwrap().json).unwrap()
    }

    #[test]
    fn rows_become_records() {
        let body = "id,name\r\n1,\"a, \"\"b\"\"\nc\"\n\n2,\n";
        assert_eq!(json(body, &plan()), r#"[{"id":"1","name":"a, \"b\"\nc"},{"id":"2","name":null}]"#);
        assert_eq!(json("id,name\n", &plan()), "[]");
        let semicolons = CsvPlan { delimiter: b';', infer: true, ..plan() };
        assert_eq!(json("id;x\n1;0.50\n007;a", &semicolons), r#"[{"id":1,"x":0.50},{"id":"007","x":"a"}]"#);
    }

    #[test]
    fn what_is_no_csv_or_was_cut_is_refused() {
        let limits = Plan::for_tests(Vec::new()).client.limits;
        let refused = |body: &str| match written(body.as_bytes(), &plan(), &limits) {
            Err(Wrong::Malformed { line, why }) => Some((line, why)),
            _ => None,
        };
        let open = |line| Some((line, "a quote is never closed".to_owned()));
        assert_eq!(refused("id,name\n1,a\n2,\"b\n3,c\n"), open(3));
        assert_eq!(refused("id,name\n1,\"a\"\"\n"), open(2));
        assert!(refused(" <html>busy</html>").is_some() && refused("{\"error\": \"quota\"}").is_some());
        // Quotes inside a field that does not begin with one are letters.
        for sound in ["id,size\n1,5\" pipe\n", "id\n\"a \"\"b\"\"\"\n", "id\n\"\"\n", "id\n\"a\nb\"\n2\n"] {
            assert_eq!(refused(sound), None, "{sound}");
        }
    }

    #[test]
    fn fields_without_a_name_of_their_own_get_one() {
        assert_eq!(json("a,,a,\"a\n2\"\n1,2,3,4", &plan()).matches("\"a\\n2\"").count(), 1);
        assert_eq!(json("a,,a\n1,2,3", &plan()), r#"[{"a":"1","column_2":"2","a_2":"3"}]"#);
        assert_eq!(json("a,a_2,a,a\n1,2,3,4", &plan()), r#"[{"a":"1","a_2":"2","a_3":"3","a_4":"4"}]"#);
        let bare = CsvPlan { header: false, ..plan() };
        assert_eq!(json("1,2", &bare), r#"[{"column_1":"1","column_2":"2"}]"#);
        let given = CsvPlan { columns: vec!["x".to_owned(), "y".to_owned()], ..bare };
        assert_eq!(json("1,2", &given), r#"[{"x":"1","y":"2"}]"#);
    }

    #[test]
    fn a_ragged_row_is_marked_with_its_line() {
        let limits = Plan::for_tests(Vec::new()).client.limits;
        let found = written(b"a,b\n1,2\n\"x\ny\",2,3\n4,5\n6\n", &plan(), &limits).unwrap();
        let json = String::from_utf8(found.json).unwrap();
        assert_eq!(
            json,
            r#"[{"a":"1","b":"2"},{"line 3":["x\ny","2","3"]},{"a":"4","b":"5"},{"line 6":["6"]}]"#
        );
        let at: Vec<_> = found.flaws.iter().map(|flaw| &json[flaw.at..flaw.at + 5]).collect();
        assert_eq!(at, ["[\"x\\n", "[\"6\"]"]);
    }

    #[test]
    fn names_that_are_repeated_in_every_row_count() {
        let limits = Limits { body_bytes: 100, ..Plan::for_tests(Vec::new()).client.limits };
        let body = format!("{}\n{}", "a".repeat(50), "1\n".repeat(10));
        assert!(matches!(written(body.as_bytes(), &plan(), &limits), Err(Wrong::Beyond("body"))));
    }
}
