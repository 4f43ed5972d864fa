//! The configuration as written: options without defaults, places kept for later problems.

mod auth;

use std::time::Duration;

pub use self::auth::{AuthConfig, LoginConfig, OAuth2Config, TokenRequestConfig};

use super::answers::ActionConfig;
use super::format::FormatConfig;
use super::node::{Node, Place};
use super::steps::{ColumnValuesConfig, StepsConfig};
use crate::plan::{
    Contract, CursorFormat, CursorValue, Disposition, DriftWatch, Method, Note, OnMissing, StopPlan, Text,
};
use crate::schema::{DataType, SortOrder};

/// Where something stands: its place in the file and its key path (`resources[0].endpoint.path`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spot {
    /// Line and column.
    pub place: Place,
    /// The key path.
    pub path: String,
}

/// A value and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Located<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub at: Spot,
}

/// A whole file.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// `name`: the source's name.
    pub name: Option<Located<String>>,
    /// `client`.
    pub client: ClientConfig,
    /// `resource_defaults`.
    pub resource_defaults: Option<ResourceConfig>,
    /// `resources`.
    pub resources: Vec<ResourceConfig>,
    /// The names of those that are left out by their `when`.
    pub left_out: Vec<String>,
    /// How loose spellings were read.
    pub notes: Vec<Note>,
}

/// `client`.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "the fields carry the names of the keys")]
pub struct ClientConfig {
    pub at: Spot,
    pub base_url: Option<Located<Text>>,
    pub headers: Vec<Header>,
    pub auth: Option<Located<AuthConfig>>,
    pub paginator: Option<PaginatorConfig>,
    pub retry: RetryConfig,
    pub rate_limits: Vec<RateLimitConfig>,
    pub concurrency: Option<u32>,
    pub timeout: TimeoutConfig,
    pub allowed_origins: Vec<Located<String>>,
    pub max_body: Option<u64>,
    pub tls: TlsConfig,
    pub limits: LimitsConfig,
    pub rejects: Option<bool>,
    pub max_rejects: Option<u64>,
    pub response_actions: Vec<ActionConfig>,
}

/// `client.tls`.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "the fields carry the names of the keys")]
pub struct TlsConfig {
    pub ca_file: Option<Located<String>>,
    pub client_cert_file: Option<Located<String>>,
    pub client_key_file: Option<Located<String>>,
}

/// `client.limits`.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "the fields carry the names of the keys")]
pub struct LimitsConfig {
    pub wire: Option<u64>,
    pub ratio: Option<u32>,
    pub redirects: Option<u32>,
    pub headers: Option<u32>,
    pub depth: Option<u32>,
    pub keys: Option<u32>,
    pub values: Option<u32>,
    pub items: Option<u32>,
    pub columns: Option<u32>,
    pub tables: Option<u32>,
}

/// `client.retry`.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "the fields carry the names of the keys")]
pub struct RetryConfig {
    pub max_retries: Option<u32>,
    pub backoff_factor: Option<f64>,
    pub statuses: Option<Vec<u16>>,
    pub max_wait: Option<Duration>,
}

/// `client.rate_limit`, or one of its `routes`.
#[derive(Clone, Debug)]
pub struct RateLimitConfig {
    /// Path prefix; none: every request.
    pub route: Option<String>,
    /// How many.
    pub requests: u32,
    /// In which time.
    pub per: Option<Duration>,
}

/// `client.timeout`.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "the fields carry the names of the keys")]
pub struct TimeoutConfig {
    pub connect: Option<Duration>,
    pub first_byte: Option<Duration>,
    pub read: Option<Duration>,
    pub total: Option<Duration>,
}

/// A header, or a field of a form.
#[derive(Clone, Debug, PartialEq)]
pub struct Header {
    /// Its name.
    pub name: String,
    /// Its value and where it stands.
    pub value: Located<Text>,
}

/// A resource, or `resource_defaults` (which has no name).
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "the fields carry the names of the keys")]
pub struct ResourceConfig {
    pub at: Spot,
    pub name: Option<Located<String>>,
    pub endpoint: EndpointConfig,
    pub primary_key: Option<Located<Vec<String>>>,
    pub merge_key: Option<Located<Vec<String>>>,
    pub write_disposition: Option<Located<Disposition>>,
    pub columns: Vec<ColumnConfig>,
    pub selected: Option<bool>,
    pub include_from_parent: Option<Located<Vec<IncludeConfig>>>,
    pub each: Option<EachConfig>,
    pub table_name: Option<Located<String>>,
    pub max_table_nesting: Option<u32>,
    pub steps: StepsConfig,
    pub schema_contract: Option<Contract>,
    /// Keys that are null: they take back what `resource_defaults` says.
    pub nulls: Vec<&'static str>,
}

/// `for_each`, its variables multiplied, and `include_from_each`.
#[derive(Clone, Debug, PartialEq)]
pub struct EachConfig {
    /// Where it stands.
    pub at: Spot,
    /// A JSON object of all variables for each item.
    pub items: Vec<serde_json::Value>,
    /// Fields of the item that rows carry.
    pub include: Vec<IncludeConfig>,
}

/// One field of `include_from_parent`.
#[derive(Clone, Debug, PartialEq)]
pub struct IncludeConfig {
    /// The column; none: `_<parent>_<field>`, as dlt names it.
    pub column: Option<String>,
    /// The field of the parent.
    pub field: Located<String>,
}

/// One column's hints.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the fields carry the names of the keys")]
pub struct ColumnConfig {
    pub at: Spot,
    pub name: String,
    pub data_type: Option<DataType>,
    pub nullable: Option<bool>,
    pub primary_key: bool,
    pub merge_key: bool,
    pub hard_delete: bool,
    pub dedup_sort: Option<SortOrder>,
    pub values: ColumnValuesConfig,
}

/// `endpoint`.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "the fields carry the names of the keys")]
pub struct EndpointConfig {
    pub at: Spot,
    pub path: Option<Located<Text>>,
    pub method: Option<Method>,
    pub params: Vec<Param>,
    pub json: Option<Located<Node>>,
    pub data: Option<Located<Vec<Header>>>,
    pub text: Option<Located<Text>>,
    pub headers: Vec<Header>,
    pub paginator: Option<PaginatorConfig>,
    pub data_selector: Option<Located<String>>,
    pub incremental: Option<IncrementalConfig>,
    pub response_actions: Option<Vec<ActionConfig>>,
    pub format: Option<FormatConfig>,
    pub auth: Option<Located<AuthConfig>>,
    pub expand: Option<ExpandConfig>,
    pub parent_filter: Option<Located<String>>,
    /// Keys that are null, as in [`ResourceConfig::nulls`].
    pub nulls: Vec<&'static str>,
}

/// A query parameter.
#[derive(Clone, Debug)]
pub struct Param {
    /// Its name, which may hold placeholders.
    pub name: String,
    /// Where it stands.
    pub at: Spot,
    /// Its value.
    pub value: ParamConfig,
}

/// The value of a query parameter.
#[derive(Clone, Debug)]
pub enum ParamConfig {
    /// Not sent.
    Null,
    /// One value.
    One(Text),
    /// The parameter repeated.
    Many(Vec<Text>),
    /// `{type: resolve, resource, field}`.
    Resolve {
        /// The parent.
        resource: Located<String>,
        /// Its field.
        field: Located<String>,
        /// Several records of the parent at once.
        batch: Option<BatchConfig>,
    },
    /// `{type: incremental, ...}`.
    Incremental(Box<IncrementalConfig>),
}

/// `batch` and `separator` of a resolved value.
#[derive(Clone, Debug, PartialEq)]
pub struct BatchConfig {
    /// How many records together.
    pub size: Located<u64>,
    /// What stands between the values; none in a list.
    pub separator: Option<String>,
}

/// `endpoint.expand`.
#[derive(Clone, Debug)]
pub struct ExpandConfig {
    /// The list inside a record.
    pub path: Located<String>,
    /// Column name and path in the record.
    pub include: Vec<(String, Located<String>)>,
    /// How lists are completed.
    pub complete: Option<CompleteConfig>,
}

/// `endpoint.expand.complete`.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the fields carry the names of the keys")]
pub struct CompleteConfig {
    pub at: Spot,
    pub has_more: Located<String>,
    pub url: Option<Located<String>>,
    pub path: Option<Located<Text>>,
    pub params: Vec<Param>,
    pub data_selector: Option<Located<String>>,
    pub paginator: Option<PaginatorConfig>,
}

/// The paginators' types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it (dlt.md §1.6)")]
pub enum PaginatorKind {
    Auto,
    SinglePage,
    PageNumber,
    Offset,
    Cursor,
    JsonLink,
    HeaderLink,
    HeaderCursor,
}

/// A paginator: all keys of all types, of which the reader lets through what fits the type.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the fields carry the names of the keys (dlt.md §1.6)")]
pub struct PaginatorConfig {
    pub at: Spot,
    pub kind: PaginatorKind,
    pub base_page: Option<u64>,
    pub page: Option<u64>,
    pub page_param: Option<Located<String>>,
    pub page_body_path: Option<Located<String>>,
    /// Inner none: written as null, there is no total.
    pub total_path: Option<Option<Located<String>>>,
    pub maximum_page: Option<u64>,
    pub stop_after_empty_page: Option<bool>,
    pub has_more_path: Option<Located<String>>,
    /// dray's own: a missing flag says nothing.
    pub has_more_optional: Option<bool>,
    pub limit: Option<u64>,
    pub limit_param: Option<Located<String>>,
    pub limit_body_path: Option<Located<String>>,
    pub offset: Option<u64>,
    pub offset_param: Option<Located<String>>,
    pub offset_body_path: Option<Located<String>>,
    pub maximum_offset: Option<u64>,
    pub cursor_path: Option<Located<String>>,
    /// dray's own: a field of the page's last record is the token.
    pub cursor_field: Option<Located<String>>,
    pub cursor_param: Option<Located<String>>,
    pub cursor_body_path: Option<Located<String>>,
    pub next_url_path: Option<Located<String>>,
    pub links_next_key: Option<Located<String>>,
    pub cursor_key: Option<Located<String>>,
    /// dray's own: what is done about a list that changes while it is read.
    pub drift: Option<DriftWatch>,
    /// dray's own: a response header with the number of records.
    pub total_header: Option<Located<String>>,
    /// dray's own: a response header with the number of pages.
    pub total_pages_header: Option<Located<String>>,
    /// dray's own: the first request goes without its number.
    pub omit_first: bool,
    /// dray's own: the token of the first request.
    pub initial_cursor: Option<String>,
}

impl PaginatorConfig {
    /// A paginator of this type with no key set.
    #[must_use]
    pub fn new(kind: PaginatorKind, at: Spot) -> Self {
        Self {
            at,
            kind,
            base_page: None,
            page: None,
            page_param: None,
            page_body_path: None,
            total_path: None,
            maximum_page: None,
            stop_after_empty_page: None,
            has_more_path: None,
            has_more_optional: None,
            limit: None,
            limit_param: None,
            limit_body_path: None,
            offset: None,
            offset_param: None,
            offset_body_path: None,
            maximum_offset: None,
            cursor_path: None,
            cursor_field: None,
            cursor_param: None,
            cursor_body_path: None,
            next_url_path: None,
            links_next_key: None,
            cursor_key: None,
            drift: None,
            total_header: None,
            total_pages_header: None,
            omit_first: false,
            initial_cursor: None,
        }
    }
}

/// `incremental`.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "the fields carry the names of the keys (dlt.md §5.1)")]
pub struct IncrementalConfig {
    pub at: Spot,
    pub cursor_path: Option<Located<String>>,
    /// dray's own: how records write their cursors.
    pub cursor_format: Option<Located<String>>,
    pub initial_value: Option<CursorValue>,
    pub end_value: Option<Located<CursorValue>>,
    pub start_param: Option<Located<String>>,
    pub end_param: Option<Located<String>>,
    pub format: Option<CursorFormat>,
    pub lag: Option<f64>,
    pub on_cursor_value_missing: Option<OnMissing>,
    pub descending: Option<bool>,
    pub start_open: Option<bool>,
    pub end_closed: Option<bool>,
    pub window: Option<Located<WindowConfig>>,
    pub row_order: Option<Located<StopPlan>>,
    pub retention: Option<Located<Duration>>,
    pub fallback: Option<Located<String>>,
}

/// The length of a window as written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WindowConfig {
    /// `30d`.
    Time(Duration),
    /// `1 month`; a year is twelve.
    Months(i32),
}
