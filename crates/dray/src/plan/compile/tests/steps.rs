//! Processing steps: what is said of wrong ones, and how right ones are shown.

use super::{explained, planned};
use crate::config::parse::Format;

fn plan_of(keys: &str) -> String {
    let client = "client: {base_url: 'https://api.example.com/v1'}";
    explained(&planned(&format!("{client}\nresources: [{{name: posts, {keys}}}]"), Format::Yaml))
}

#[test]
fn wrong_steps_are_told_with_their_places() {
    insta::assert_snapshot!(plan_of("processing_steps: [{filter: .a >}, {filtre: .a}, {map: [1]}, {map: env.HOME}, {}, text]"), @r#"
    2:55 resources[0].processing_steps[0].filter: at character 5 of the jq program: expected term, found its end
      = the language is that of jq 1.7: https://jqlang.org/manual/
    2:63 resources[0].processing_steps[1].filtre: unknown key `filtre`
      = nearest is `filter`; expected one of `filter`, `map`, `yield_map`, `explode`, `keep`, `drop`, `rename`, `set`
    2:82 resources[0].processing_steps[2].map: expected a program in jq, found a list
      = a step is a program in jq: `{filter: .total > 0}`, `{map: .name |= ascii_downcase}`, `{explode: .lines[]}`; or `keep`, `drop`, `rename`, `set`
    2:94 resources[0].processing_steps[3].map: at character 1 of the jq program: `env` reaches out of the record
      = a program sees its record, `$run.now`, `$run.today` and `now`
    2:105 resources[0].processing_steps[4]: a step that does nothing
      = a step has one of `filter`, `map`, `yield_map`, `explode`, `keep`, `drop`, `rename`, `set`
    2:109 resources[0].processing_steps[5]: expected a step, found text
      = a step is a program in jq: `{filter: .total > 0}`, `{map: .name |= ascii_downcase}`, `{explode: .lines[]}`; or `keep`, `drop`, `rename`, `set`
    "#);
    insta::assert_snapshot!(plan_of("processing_steps: {filter: .a}, keep: {a: b}, drop: ['..'], rename: {'*.a': b}, set: [a]"), @r#"
    2:45 resources[0].processing_steps: expected a list of steps, found a mapping
      = a step is a program in jq: `{filter: .total > 0}`, `{map: .name |= ascii_downcase}`, `{explode: .lines[]}`; or `keep`, `drop`, `rename`, `set`
    2:65 resources[0].keep: expected a field's name or a list of them, found a mapping
    2:80 resources[0].drop[0]: `..` names no field
    2:103 resources[0].rename.*.a: `*.a` is more than one field: they cannot all become `b`
    2:112 resources[0].set: expected a mapping of fields to their values, found a list
    "#);
    insta::assert_snapshot!(plan_of("keep: [..id, 'a[0]'], set: {a: '{b', c: '${secrets.key}'}"), @r#"
    2:34 resources[0].keep[0]: `..id` may be anywhere in the record
      = `keep` takes the way to a field: `a`, `a.b`, `a.*.b`; `drop` takes `..b` too
    2:40 resources[0].keep[1]: a field is named by its keys: `a`, `a.b`, `a.*.b`, `..b`
    2:58 resources[0].set.a: a brace that is text is doubled: `{{` and `}}`
      = fields stand in braces: `{first}-{second.part}`
    2:67 resources[0].set.c: a secret cannot stand here: it would be loaded into the table
    "#);
}

#[test]
fn right_steps_are_shown_in_their_order() {
    let keys = "set: {kind: post}, drop: [a, 'b.*.id'], keep: id, rename: {id: nr}, \
                processing_steps: [{map: '.a |= . + 1', filter: .a}, {explode: '.lines[]'}, {keep: [x, y.z]}]";
    let plan = plan_of(keys);
    let steps: Vec<&str> =
        plan.lines().filter(|line| line.trim_start().starts_with("step")).map(str::trim).collect();
    assert_eq!(
        steps,
        [
            "step          filter .a",
            "step          map .a |= . + 1",
            "step          explode .lines[]",
            "step          keep x, y.z",
            "step          keep id",
            "step          drop a, b.*.id",
            "step          rename id to nr",
            "step          set kind",
        ],
        "{plan}"
    );
}

#[test]
fn a_wrong_converter_is_told_with_its_place() {
    insta::assert_snapshot!(plan_of("columns: {a: {convert: epoch}, b: {convert: '%Y-%!'}}"), @r#"
    2:50 resources[0].columns.a.convert: unknown way to write a moment `epoch`
      = `convert` is `unix`, `unix_ms`, `iso`, `date`, or a pattern such as `%d.%m.%Y %H:%M`
    2:71 resources[0].columns.b.convert: `%Y-%!` is no pattern: strftime formatting failed: found unrecognized specifier directive `!`
      = `convert` is `unix`, `unix_ms`, `iso`, `date`, or a pattern such as `%d.%m.%Y %H:%M`
    "#);
    let plan = plan_of("columns: {a: {convert: unix_ms, trim: true}, b: {convert: '%d.%m.%Y'}}");
    assert!(plan.contains("step          column a: trimmed, read as unix milliseconds\n"), "{plan}");
    assert!(plan.contains("step          column b: read as %d.%m.%Y\n"), "{plan}");
}

#[test]
fn defaults_give_way_key_by_key() {
    let text = "client: {base_url: 'https://api.example.com/v1'}\n\
                resource_defaults: {processing_steps: [{filter: .a}], drop: [x], set: {n: 1}}\n\
                resources: [{name: posts, processing_steps: [], drop: [y]}]";
    let plan = planned(text, Format::Yaml).unwrap();
    assert_eq!(plan.resources[0].transform.shown(), ["drop y", "set n"]);
}
