//! The bodies, and what must come of each.

/// A body of one resource.
pub(super) struct Case {
    pub(super) name: String,
    pub(super) body: Vec<u8>,
    /// Empty: none is sent.
    pub(super) content_type: String,
    /// Its records are under `data`.
    pub(super) selected: bool,
    pub(super) expect: Expect,
    /// The rest of the query that reads what was loaded.
    pub(super) which: &'static str,
    /// The record that is rejected, as it was sent.
    pub(super) record: Vec<u8>,
}

/// What must come of it.
pub(super) enum Expect {
    /// Every record; this expression over the table has this value.
    Loads { select: String, found: String },
    /// The records 1 and 3; the one between them is rejected for this reason.
    Rejects(&'static str),
    /// Nothing: the resource fails, and says this.
    Fails(&'static str),
}

const JSON: &str = "application/json";

/// The cases as they are made.
#[derive(Default)]
struct Cases(Vec<Case>);

impl Cases {
    fn add(&mut self, group: &str, body: Vec<u8>, expect: Expect) -> &mut Case {
        let same = |case: &&Case| case.name.rsplit_once('_').is_some_and(|(own, _)| own == group);
        let number = self.0.iter().filter(same).count() + 1;
        self.0.push(Case {
            name: format!("{group}_{number:02}"),
            body,
            content_type: JSON.to_owned(),
            selected: false,
            expect,
            which: "WHERE id = 2",
            record: Vec::new(),
        });
        let last = self.0.len() - 1;
        &mut self.0[last]
    }

    /// A record between two sound ones, which is rejected.
    fn rejected(&mut self, group: &str, reason: &'static str, record: &[u8]) {
        let body = [br#"[{"id":1,"a":"good"},"#, record, br#",{"id":3,"a":"good"}]"#].concat();
        self.add(group, body, Expect::Rejects(reason)).record = record.to_vec();
    }

    /// A field `a` of the second record, which is loaded as this value of this expression.
    fn value(&mut self, group: &str, literal: &str, select: &str, found: &str) {
        let body = format!(r#"[{{"id":1}},{{"id":2,"a":{literal}}}]"#);
        self.loads(group, &body, select, found);
    }

    /// A field `a` that the first record had with another type.
    fn after(&mut self, first: &str, literal: &str, select: &str, found: &str) {
        let body = format!(r#"[{{"id":1,"a":{first}}},{{"id":2,"a":{literal}}}]"#);
        self.loads("mixed", &body, select, found);
    }

    fn loads(&mut self, group: &str, body: &str, select: &str, found: &str) -> &mut Case {
        let expect = Expect::Loads { select: select.to_owned(), found: found.to_owned() };
        self.add(group, body.as_bytes().to_vec(), expect)
    }

    fn fails(&mut self, group: &str, words: &'static str, body: &[u8]) -> &mut Case {
        self.add(group, body.to_vec(), Expect::Fails(words))
    }
}

/// All of them.
pub(super) fn all() -> Vec<Case> {
    let mut cases = Cases::default();
    bad_records(&mut cases);
    numbers(&mut cases);
    texts(&mut cases);
    mixed(&mut cases);
    keys(&mut cases);
    encodings(&mut cases);
    not_json(&mut cases);
    cases.0
}

fn bad_records(cases: &mut Cases) {
    let utf8 = "not UTF-8";
    for bytes in [
        &b"\xff"[..],
        b"\xc3(",
        b"\xc0\xaf",
        b"\xed\xa0\x80",
        b"\xf0\x9f\x98",
        b"\xf8\x88\x80\x80\x80",
        b"caf\xe9",
        b"\x80 \x81",
    ] {
        cases.rejected("utf8", utf8, &[br#"{"id":2,"a":""#, bytes, br#""}"#].concat());
    }
    cases.rejected("utf8", utf8, b"{\"id\":2,\"\xe9\":1}");
    cases.rejected("utf8", utf8, b"{\"id\":2,\"a\":{\"b\":[{\"c\":\"\xe9\"}]}}");
    cases.rejected("utf8", utf8, b"\"\xe9\"");
    let half = "half of a surrogate pair";
    for text in [
        r"\ud83d",
        r"\ude00",
        r"\ude00\ud83d",
        r"\ud83d\ud83d\ude00",
        r"\uD83Dx",
        r"\ud83d\n",
        r"\ud83d\u0041",
        r"x\udfff",
    ] {
        cases.rejected("surrogate", half, format!(r#"{{"id":2,"a":"{text}"}}"#).as_bytes());
    }
    cases.rejected("surrogate", half, br#"{"id":2,"\ud83d":1}"#);
    cases.rejected("surrogate", half, br#"{"id":2,"a":[["\ud83d"]]}"#);
    let nan = "NaN or Infinity";
    for value in ["NaN", "Infinity", "-Infinity", "[1,NaN]", "{\"b\":-Infinity}"] {
        cases.rejected("nan", nan, format!(r#"{{"id":2,"a":{value}}}"#).as_bytes());
    }
    let depth = "client.limits.depth";
    for (open, close, levels) in
        [("[", "]", 127), ("[", "]", 100_000), (r#"{"a":"#, "}", 127), (r#"[{"a":"#, "}]", 50_000)]
    {
        let deep = format!("{}1{}", open.repeat(levels), close.repeat(levels));
        cases.rejected("depth", depth, format!(r#"{{"id":2,"a":{deep}}}"#).as_bytes());
    }
    let wide: Vec<String> = (0..10_001).map(|key| format!(r#""k{key}":1"#)).collect();
    let wide = wide.join(",");
    cases.rejected("keys", "client.limits.keys", format!(r#"{{"id":2,{wide}}}"#).as_bytes());
    cases.rejected("keys", "client.limits.keys", format!(r#"{{"id":2,"a":{{{wide}}}}}"#).as_bytes());
}

fn numbers(cases: &mut Cases) {
    for same in [
        "9223372036854775807",
        "-9223372036854775808",
        "9223372036854775808",
        "-9223372036854775809",
        "18446744073709551615",
        "18446744073709551616",
        "99999999999999999999999999999999999999",
        "999999999999999999999999999999999999999",
        "1606938044258990275541962092341162602522202993782792835301376",
        "-1606938044258990275541962092341162602522202993782792835301376",
        "1e400",
        "-1e400",
        "1e-400",
        "0.1234567890123456789012345678901234567890",
        "1.23456789012e-320",
        "0.5",
        "-0.25",
        "5e-324",
        "1.7976931348623157e+308",
        "0.30000000000000004",
    ] {
        cases.value("number", same, "a", same);
    }
    cases.value("number", &"7".repeat(100_000), "a = repeat('7', 100000)", "true");
    cases.value("number", &format!("0.{}", "7".repeat(100_000)), "a = '0.' || repeat('7', 100000)", "true");
    cases.value("number", "12345678901234567.89", "a", "12345678901234567.890000000");
    cases.value("number", "1E5", "a = 100000", "true");
    cases.value("number", "-0", "a", "0");
    cases.value("number", "0.10000000000000000", "a", "0.1");
}

fn texts(cases: &mut Cases) {
    for (literal, select) in [
        (r#""x\u0000y""#, "a = 'x' || chr(0) || 'y'"),
        (r#""\u0000""#, "length(a) = 1 AND ascii(a) = 0"),
        (r#""\"\\\/\b\f\n\r\t""#, r#"a = '"\/' || chr(8) || chr(12) || chr(10) || chr(13) || chr(9)"#),
        (r#""\ud83d\ude00""#, "a = chr(128512)"),
        (r#""\uffff\ufffe""#, "a = chr(65535) || chr(65534)"),
        (r#""\ufeffx""#, "a = chr(65279) || 'x'"),
        (r#""\u2028\u2029""#, "a = chr(8232) || chr(8233)"),
        (r#""\u202eabc""#, "a = chr(8238) || 'abc'"),
        (r#""""#, "a = ''"),
        (r#""  ""#, "a = '  '"),
        (r#""NaN""#, "a = 'NaN'"),
        (r#""null""#, "a = 'null'"),
        (r#""'; DROP TABLE x; --""#, "a = '''; DROP TABLE x; --'"),
        (r#""007""#, "a = '007'"),
        (r#""1e5""#, "a = '1e5'"),
        (r#""\u007f""#, "ascii(a) = 127"),
    ] {
        cases.value("text", literal, select, "true");
    }
    cases.value("text", &format!("\"{}\"", "é".repeat(1 << 20)), "length(a)", "1048576");
}

fn mixed(cases: &mut Cases) {
    cases.after("1", "\"x\"", "a__v_text", "x");
    cases.after("\"x\"", "1", "a", "1");
    cases.after("\"x\"", "12345678901234567.89", "a", "12345678901234567.89");
    cases.after("true", "2", "a__v_bigint", "2");
    cases.after("1", "1.5", "a", "1.5");
    cases.after("1", "9223372036854775808", "a__v_decimal", "9223372036854775808");
    cases.after("1", "12345678901234567.89", "a__v_decimal", "12345678901234567.890000000");
    cases.after("9007199254740993", "0.5", "a__v_double", "0.5");
    cases.after("0.5", "9007199254740993", "a__v_bigint", "9007199254740993");
    cases.after("0.5", "1e400", "a__v_text", "1e400");
    cases.after("0.5", "\"NaN\"", "a__v_text", "NaN");
    cases.after("0.5", "\"12345678901234567.89\"", "a__v_text", "12345678901234567.89");
    cases.after("\"2024-01-01T00:00:00Z\"", "\"yesterday\"", "a__v_text", "yesterday");
    cases.after("9223372036854775808", "0.5", "a__v_double", "0.5");
    cases.after("9223372036854775808", "1e400", "a__v_text", "1e400");
    cases.after("5", "{\"b\":1}", "a__b", "1");
    // A list and a value of one name: a table of its own, and a column.
    cases.after("[1]", "5", "a", "5");
    cases.after("5", "null", "a", "NULL");
    cases.after("5", "{}", "count(*)", "1");
    cases.after("5", "[]", "count(*)", "1");
    let list = "SELECT string_agg(value, ',' ORDER BY _dlt_list_idx) FROM data.nested_01__a";
    cases.value("nested", "[1,null,3]", &format!("({list})"), "1,3");
    let count = "SELECT count(*) FROM data.nested_02__a__list";
    cases.value("nested", "[[1,2],[3]]", &format!("({count})"), "3");
}

fn keys(cases: &mut Cases) {
    let columns = |like: &str| {
        format!(
            "(SELECT count(*) FROM duckdb_columns() WHERE table_name LIKE '{like}' AND column_name LIKE 'na%')"
        )
    };
    let four = r#"[{"id":2,"Name":"A","name":"B","na me":"C","Na_Me":"D"}]"#;
    cases.loads("key", four, &columns("key_01"), "4");
    cases.loads("key", r#"[{"id":2,"a":1,"a":2}]"#, "a", "2");
    cases.loads("key", r#"[{"id":2,"a":{"b":1},"a":{"c":2}}]"#, "a__b + a__c", "3");
    cases.loads("key", r#"[{"id":2,"\u0061":7}]"#, "a", "7");
    cases.loads("key", r#"[{"id":2,"_dlt_id":"mine","_dlt_load_id":"x"}]"#, "_dlt_id <> 'mine'", "true");
    cases.loads("key", r#"[{"id":2,"":5}]"#, "count(*)", "1");
    cases.loads("key", r#"[{"id":2,"a\u0000b":5}]"#, "count(*)", "1");
    cases.loads("key", r#"[{"id":2,"\"; DROP":5}]"#, "count(*)", "1");
    cases.loads("key", &format!(r#"[{{"id":2,"{}":5}}]"#, "k".repeat(1000)), "count(*)", "1");
    let cells = "SELECT count(*) FROM duckdb_columns() WHERE table_name = 'key_10'";
    cases.loads("key", r#"[{"id":2,"ключ":5,"мир":6}]"#, &format!("({cells})"), "5");
    let wide: Vec<String> = (0..1500).map(|key| format!(r#""k{key}":{key}"#)).collect();
    let wide = format!(r#"[{{"id":2,{}}}]"#, wide.join(","));
    cases.loads("key", &wide, "k0 || '-' || (_dray_extra ->> 'k1499')", "0-1499");
}

fn encodings(cases: &mut Cases) {
    let text = r#"[{"id":1},{"id":2,"a":"é€"}]"#;
    let latin = b"[{\"id\":1},{\"id\":2,\"a\":\"caf\xe9\"}]";
    let utf16 = |big: bool, mark: &str| -> Vec<u8> {
        let units = mark.encode_utf16().chain(text.encode_utf16());
        units.flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
    };
    let loads = |select: &str| Expect::Loads { select: select.to_owned(), found: "true".to_owned() };
    let same = "a = chr(233) || chr(8364)";
    let cafe = "a = 'caf' || chr(233)";
    let group = "encoding";
    cases.add(group, [b"\xef\xbb\xbf", text.as_bytes()].concat(), loads(same));
    for big in [false, true] {
        for mark in ["\u{feff}", ""] {
            cases.add(group, utf16(big, mark), loads(same)).content_type =
                "application/json; charset=utf-16".into();
        }
    }
    let latin_1 = "application/json; charset=ISO-8859-1";
    cases.add(group, latin.to_vec(), loads(cafe)).content_type = latin_1.into();
    cases.add(group, text.as_bytes().to_vec(), loads(same)).content_type = latin_1.into();
    cases.add(group, latin.to_vec(), loads(cafe)).content_type = "text/json; charset=windows-1252".into();
    cases.add(group, text.as_bytes().to_vec(), loads(same)).content_type = "text/html".into();
    cases.add(group, text.as_bytes().to_vec(), loads(same)).content_type = String::new();
    let scalars = |select: &str, found: &str| Expect::Loads { select: select.into(), found: found.into() };
    cases.add("scalar", b"\"hello\"".to_vec(), scalars("string_agg(value)", "hello")).which = "";
    cases.add("scalar", b"42".to_vec(), scalars("string_agg(value)", "42")).which = "";
    let list = b"[1,2,3]".to_vec();
    cases.add("scalar", list, scalars("string_agg(value, ',' ORDER BY value)", "1,2,3")).which = "";
    let mixed = br#"[1,{"id":2},null]"#.to_vec();
    cases
        .add("scalar", mixed, scalars("count(*) || '-' || count(value) || '-' || count(id)", "3-1-1"))
        .which = "";
}

fn not_json(cases: &mut Cases) {
    cases.fails("empty", "empty", b"");
    cases.fails("empty", "empty", b" \r\n\t");
    cases.fails("empty", "`null`", b"null");
    for body in [
        &b"<html><body>Sign in</body></html>"[..],
        b"<?xml version=\"1.0\"?><a/>",
        b"{\"id\":1",
        b"[{\"id\":1},",
        b"[{\"id\":1},]",
        b"[{\"id\":1,}]",
        b"[1 2]",
        b"{'id':1}",
        b"{id:1}",
        b"[{\"id\":1}]garbage",
        b"[{\"id\":1}][{\"id\":2}]",
        b"{\"id\":1}\n{\"id\":2}\n",
        b"[1] // comment",
        b"[0x10]",
        b"[01]",
        b"[+1]",
        b"[.5]",
        b"[1.]",
        b"[1e]",
        b"[--1]",
        b"[\"a\nb\"]",
        b"[\"a\tb\"]",
        b"[\"\\x41\"]",
        b"[\"\\u12G4\"]",
        b"[undefined]",
        b"[True]",
        b"[Nan]",
        b"]",
        b"[\"never ends",
        b"callback([1])",
        b")]}',\n[1]",
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
        b"[\0\0\0",
        b"\xff\xfe\0\0[\0\0\0]\0\0\0",
        b"a:1\nb:2",
        b"id,a\n1,x\n",
    ] {
        cases.fails("syntax", "not JSON", body);
    }
    let deep = format!("[{{\"id\":1,\"a\":{}}}]{}", "[".repeat(200), "]".repeat(200));
    cases.fails("syntax", "not JSON", deep.as_bytes());
    cases.fails("syntax", "not JSON", &[b"\"".to_vec(), vec![0xe9; 200_000], b"\"".to_vec()].concat());
    cases.fails("lines", "one JSON document a line", b"{\"id\":1}\n{\"id\"").content_type =
        "application/x-ndjson".to_owned();
    for outside in ["\"note\":\"\u{1}\"".replace('\u{1}', r"\ud83d"), "\"note\":NaN".to_owned()] {
        let body = format!("{{\"data\":[{{\"id\":1}}],{outside}}}");
        cases.fails("outside", "outside of its records", body.as_bytes()).selected = true;
    }
    let body = b"{\"data\":[{\"id\":1}],\"note\":\"\xff\"}";
    cases.fails("outside", "outside of its records", body).selected = true;
}
