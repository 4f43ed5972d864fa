//! Children that are asked for several records of their parent at once (`batch`): the records of one page of the parent, so
//! many together. A batch is a partition whose key holds all of its values, so that a later run asks for the same ones.

use std::collections::HashSet;
use std::sync::Arc;

use super::children::{Partition, owner};
use crate::plan::{BatchPlan, ParentPlan};

/// One partition for each `size` of these, which are of one record each.
pub(super) fn joined(singles: &[Partition], batch: BatchPlan) -> Vec<Partition> {
    let join = |chunk: &[Partition]| {
        let first = chunk.first()?;
        let values: Vec<serde_json::Value> =
            chunk.iter().filter_map(|single| single.fields.get(batch.field).cloned()).collect();
        let mut fields = first.fields.clone();
        *fields.get_mut(batch.field)? = values.into();
        Some(Partition { key: owner(&fields), fields, ..first.clone() })
    };
    singles.chunks(batch.size.max(1)).filter_map(join).collect()
}

/// The keys that the records in batches would have alone.
pub(super) fn singles(known: HashSet<Arc<str>>, plan: &ParentPlan) -> HashSet<Arc<str>> {
    let Some(batch) = plan.batch else { return known };
    let mut singles = HashSet::new();
    for key in known {
        let Ok(mut fields) = serde_json::from_str::<Vec<serde_json::Value>>(&key) else { continue };
        // What follows are values of an item, which all of them are asked for.
        fields.truncate(plan.fields.len());
        let Some(place) = fields.get_mut(batch.field) else { continue };
        let serde_json::Value::Array(values) = place.take() else { continue };
        for value in values {
            if let Some(place) = fields.get_mut(batch.field) {
                *place = value;
            }
            singles.insert(owner(&fields));
        }
    }
    singles
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::json::Path;
    use crate::plan::ParentField;

    #[test]
    fn what_was_asked_for_together_is_known_one_by_one() {
        let batch = BatchPlan { field: 1, size: 2 };
        let above = ParentField::Above { resource: "orgs".to_owned(), path: Path::key("id"), from: 0 };
        let plan = ParentPlan {
            resource: 0,
            fields: vec![above, ParentField::Own(Path::key("id"))],
            include: Vec::new(),
            filter: None,
            batch: Some(batch),
        };
        let single = |id: u64| {
            let fields = vec![json!("o"), json!(id)];
            Partition { key: owner(&fields), fields, overlay: None, span: None, position: None }
        };
        let all: Vec<Partition> = (1..=3).map(single).collect();
        let batches: Vec<String> = joined(&all, batch).iter().map(|batch| batch.key.to_string()).collect();
        assert_eq!(batches, [r#"["o",[1,2]]"#, r#"["o",[3]]"#]);
        let known = [r#"["o",[1,2],"item"]"#, r#"["o",[3],"item"]"#].map(Arc::from).into();
        let expected: HashSet<Arc<str>> = all.into_iter().map(|single| single.key).collect();
        assert_eq!(singles(known, &plan), expected);
    }
}
