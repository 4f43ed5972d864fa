//! One resource of the plan.

use std::sync::Arc;

use super::bind::Peer;
use super::defaults::Merged;
use super::holes::Holes;
use super::lineage::Lineage;
use super::{
    Problems, answers, auth, complete, each, format, incremental, paging, parents, placed, request, steps,
};
use crate::config::model::{Config, EndpointConfig, IncrementalConfig, ParamConfig, ResourceConfig, Spot};
use crate::json::Path;
use crate::plan::singular::singular;
use crate::plan::{
    AnswerPlan, AnswerRule, AuthPlan, ClientPlan, Disposition, IncludeField, LoadPlan, Paging, ParamValue,
    ParentPlan, Part, ResourcePlan, Template, Text, TokenTarget,
};
use crate::schema::ColumnHint;

/// A resource whose parent is known by name only.
pub(super) struct Draft {
    pub(super) plan: ResourcePlan,
    pub(super) parent: Option<(String, Spot)>,
}

/// What all resources have in common.
pub(super) struct Shared<'a> {
    pub(super) config: &'a Config,
    /// None after a complaint.
    pub(super) client: Option<&'a ClientPlan>,
    /// None after a complaint.
    pub(super) auth: Option<AuthPlan>,
    /// The client's rules for answers; none after a complaint.
    pub(super) rules: Option<Vec<AnswerRule>>,
}

/// The resources of the file, as far as one must know of the others.
struct Around<'a> {
    names: &'a [&'a str],
    peers: &'a [Peer],
    lineage: &'a Lineage,
}

pub(super) fn compile_all(shared: &Shared<'_>, merged: &[Merged], problems: &mut Problems<'_>) -> Vec<Draft> {
    let mut names: Vec<&str> = Vec::new();
    let mut peers = Vec::new();
    for merged in merged {
        let Some(name) = &merged.resource.name else { continue };
        if names.contains(&name.value.as_str()) {
            problems.add(&name.at, format!("there is another resource `{}`", name.value));
        }
        names.push(&name.value);
        peers.push(peer(&name.value, merged));
    }
    let around = Around { names: &names, peers: &peers, lineage: &Lineage::new(merged, &peers) };
    let mut drafts = Vec::new();
    for merged in merged {
        let Some(name) = &merged.resource.name else { continue };
        problems.resource = Some(name.value.clone());
        drafts.extend(compile(shared, &name.value, merged, &around, problems));
    }
    problems.resource = None;
    drafts
}

fn peer(name: &str, merged: &Merged) -> Peer {
    let path = match merged.resource.endpoint.path.as_ref().map(|path| &path.value) {
        Some(Text::Plain(path)) => {
            path.split('?').next().unwrap_or_default().trim_matches(['/', ' ']).to_owned()
        }
        Some(Text::Secret(_)) => String::new(),
        None => name.to_owned(),
    };
    let declared = merged.resource.primary_key.as_ref().filter(|_| !merged.key_inherited);
    let key = declared.and_then(|key| match key.value.as_slice() {
        [key] => Some(key.clone()),
        _ => None,
    });
    Peer { name: name.to_owned(), path, key }
}

fn compile(
    shared: &Shared<'_>,
    name: &str,
    merged: &Merged,
    around: &Around<'_>,
    problems: &mut Problems<'_>,
) -> Option<Draft> {
    let resource = &merged.resource;
    let endpoint = &resource.endpoint;
    let written = incremental_config(endpoint, problems);
    let mut incremental = written.and_then(|(config, param)| incremental::compile(config, param, problems));
    let mut holes = Holes {
        own: name,
        names: around.names,
        left_out: &shared.config.left_out,
        lineage: around.lineage,
        incremental: incremental.is_some(),
        constants: constants(endpoint),
        each: resource.each.as_ref(),
        batch: None,
        each_fields: Vec::new(),
        parent: None,
        refused: false,
        fields: Vec::new(),
        alone: Vec::new(),
        include: Vec::new(),
    };
    let mut request = request::compile(endpoint, around.peers, shared.client, &mut holes, problems);
    let single = asks_for_one(endpoint);
    if let (Some((config, _)), Some(plan), Some(request)) = (written, &mut incremental, &request) {
        incremental::windowed(config, plan, request, problems);
    }
    let mut paging = paging_plan(shared.config, endpoint, single, problems);
    if let (Some(paging), Some(request)) = (&mut paging, &mut request) {
        placed::settle(paging, request, &endpoint.at, problems);
        settle_limit(paging, request.params.as_slice(), problems);
    }
    let selector = match &endpoint.data_selector {
        Some(written) if written.value.trim().is_empty() => Some(Path::root()),
        Some(written) => Some(problems.path(&written.value, &written.at)?),
        None => single.then(Path::root),
    };
    let auth = match &endpoint.auth {
        Some(_) => auth::auth(endpoint.auth.as_ref(), shared.client.map(|client| &client.base_url), problems),
        None => shared.auth.clone(),
    };
    let rules = answers::compile(endpoint.response_actions.as_deref().unwrap_or_default(), problems);
    let format = format::compile(endpoint.format.as_ref(), selector.as_ref(), problems);
    let expand = complete::expand(endpoint, problems);
    let include = include(resource, &holes, problems);
    let load = load_plan(name, merged, problems);
    if load.disposition == Disposition::Append
        && incremental.as_ref().is_some_and(|incremental| incremental.lag.is_some_and(|lag| lag > 0.0))
    {
        problems.note("`lag` reads the newest records again, and `append` adds them again; `merge` by a `primary_key` would not");
    }
    let each = resource.each.as_ref().and_then(|each| each::compile(each, &holes, problems));
    let filter = parents::filter(endpoint, &holes, problems);
    let batch = parents::batch(&holes, resource, incremental.is_some(), problems);
    let parent = holes.parent;
    let mut plan = ResourcePlan {
        name: name.to_owned(),
        selected: resource.selected.unwrap_or(true),
        request: request?,
        auth: auth?,
        paging: paging?,
        selector,
        expand,
        parent: parent.as_ref().map(|_| ParentPlan {
            resource: 0,
            fields: holes.fields,
            include,
            filter,
            batch,
        }),
        transform: steps::compile(resource, problems),
        each,
        incremental,
        answers: AnswerPlan {
            rules: rules?.into_iter().chain(shared.rules.clone()?).collect(),
            format: Arc::new(format?),
        },
        load,
        // Known once the whole file is: `prepare` fills it in.
        fingerprint: String::new(),
    };
    let written = endpoint.expand.as_ref().and_then(|expand| expand.complete.as_ref());
    if let Some(written) = written {
        let complete = complete::complete(written, &plan, problems);
        if let Some(expand) = &mut plan.expand {
            expand.complete = complete;
        }
    }
    Some(Draft { plan, parent })
}

/// `endpoint.incremental`, or the one parameter of type incremental.
fn incremental_config<'e>(
    endpoint: &'e EndpointConfig,
    problems: &mut Problems<'_>,
) -> Option<(&'e IncrementalConfig, Option<&'e str>)> {
    let mut found = endpoint.incremental.as_ref().map(|config| (config, None));
    for param in &endpoint.params {
        let ParamConfig::Incremental(config) = &param.value else { continue };
        if found.is_some() {
            problems.add(&param.at, "an endpoint has one incremental cursor, and this is the second");
            continue;
        }
        found = Some((config.as_ref(), Some(param.name.as_str())));
    }
    found
}

/// dlt's rule: a placeholder in the last segment of the path asks for one object (dlt.md §1.4).
fn asks_for_one(endpoint: &EndpointConfig) -> bool {
    let Some(Text::Plain(path)) = endpoint.path.as_ref().map(|path| &path.value) else { return false };
    let path = path.split('?').next().unwrap_or_default();
    let last = path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    // An item of `for_each` is written in the file: as if the path had no placeholder.
    last.replace("{each.", "").contains('{') && last.contains('}')
}

fn paging_plan(
    config: &Config,
    endpoint: &EndpointConfig,
    single: bool,
    problems: &mut Problems<'_>,
) -> Option<Paging> {
    if let Some(paginator) = &endpoint.paginator {
        return paging::compile(paginator, problems);
    }
    if single {
        if config.client.paginator.is_some() {
            problems.note(
                "the path ends in a placeholder, so it is read as one object on one page; \
                 give the endpoint a `paginator` if it is a list",
            );
        }
        return Some(paging::single_page());
    }
    match &config.client.paginator {
        Some(paginator) => paging::compile(paginator, problems),
        None => Some(paging::auto()),
    }
}

/// A page size that the parameters already send is not sent twice; theirs counts.
pub(super) fn settle_limit(
    paging: &mut Paging,
    params: &[(Template, ParamValue)],
    problems: &mut Problems<'_>,
) {
    let Some(TokenTarget::Query(name)) = &paging.limit_into else { return };
    let sent = params.iter().find_map(|(param, value)| match (param.parts.as_slice(), value) {
        ([Part::Text(text)], ParamValue::One(value)) if text.expose() == name => Some(value),
        _ => None,
    });
    let Some(sent) = sent else { return };
    let number = match sent.parts.as_slice() {
        [Part::Text(text)] => text.expose().trim().parse().ok(),
        _ => None,
    };
    if number != paging.limit {
        problems.note(format!("the parameter `{name}` wins over the paginator's `limit`"));
    }
    paging.limit = number;
    paging.limit_into = None;
    paging.stop_after_short_page &= number.is_some();
}

fn include(resource: &ResourceConfig, holes: &Holes<'_>, problems: &mut Problems<'_>) -> Vec<IncludeField> {
    let mut include = Vec::new();
    if let Some(written) = &resource.include_from_parent {
        match &holes.parent {
            None if written.value.is_empty() || holes.refused => {}
            None => problems.add_with_hint(
                &written.at,
                "`include_from_parent` stands here, but the resource has no parent",
                "a parent is named by a placeholder: `{resources.<name>.<field>}`",
            ),
            Some((parent, _)) => {
                for field in &written.value {
                    let at = &field.field.at;
                    let name = &field.field.value;
                    let path = match &field.column {
                        Some(_) => problems.path(name, at),
                        None => Some(Path::key(name)),
                    };
                    if field.column.is_none() && name.contains('.') {
                        problems.add_with_hint(
                            at,
                            format!("`{name}` is not a field at the top of the parent's record"),
                            format!(
                                "name the column: `include_from_parent: {{{}: {name}}}`",
                                name.replace('.', "_")
                            ),
                        );
                    }
                    let name = field.column.clone().unwrap_or_else(|| format!("_{parent}_{name}"));
                    include.extend(path.map(|path| IncludeField { name, path }));
                }
            }
        }
    }
    for bound in &holes.include {
        if !include.iter().any(|field| field.name == bound.name) {
            include.push(bound.clone());
        }
    }
    include
}

fn load_plan(name: &str, merged: &Merged, problems: &mut Problems<'_>) -> LoadPlan {
    let resource = &merged.resource;
    let mut primary_key = resource.primary_key.as_ref().map(|key| key.value.clone()).unwrap_or_default();
    let mut merge_key = resource.merge_key.as_ref().map(|key| key.value.clone()).unwrap_or_default();
    let mut key_inherited = merged.key_inherited && !primary_key.is_empty();
    let flagged = |wanted: fn(&crate::config::model::ColumnConfig) -> bool| {
        resource.columns.iter().filter(move |column| wanted(column)).map(|column| column.name.clone())
    };
    let keys: Vec<String> = flagged(|column| column.primary_key).collect();
    if !keys.is_empty() {
        primary_key = keys;
        key_inherited = false;
    }
    merge_key.extend(flagged(|column| column.merge_key));
    let disposition =
        resource.write_disposition.as_ref().map_or(Disposition::Append, |written| written.value);
    if disposition == Disposition::Merge && primary_key.is_empty() && merge_key.is_empty() {
        problems.note("`merge` without `primary_key` or `merge_key` appends, as in dlt");
    }
    for (what, found) in [
        (
            "dedup_sort",
            resource.columns.iter().filter(|column| column.dedup_sort.is_some()).collect::<Vec<_>>(),
        ),
        ("hard_delete", resource.columns.iter().filter(|column| column.hard_delete).collect()),
    ] {
        if let [_, second, ..] = found.as_slice() {
            problems.add(&second.at, format!("a second column with `{what}`: a table has one"));
        }
        if let [only] = found.as_slice()
            && what == "dedup_sort"
            && primary_key.is_empty()
        {
            problems.add(&only.at, "`dedup_sort` needs `primary_key`: else no two rows are the same");
        }
    }
    let columns = resource.columns.iter().map(|column| ColumnHint {
        name: column.name.clone(),
        data_type: steps::data_type(column),
        not_null: column.nullable == Some(false),
        hard_delete: column.hard_delete,
        dedup_sort: column.dedup_sort,
    });
    LoadPlan {
        table: resource.table_name.as_ref().map_or_else(|| name.to_owned(), |table| table.value.clone()),
        disposition,
        primary_key,
        key_inherited,
        fallback_key: key_inherited.then(|| format!("{}_id", singular(name))),
        merge_key,
        columns: columns.collect(),
        max_nesting: resource.max_table_nesting,
        // Known once all resources are: `tables`.
        shared: None,
        contract: resource.schema_contract.unwrap_or_default(),
    }
}
/// What `incremental` says that a request may repeat.
fn constants(endpoint: &EndpointConfig) -> Vec<(&'static str, String)> {
    let Some(incremental) = &endpoint.incremental else { return Vec::new() };
    let lag = incremental.lag.map(|lag| ("lag", lag.to_string()));
    let path = incremental.cursor_path.as_ref().map(|path| ("cursor_path", path.value.clone()));
    lag.into_iter().chain(path).collect()
}
