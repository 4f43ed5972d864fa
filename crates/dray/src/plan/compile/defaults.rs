//! The one table of defaults, and how `resource_defaults` are merged (dlt.md §1.3).

use std::time::Duration;

use crate::config::model::{EndpointConfig, ResourceConfig};
use crate::config::node::{Node, Value};
use crate::json::Bounds;
use crate::plan::{DriftWatch, Limits, RetryPlan, Timeouts};

pub(super) const CONCURRENCY: usize = 8;
pub(super) const MAX_REJECTS: u64 = 1000;
pub(super) const RATE_PERIOD: Duration = Duration::from_secs(1);
pub(super) const TOKEN_EXPIRY: Duration = Duration::from_secs(3600);
pub(super) const AUTH_HEADER: &str = "Authorization";
pub(super) const AUTH_SCHEME: &str = "Bearer";
pub(super) const SEPARATOR: &str = ",";
pub(super) const PAGE_PARAM: &str = "page";
pub(super) const BASE_PAGE: u64 = 0;
pub(super) const OFFSET_PARAM: &str = "offset";
pub(super) const LIMIT_PARAM: &str = "limit";
pub(super) const CURSOR_PARAM: &str = "cursor";
pub(super) const CURSOR_PATH: &str = "cursors.next";
pub(super) const NEXT_URL_PATH: &str = "next";
pub(super) const LINK_RELATION: &str = "next";
pub(super) const CURSOR_HEADER: &str = "next";
pub(super) const CSV_DELIMITER: u8 = b',';
pub(super) const CSV_QUOTE: u8 = b'"';
/// Finds drift without asking for more than the list; dlt does nothing.
pub(super) const DRIFT: DriftWatch = DriftWatch::Watch;
/// dlt's; unlike there its absence says nothing.
pub(super) const TOTAL_PATH: &str = "total";

pub(super) fn retry() -> RetryPlan {
    RetryPlan {
        max_retries: 3,
        backoff_factor: 2.0,
        max_wait: Duration::from_secs(300),
        statuses: vec![429, 500, 502, 503, 504],
    }
}

pub(super) fn timeouts() -> Timeouts {
    Timeouts {
        connect: Duration::from_secs(10),
        first_byte: Duration::from_secs(60),
        read: Duration::from_secs(60),
        total: Duration::from_secs(300),
    }
}

pub(in crate::plan) fn limits() -> Limits {
    Limits {
        wire_bytes: 256 << 20,
        body_bytes: 256 << 20,
        ratio: 200,
        redirects: 10,
        headers: 256,
        json: Bounds::default(),
        columns: 1000,
        tables: 200,
    }
}

/// A resource with the defaults under it. What is compiled knows of it whether the key was inherited.
pub(super) struct Merged {
    pub(super) resource: ResourceConfig,
    pub(super) key_inherited: bool,
}

/// The resource's own keys win, null too; `params` and `json` are merged per key, `columns` per column.
pub(super) fn merged(defaults: Option<&ResourceConfig>, own: &ResourceConfig) -> Merged {
    let mut resource = own.clone();
    let Some(defaults) = defaults else { return Merged { resource, key_inherited: false } };
    let mut defaults = defaults.clone();
    take_back(&mut defaults, own);
    let key_inherited = own.primary_key.is_none() && defaults.primary_key.is_some();
    resource.primary_key = resource.primary_key.or(defaults.primary_key);
    resource.merge_key = resource.merge_key.or(defaults.merge_key);
    resource.write_disposition = resource.write_disposition.or(defaults.write_disposition);
    resource.selected = resource.selected.or(defaults.selected);
    resource.include_from_parent = resource.include_from_parent.or(defaults.include_from_parent);
    resource.table_name = resource.table_name.or(defaults.table_name);
    resource.schema_contract = resource.schema_contract.or(defaults.schema_contract);
    resource.max_table_nesting = resource.max_table_nesting.or(defaults.max_table_nesting);
    resource.steps = resource.steps.over(defaults.steps);
    for column in defaults.columns {
        if !resource.columns.iter().any(|own| own.name == column.name) {
            resource.columns.push(column);
        }
    }
    resource.endpoint = endpoint(defaults.endpoint, resource.endpoint);
    Merged { resource, key_inherited }
}

/// A key that a resource has as null takes the default back, as in dlt.
fn take_back(defaults: &mut ResourceConfig, own: &ResourceConfig) {
    for key in &own.nulls {
        match *key {
            "primary_key" => defaults.primary_key = None,
            "merge_key" => defaults.merge_key = None,
            "write_disposition" => defaults.write_disposition = None,
            "columns" => defaults.columns.clear(),
            "selected" => defaults.selected = None,
            "include_from_parent" => defaults.include_from_parent = None,
            "table_name" => defaults.table_name = None,
            "max_table_nesting" => defaults.max_table_nesting = None,
            "schema_contract" => defaults.schema_contract = None,
            "processing_steps" => defaults.steps.processing = None,
            step => defaults.steps.own.retain(|own| own.name != step),
        }
    }
    let endpoint = &mut defaults.endpoint;
    for key in &own.endpoint.nulls {
        match *key {
            "path" => endpoint.path = None,
            "method" => endpoint.method = None,
            "params" => endpoint.params.clear(),
            "json" => endpoint.json = None,
            "data" => endpoint.data = None,
            "text" => endpoint.text = None,
            "headers" => endpoint.headers.clear(),
            "paginator" => endpoint.paginator = None,
            "data_selector" => endpoint.data_selector = None,
            "incremental" => endpoint.incremental = None,
            "response_actions" => endpoint.response_actions = None,
            "format" => endpoint.format = None,
            "expand" => endpoint.expand = None,
            "parent_filter" => endpoint.parent_filter = None,
            // `auth: null` is an authentication: none.
            _ => {}
        }
    }
}

fn endpoint(mut defaults: EndpointConfig, mut own: EndpointConfig) -> EndpointConfig {
    // A body of its own replaces one of another kind.
    if own.text.is_some() {
        (defaults.json, defaults.data) = (None, None);
    } else if own.json.is_some() || own.data.is_some() {
        defaults.text = None;
    }
    own.path = own.path.or(defaults.path);
    own.method = own.method.or(defaults.method);
    let mut params = defaults.params;
    for param in own.params {
        match params.iter_mut().find(|default| default.name == param.name) {
            Some(default) => *default = param,
            None => params.push(param),
        }
    }
    own.params = params;
    own.json = match (defaults.json, own.json) {
        (Some(under), Some(mut over)) => {
            over.value = merged_json(under.value, over.value);
            Some(over)
        }
        (under, over) => over.or(under),
    };
    // dlt replaces headers whole; an empty list cannot be told from none, and means the same.
    if own.headers.is_empty() {
        own.headers = defaults.headers;
    }
    own.data = own.data.or(defaults.data);
    own.text = own.text.or(defaults.text);
    own.paginator = own.paginator.or(defaults.paginator);
    own.data_selector = own.data_selector.or(defaults.data_selector);
    own.incremental = own.incremental.or(defaults.incremental);
    own.response_actions = own.response_actions.or(defaults.response_actions);
    own.format = own.format.or(defaults.format);
    own.auth = own.auth.or(defaults.auth);
    own.expand = own.expand.or(defaults.expand);
    own.parent_filter = own.parent_filter.or(defaults.parent_filter);
    own
}

fn merged_json(under: Node, over: Node) -> Node {
    match (under.value, over.value) {
        (Value::Map(mut map), Value::Map(own)) => {
            for entry in own.entries {
                map.insert(entry.key, entry.place, entry.value);
            }
            Node::new(Value::Map(map), over.place)
        }
        (_, own) => Node::new(own, over.place),
    }
}
