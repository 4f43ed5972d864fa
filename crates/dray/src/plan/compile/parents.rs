//! What is decided of a resource's parent: which of its records count.

use super::Problems;
use super::holes::Holes;
use crate::config::model::EndpointConfig;
use crate::json::Filter;

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
