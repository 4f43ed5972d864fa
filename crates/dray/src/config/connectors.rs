//! The connectors that come with the program.

use url::{Origin, Url};

use super::diagnostics::Diagnostics;
use super::node::{Node, Place, Value};
use super::parse::{Format, parse};

const SHIPPED: [(&str, &str); 4] = [
    ("fastbill", include_str!("../../../../connectors/fastbill.yaml")),
    ("orb", include_str!("../../../../connectors/orb.yaml")),
    ("stripe", include_str!("../../../../connectors/stripe.yaml")),
    ("zoho_billing", include_str!("../../../../connectors/zoho_billing.yaml")),
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
    for (name, text) in SHIPPED {
        let Some(mut tree) = parse(text, Format::Yaml, &mut Diagnostics::default()) else { continue };
        let base_url = tree.as_map().and_then(|map| map.get("client")?.as_map()?.get("base_url")?.as_text());
        let known = base_url.and_then(|text| Url::parse(text).ok()).map(|url| url.origin());
        if known.as_ref() == Some(origin) {
            forget_places(&mut tree);
            return Some((name, tree));
        }
    }
    None
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
