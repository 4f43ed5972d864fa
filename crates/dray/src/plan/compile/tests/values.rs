//! Values that templates make, and parts that `when` leaves out: from the file to the plan.

use crate::config::load::read_text_as;
use crate::config::parse::Format;
use crate::config::secrets::Sources;
use crate::plan::{Plan, explain, prepare};

/// The plan of a file, or its problems, one a line.
pub(super) fn prepared(yaml: &str, environment: &[(&str, &str)]) -> Result<Plan, String> {
    let loaded = read_text_as("shop.yaml".to_owned(), yaml.to_owned(), Format::Yaml).unwrap();
    let mut sources = Sources::new("2024-05-19T22:33:44Z".parse().unwrap());
    for (name, value) in environment {
        sources.environment.insert((*name).to_owned(), (*value).to_owned());
    }
    let prepared = prepare(loaded, &[], &sources);
    prepared.plan.ok_or_else(|| super::rendered(&prepared.diagnostics))
}

const SHOP: &str = "client: {base_url: https://api.example.com}
resources:
  - {name: customers, enabled: \"${env.CUSTOMERS:-}\", endpoint: {path: customers}}
  - {name: notes, endpoint: {path: \"customers/{customer_id}/notes\"}}
  - {name: orders, when: \"${env.ORDERS:-yes}\", endpoint: {path: \"c/{resources.customers.id}/orders\"}}
  - plans
";

#[test]
fn a_child_of_what_is_left_out_is_a_problem_unless_it_is_left_out_too() {
    insta::assert_snapshot!(prepared(SHOP, &[]).unwrap_err(), @r##"
    4:36 resources[1].endpoint.path: `customers` would give `{customer_id}` its value, and is left out by its `when`
      = give the child the same `when`; a parent that is only read for its children has `selected: false`
    5:65 resources[2].endpoint.path: `customers` is left out by its `when`, and `orders` is asked for each of its records
      = give the child the same `when`; a parent that is only read for its children has `selected: false`
    "##);
    let plan = prepared(SHOP, &[("CUSTOMERS", "1"), ("ORDERS", "no")]).unwrap();
    let names: Vec<&str> = plan.resources.iter().map(|resource| resource.name.as_str()).collect();
    assert_eq!(names, ["customers", "notes", "plans"]);
    assert!(explain(&plan).contains("left out by `when`: `orders`"));
}

#[test]
fn a_condition_on_the_clock_keeps_the_digests_of_the_others() {
    let yaml = "client: {base_url: https://api.example.com}\nresources:\n  \
                - {name: a, when: \"${equals(today:%Y, '2024')}\", endpoint: {path: a}}\n  - b\n";
    let plan = prepared(yaml, &[]).unwrap();
    let alone = prepared("client: {base_url: https://api.example.com}\nresources: [b]\n", &[]).unwrap();
    assert_eq!(plan.resources[1].fingerprint, alone.resources[0].fingerprint);
    // Under no clock but its own is it there: nothing of it is carried on.
    assert_eq!(plan.resources[0].fingerprint, "");
}
