//! Parents before their children.

use super::Problems;
use super::resource::Draft;
use crate::plan::ResourcePlan;

/// The resources in the order of the file, except that a parent stands before its children; complains of
/// cycles and shows them.
pub(super) fn ordered(drafts: Vec<Draft>, problems: &mut Problems<'_>) -> Vec<ResourcePlan> {
    let names: Vec<String> = drafts.iter().map(|draft| draft.plan.name.clone()).collect();
    let parents: Vec<Option<usize>> = drafts
        .iter()
        .map(|draft| {
            let (parent, _) = draft.parent.as_ref()?;
            names.iter().position(|name| name == parent)
        })
        .collect();
    if complain_of_cycles(&drafts, &parents, problems) {
        return Vec::new();
    }
    let mut order: Vec<usize> = Vec::new();
    for index in 0..drafts.len() {
        let mut chain = Vec::new();
        let mut next = Some(index);
        while let Some(here) = next.filter(|here| !order.contains(here)) {
            chain.push(here);
            next = parents.get(here).copied().flatten();
        }
        order.extend(chain.into_iter().rev());
    }
    let mut slots: Vec<Option<Draft>> = drafts.into_iter().map(Some).collect();
    let mut resources = Vec::new();
    for index in &order {
        let Some(mut draft) = slots.get_mut(*index).and_then(Option::take) else { continue };
        let parent = parents.get(*index).copied().flatten();
        let position = parent.and_then(|parent| order.iter().position(|at| *at == parent));
        if let (Some(plan), Some(position)) = (draft.plan.parent.as_mut(), position) {
            plan.resource = position;
        }
        resources.push(draft.plan);
    }
    resources
}

fn complain_of_cycles(drafts: &[Draft], parents: &[Option<usize>], problems: &mut Problems<'_>) -> bool {
    let mut told: Vec<usize> = Vec::new();
    for start in 0..drafts.len() {
        let mut chain = vec![start];
        let mut here = start;
        while let Some(parent) = parents.get(here).copied().flatten() {
            if let Some(from) = chain.iter().position(|seen| *seen == parent) {
                let cycle: Vec<usize> = chain.iter().skip(from).copied().collect();
                if !cycle.iter().any(|index| told.contains(index)) {
                    let name = |index: &usize| {
                        drafts.get(*index).map_or(String::new(), |draft| format!("`{}`", draft.plan.name))
                    };
                    let shown: Vec<String> = cycle.iter().chain(cycle.first()).map(name).collect();
                    if let Some((_, at)) = drafts.get(parent).and_then(|draft| draft.parent.as_ref()) {
                        problems.add(at, format!("resources need each other: {}", shown.join(" -> ")));
                    }
                    told.extend(cycle);
                }
                break;
            }
            chain.push(parent);
            here = parent;
        }
    }
    !told.is_empty()
}
