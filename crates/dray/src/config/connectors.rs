//! The connectors that come with the program.

use url::{Origin, Url};

use super::diagnostics::Diagnostics;
use super::node::{Node, Place, Value};
use super::parse::{Format, parse};

const SHIPPED: [(&str, &str); 5] = [
    ("fastbill", include_str!("../../../../connectors/fastbill.yaml")),
    ("fastbill_api", include_str!("../../../../connectors/fastbill_api.yaml")),
    ("orb", include_str!("../../../../connectors/orb.yaml")),
    ("stripe", include_str!("../../../../connectors/stripe.yaml")),
    ("zoho_billing", include_str!("../../../../connectors/zoho_billing.yaml")),
];

/// Whose addresses they know.
const ORIGINS: [(&str, &str); 4] = [
    ("https://my.fastbill.com", "fastbill"),
    ("https://api.withorb.com", "orb"),
    ("https://api.stripe.com", "stripe"),
    ("https://www.zohoapis.com", "zoho_billing"),
];

/// The YAML of a connector.
#[must_use]
pub fn shipped(name: &str) -> Option<&'static str> {
    SHIPPED.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}

/// All connectors: name and YAML, by name.
#[must_use]
pub fn shipped_all() -> &'static [(&'static str, &'static str)] {
    &SHIPPED
}

/// The connector for an origin: its name and its tree, without places, which would point into another file.
pub(super) fn of_origin(origin: &Origin) -> Option<(&'static str, Node)> {
    let known = |address: &str| Url::parse(address).is_ok_and(|url| url.origin() == *origin);
    let (_, name) = ORIGINS.iter().find(|(address, _)| known(address))?;
    let mut tree = parse(shipped(name)?, Format::Yaml, &mut Diagnostics::default())?;
    forget_places(&mut tree);
    Some((name, tree))
}

fn forget_places(node: &mut Node) {
    node.place = Place::default();
    match &mut node.value {
        Value::List(items) => items.iter_mut().for_each(forget_places),
        Value::Map(map) => {
            for entry in &mut map.entries {
                entry.place = Place::default();
                forget_places(&mut entry.value);
            }
        }
        _ => {}
    }
}
