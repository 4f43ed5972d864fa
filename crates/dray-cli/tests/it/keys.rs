//! The reference of keys and the JSON Schema are current, and the schema takes what the program takes.

use std::path::Path;

use dray::config::connectors::shipped_all;
use dray::config::diagnostics::Diagnostics;
use dray::config::keys::{json_schema, reference};
use dray::config::parse::{Format, parse};
use jsonschema::Validator;

use crate::documents::{SHOWING, blocks, completed, document};

fn validator() -> Validator {
    jsonschema::validator_for(&json_schema()).unwrap()
}

/// What the schema says against a configuration in YAML.
fn against(validator: &Validator, yaml: &str) -> Vec<String> {
    let mut diagnostics = Diagnostics::new();
    let Some(tree) = parse(yaml, Format::Yaml, &mut diagnostics) else { panic!("{diagnostics}\n{yaml}") };
    let tree = tree.to_json();
    validator.iter_errors(&tree).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

#[test]
fn the_written_reference_and_schema_are_current() {
    for (name, current) in
        [("reference.md", reference()), ("dray.schema.json", format!("{:#}\n", json_schema()))]
    {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(name);
        let written = std::fs::read_to_string(path).unwrap_or_default();
        assert!(written == current, "docs/{name} is not what the table of keys says: run `make keys`");
    }
}

#[test]
fn every_shown_and_shipped_configuration_is_valid() {
    let validator = validator();
    let mut checked = 0;
    for (name, yaml) in shipped_all() {
        assert_eq!(against(&validator, yaml), [""; 0], "{name}");
        checked += 1;
    }
    for name in SHOWING {
        let document = document(name);
        for block in blocks(&document) {
            let block = completed(block);
            assert_eq!(against(&validator, &block), [""; 0], "{name}:\n{block}");
            checked += 1;
        }
    }
    assert!(checked > 12, "{checked}");
}

#[test]
fn what_is_wrong_is_not_valid() {
    let validator = validator();
    let client = "client: {base_url: 'https://api.example.com/'}\n";
    for right in [
        "resources: [posts]",
        "resources: [{name: posts, endpoint: posts, write_disposition: '${vars.how}'}]",
        "resources: [{name: posts, endpoint: {path: posts, paginator: offset, auth: null, params: {a: [1, 2], b: null}}}]",
    ] {
        assert_eq!(against(&validator, &format!("{client}{right}")), [""; 0], "{right}");
    }
    for wrong in [
        "resource: [posts]",
        "resources: [{name: posts, endpont: posts}]",
        "resources: [{endpoint: posts}]",
        "resources: [{name: posts, write_disposition: appned}]",
        "resources: [{name: posts, endpoint: {paginator: {type: offset}}}]",
        "resources: [{name: posts, endpoint: {paginator: {type: cursor, base_page: 1}}}]",
        "resources: [{name: posts, endpoint: {incremental: {start_param: since}}}]",
        "resources: [{name: posts, endpoint: {auth: {type: bearer}}}]",
        "resources: [{name: posts, max_table_nesting: many}]",
    ] {
        assert_ne!(against(&validator, &format!("{client}{wrong}")), [""; 0], "{wrong}");
    }
}
