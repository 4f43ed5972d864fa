//! What is decided of a resource's parent: which of its records count, and how many are asked for at once.

use super::holes::Holes;
use super::{Problems, defaults};
use crate::config::model::{BatchConfig, EndpointConfig, Located, ResourceConfig, Spot};
use crate::config::node::{Map, Node};
use crate::json::Filter;
use crate::plan::{BatchPlan, JsonTemplate, ParentField, Part, Template};

/// Values of one batch: its partition's key holds them all.
const MOST: u64 = 1000;

/// `endpoint.parent_filter`.
pub(super) fn filter(
    endpoint: &EndpointConfig,
    holes: &Holes<'_>,
    problems: &mut Problems<'_>,
) -> Option<Filter> {
    let written = endpoint.parent_filter.as_ref()?;
    if holes.parent.is_none() && !holes.refused {
        problems.add_with_hint(
            &written.at,
            "`parent_filter` stands here, but the resource has no parent",
            "a parent is named by a placeholder: `{resources.<name>.<field>}`",
        );
        return None;
    }
    match Filter::parse(&written.value) {
        Ok(filter) => Some(filter),
        Err(error) => {
            problems.add_with_hint(
                &written.at,
                error.to_string(),
                "write a JSONPath condition on the parent's record, such as `@.automatic == true && @.amount > 0`",
            );
            None
        }
    }
}

impl Holes<'_> {
    /// A field of several records of the parent at once.
    pub(super) fn batched(
        &mut self,
        resource: &str,
        field: &Located<String>,
        batch: &BatchConfig,
        problems: &mut Problems<'_>,
    ) -> Option<Part> {
        let at = &batch.size.at;
        if !(1..=MOST).contains(&batch.size.value) {
            problems.add(at, format!("`batch` is a number from 1 to {MOST}"));
            return None;
        }
        if self.batch.replace(batch.size.clone()).is_some() {
            problems.add(at, "a second `batch`: a request has one");
            return None;
        }
        let Part::Parent(index) = self.parent_field(resource, &field.value, &field.at, problems)? else {
            return None;
        };
        if !matches!(self.fields.get(index), Some(ParentField::Own(_))) {
            problems.add_with_hint(
                at,
                format!("`{resource}` is not the parent: of one further up there is one record at a time"),
                "leave `batch` out, or take the field from the parent",
            );
            return None;
        }
        self.alone.pop();
        Some(Part::Joined(index, batch.separator.clone().unwrap_or_else(|| defaults::SEPARATOR.to_owned())))
    }
}

/// `{type: resolve, resource, field, batch}` in a body: a list of the values.
pub(super) fn batch_in_json(
    map: &Map,
    at: &Spot,
    holes: &mut Holes<'_>,
    problems: &mut Problems<'_>,
) -> Option<JsonTemplate> {
    let text = |key: &'static str| {
        let node = map.get(key)?;
        Some(Located { value: node.as_text()?.to_owned(), at: at.key(key, node) })
    };
    let size = map.get("batch").and_then(|node| {
        let value = u64::try_from(Node::as_int(node)?).ok()?;
        Some(Located { value, at: at.key("batch", node) })
    });
    let (Some(resource), Some(field), Some(size)) = (text("resource"), text("field"), size) else {
        problems.add_with_hint(
            at,
            "a batch in a body needs `resource`, `field` and a number as `batch`",
            "write `{type: resolve, resource: items, field: id, batch: 50}`",
        );
        return None;
    };
    let batch = BatchConfig { size, separator: None };
    let Part::Joined(index, _) = holes.batched(&resource.value, &field, &batch, problems)? else {
        return None;
    };
    Some(JsonTemplate::Text(Template { parts: vec![Part::Parent(index)] }))
}

/// What a batch rules out: whatever belongs to one record of the parent alone.
pub(super) fn batch(
    holes: &Holes<'_>,
    resource: &ResourceConfig,
    incremental: bool,
    problems: &mut Problems<'_>,
) -> Option<BatchPlan> {
    let size = holes.batch.as_ref()?;
    let included = resource.include_from_parent.as_ref().filter(|include| !include.value.is_empty());
    let (at, why, hint) = if !holes.alone.is_empty() {
        (
            &size.at,
            "`batch` asks for several records at once, and a placeholder names a field of one of them",
            "use fields of the parent in the request as a batch only, or leave `batch` out",
        )
    } else if let Some(included) = included {
        (
            &included.at,
            "`include_from_parent` names a field of one record, and `batch` asks for several at once",
            "rows of a batch tell themselves whose they are; leave one of the two out",
        )
    } else if incremental {
        (
            &size.at,
            "an incremental cursor belongs to one record of the parent, and `batch` asks for several at once",
            "leave `batch` or `incremental` out: batches are not the same from run to run",
        )
    } else {
        let field = holes.fields.iter().position(|field| matches!(field, ParentField::Own(_)))?;
        return Some(BatchPlan { field, size: usize::try_from(size.value).ok()? });
    };
    problems.add_with_hint(at, why, hint);
    None
}
