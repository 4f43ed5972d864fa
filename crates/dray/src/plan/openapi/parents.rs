//! Parameters of paths get their values from the records of other lists.

use super::Endpoint;
use crate::plan::propose::text;
use crate::plan::singular::singular;
use crate::schema::naming::normalize;

/// Binds every placeholder to a parent, else to a variable. A list that would need two parents is left out.
pub(super) fn bind(endpoints: &mut Vec<Endpoint>, left_out: &mut Vec<String>) {
    let lists: Vec<(String, String, Option<String>)> = endpoints
        .iter()
        .map(|one| (one.path.clone(), one.draft.name.clone(), one.draft.primary_key.first().cloned()))
        .collect();
    endpoints.retain_mut(|endpoint| {
        let holes = holes(&endpoint.path);
        let mut parents: Vec<&str> = Vec::new();
        let mut path = endpoint.draft.path.clone();
        for (prefix, name) in &holes {
            let parent = lists
                .iter()
                .find(|(path, ..)| path.trim_end_matches('/') == prefix.trim_end_matches('/'))
                .or_else(|| lists.iter().find(|(_, resource, _)| is_of(name, resource)))
                .filter(|(path, _, key)| *path != endpoint.path && key.is_some());
            if let Some((_, resource, Some(key))) = parent {
                path = path.replace(&format!("{{{name}}}"), &format!("{{resources.{resource}.{key}}}"));
                parents.push(resource);
                endpoint.draft.include = vec![key.clone()];
            } else {
                let variable = normalize(name);
                endpoint.draft.params.push(((*name).to_owned(), text(&format!("${{vars.{variable}}}"))));
                endpoint.comments.push((
                    ".endpoint.params",
                    format!("`{name}` is in the path; no list of the description gives it."),
                ));
                endpoint.open.push(variable);
            }
        }
        if parents.len() > 1 {
            left_out.push(format!("GET {} (it would need {} parents)", endpoint.path, parents.len()));
            return false;
        }
        endpoint.draft.path = path;
        true
    });
    orphans(endpoints, left_out);
}

/// Leaves out what would ask for the records of a list that is left out.
fn orphans(endpoints: &mut Vec<Endpoint>, left_out: &mut Vec<String>) {
    loop {
        let names: Vec<String> =
            endpoints.iter().map(|one| format!("{{resources.{}.", one.draft.name)).collect();
        let before = endpoints.len();
        endpoints.retain(|endpoint| {
            let path = &endpoint.draft.path;
            let kept = !path.contains("{resources.") || names.iter().any(|name| path.contains(name));
            if !kept {
                left_out.push(format!("GET {} (its parent is left out)", endpoint.path));
            }
            kept
        });
        if endpoints.len() == before {
            return;
        }
    }
}

/// The placeholders of a path, each with what stands before it.
fn holes(path: &str) -> Vec<(&str, &str)> {
    let mut holes = Vec::new();
    let mut at = 0;
    while let Some(open) = path.get(at..).and_then(|rest| rest.find('{')).map(|open| at + open) {
        let Some(close) = path.get(open..).and_then(|rest| rest.find('}')).map(|close| open + close) else {
            break;
        };
        if let (Some(before), Some(name)) = (path.get(..open), path.get(open + 1..close)) {
            holes.push((before, name));
        }
        at = close + 1;
    }
    holes
}

/// Whether a parameter names the records of a resource: `customer_id` or `customerId` of `customers`.
fn is_of(parameter: &str, resource: &str) -> bool {
    let one = singular(resource);
    let name = normalize(parameter);
    name == format!("{one}_id") || name == format!("{one}_uuid") || name == one
}
