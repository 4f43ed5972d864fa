//! What steps make of records.

use super::*;

fn facts() -> Facts {
    Facts { now: "2024-05-01T12:30:00Z".parse().unwrap() }
}

fn step(name: &str, action: Action) -> Step {
    Step { name: name.to_owned(), action }
}

fn program(text: &str) -> Program {
    Program::compile(text).unwrap_or_else(|fault| panic!("{}", fault.message))
}

fn after(steps: Vec<Step>, records: &str, overlay: Option<&str>) -> Result<(Vec<String>, After)> {
    let document = Document::parse_within(records.as_bytes().to_vec(), &Bounds::default()).unwrap();
    let records: Vec<NodeId> = document.items(document.root()).collect();
    let overlay = overlay.map(|overlay| Document::parse(overlay.as_bytes().to_vec()).unwrap());
    let before = Before { document: &document, records: &records, overlay: overlay.as_ref() };
    let most = Most { bytes: 1 << 20, json: Bounds::default() };
    let after = Transform { steps, columns: Vec::new() }.apply(before, &facts(), most)?;
    let body = after.document.as_ref().unwrap_or(&document);
    Ok((after.records.iter().map(|id| body.json(*id).to_owned()).collect(), after))
}

/// The records that steps make, and why records were refused.
fn made(steps: Vec<Step>, records: &str) -> (Vec<String>, Vec<String>) {
    let (made, after) = after(steps, records, None).unwrap_or_else(|error| panic!("{}", error.chain()));
    (made, after.failed.into_iter().map(|(_, why)| why).collect())
}

fn mapped(text: &str, record: &str) -> String {
    let (made, failed) = made(vec![step("map", Action::Map(program(text)))], &format!("[{record}]"));
    if failed.is_empty() { made.join(" ") } else { failed.join(" ") }
}

#[test]
fn a_filter_chooses_and_leaves_records_where_they_are() {
    let steps = || vec![step("filter", Action::Filter(program(".a > 1")))];
    let (records, after) =
        after(steps(), r#"[{"a":1},{"a":2.50},{"a":null},{}, {"a":"text"}]"#, None).unwrap();
    // In jq null sorts before numbers, text after them.
    assert_eq!(records, [r#"{"a":2.50}"#, r#"{"a":"text"}"#]);
    assert_eq!((after.left_out, after.document.is_none()), (3, true));
}

#[test]
fn maps_and_explosions_follow_each_other() {
    let steps = vec![
        step("map", Action::Map(program(".lines[].total |= . * 2 | del(.note)"))),
        step("explode", Action::Explode(program(". as $o | .lines[] | .order = $o.id"))),
        step("filter", Action::Filter(program(".total != 4"))),
    ];
    let records =
        r#"[{"id":12345678901234567890,"note":"x","lines":[{"total":1},{"total":2}]},{"id":2,"lines":[]}]"#;
    let (made, failed) = made(steps, records);
    assert_eq!(made, [r#"{"total":2,"order":12345678901234567890}"#]);
    assert_eq!(failed, [""; 0]);
    assert_eq!(mapped("empty", "{}"), "");
    assert_eq!(mapped("null", "{}"), "");
}

#[test]
fn numbers_that_nobody_computes_with_keep_their_digits() {
    let record = r#"{"a":1.10,"b":18446744073709551617,"c":0.12345678901234567890,"d":1e400}"#;
    assert_eq!(mapped(".e = 1", record), record.replace('}', r#","e":1}"#));
    assert_eq!(mapped(".b + 1", record), "18446744073709551618");
}

#[test]
fn programs_see_the_run_and_no_more_of_the_world() {
    assert_eq!(mapped("$run", "{}"), r#"{"now":"2024-05-01T12:30:00Z","today":"2024-05-01"}"#);
    // `date -u -d 2024-05-01T12:30:00Z +%s`
    assert_eq!(mapped("now | floor", "{}"), "1714566600");
    for outside in ["env", "$ENV", "input", "inputs", "debug", "halt", "localtime", "stderr", "halt_error(1)"]
    {
        let fault = Program::compile(outside).unwrap_err();
        assert!(fault.message.contains("reaches out of the record"), "{outside}: {}", fault.message);
    }
}

#[test]
fn a_wrong_program_is_told_with_its_place() {
    for (text, message) in [
        (".a >", "at character 5 of the jq program: expected term, found its end"),
        ("(.a", "at character 4 of the jq program: expected closing parenthesis"),
        (".a | foo(1)", "at character 6 of the jq program: there is no `foo` (a filter with 1 arguments)"),
        ("$x", "at character 1 of the jq program: there is no `$x` (a variable)"),
        (
            "import \"a\" as a; .",
            "at character 9 of the jq program: there are no modules to include or import",
        ),
    ] {
        assert_eq!(Program::compile(text).unwrap_err().message, message, "{text}");
    }
}

#[test]
fn a_record_that_a_program_fails_on_is_refused_without_its_values() {
    let records = r#"[{"a":1},{"a":"secret"},{"a":{}}]"#;
    let (good, failed) = made(vec![step("map", Action::Map(program(".a |= . + 1")))], records);
    assert_eq!(good, [r#"{"a":2}"#]);
    assert_eq!(failed, ["map: it cannot calculate with values of these kinds"; 2]);
    for (text, words) in [
        (".a.b", "map: it cannot index a value of this kind"),
        (".[0:1]", "map: it cannot use a value as rangeable (array or string)"),
        (".a | tonumber", "map: a text cannot be parsed"),
        ("error(\"too old\")", "map: too old"),
        ("error(.a)", "map: it raised an error"),
        (".x, .y", "map: it gave several records; `explode` makes several of one"),
        ("[.a]", "map: it gave a list in place of a record; `explode` makes records of its items"),
        ("\"x\" | tobytes", "map: it gave bytes, which JSON does not have"),
        ("{(1 | tostring): 1} | with_entries(.key = 1)", "map: it gave an object with a key that is no text"),
        ("break $x", ""),
    ] {
        if text.starts_with("break") {
            assert!(Program::compile(text).is_err());
            continue;
        }
        assert_eq!(mapped(text, r#"{"a":"secret"}"#), words, "{text}");
    }
}

#[test]
fn what_python_means_is_there_too() {
    for (text, expected) in [
        ("[.e, .z, .l, .n, .t | truthy]", "[false,false,false,false,true]"),
        (".t | [lower, upper]", r#"["äx","ÄX"]"#),
        (".t | among([\"Äx\", 1])", "true"),
        ("[(.t | holds(\"x\")), (.l | holds(1)), holds(\"t\")]", "[true,false,true]"),
        ("[-1.5, 1.5, 7 | whole]", "[-1,1,7]"),
        (".t | number", "map: a number is expected"),
    ] {
        let record = r#"{"e":"","z":0,"l":[],"n":null,"t":"Äx"}"#;
        let wrapped = if text.contains("number") { text.to_owned() } else { format!("{{r: ({text})}}") };
        let expected =
            if text.contains("number") { expected.to_owned() } else { format!(r#"{{"r":{expected}}}"#) };
        assert_eq!(mapped(&wrapped, record), expected, "{text}");
    }
}

#[test]
fn half_a_record_is_not_loaded() {
    let steps = vec![
        step("explode", Action::Explode(program(".lines"))),
        step("map", Action::Map(program(".n = 10 % .n"))),
    ];
    let (made, failed) = made(steps, r#"[{"lines":[{"n":3},{"n":0}]},{"lines":[{"n":4}]}]"#);
    assert_eq!(made, [r#"{"n":2}"#]);
    assert_eq!(failed.len(), 1);
}

#[test]
fn what_does_not_end_is_stopped() {
    for text in
        ["def f: f; f", "def f: 1 + f; f", "[range(1e18)]", "[repeat(1)]", "try ([range(1e18)]) catch 1"]
    {
        let steps = vec![step("map", Action::Map(program(text)))];
        let error = after(steps, "[{}]", None).unwrap_err();
        let said = format!("{} {}", error.chain(), error.advice().unwrap_or_default());
        assert!(said.contains("steps") || said.contains("too deep"), "{text}: {said}");
    }
    let steps = vec![step("explode", Action::Explode(program("range(400000) | [., ., ., .]")))];
    assert!(after(steps, "[{}]", None).is_err());
}

#[test]
fn a_long_record_may_cost_more_steps() {
    let items: Vec<String> = (0..100_000).map(|n| n.to_string()).collect();
    let record = format!(r#"{{"items":[{}]}}"#, items.join(","));
    assert_eq!(
        mapped("[.items[] | . + 1 | . * 2 | select(. > 0)] | add | {sum: .}", &record),
        r#"{"sum":10000100000}"#
    );
}

#[test]
fn what_records_carry_is_theirs_before_the_first_step() {
    let steps = vec![
        step("map", Action::Map(program(".who = (._users_id | tostring)"))),
        step("drop", Action::Drop(vec![FieldPath::parse("_users_id").unwrap()])),
    ];
    let (made, _) = after(
        steps.clone(),
        r#"[{"n":1},{"n":2,"_users_id":8},{"n":3,"_users_id":null}]"#,
        Some(r#"{"_users_id":7}"#),
    )
    .unwrap();
    assert_eq!(made, [r#"{"n":1,"who":"7"}"#, r#"{"n":2,"who":"8"}"#, r#"{"n":3,"who":"7"}"#]);
    let (made, _) = after(steps, "[5]", Some(r#"{"_users_id":7}"#)).unwrap();
    assert_eq!(made, [r#"{"value":5,"who":"7"}"#]);
}

#[test]
fn a_key_is_known_to_stay_only_where_no_step_may_change_it() {
    let path = |path: &str| vec![FieldPath::parse(path).unwrap()];
    let rename = |old: &str, new: &str| {
        Action::Rename(Renames::new(vec![(FieldPath::parse(old).unwrap(), new.to_owned())]))
    };
    let null = Setting::Template(Vec::new());
    for (action, keeps) in [
        (Action::Filter(program(".id")), true),
        (Action::Map(program(".")), false),
        (Action::Explode(program(".")), false),
        (Action::Keep(path("id")), true),
        (Action::Keep(path("id.x")), false),
        (Action::Drop(path("note")), true),
        (Action::Drop(path("$..id")), false),
        (rename("a", "id"), false),
        (rename("id", "b"), false),
        (rename("a", "b"), true),
        (Action::Set(vec![("id".to_owned(), null.clone())]), false),
        (Action::Set(vec![("n".to_owned(), null)]), true),
    ] {
        let shown = format!("{action:?}");
        assert_eq!(
            Transform { steps: vec![step("s", action)], columns: Vec::new() }.keeps("id"),
            keeps,
            "{shown}"
        );
    }
}
