//! **resolve**: `Config` to [`Plan`]. Everything that a run does is decided here, before the first request:
//! defaults merged, paths and templates compiled, resources in dependency order, every problem located.

mod answers;
mod backfill;
mod compile;
mod complete;
mod contract;
mod convert;
mod cursor_form;
mod each;
mod explain;
mod format;
mod incremental;
mod limits;
pub mod openapi;
mod paginate;
mod parents;
mod prepare;
pub mod propose;
mod retention;
mod secrets;
mod singular;
mod steps;
mod table;
mod template;
#[cfg(test)]
mod testing;
mod token;
pub(crate) mod words;

use std::path::PathBuf;
use std::time::Duration;

use url::Url;

pub use answers::{AnswerAction, AnswerPlan, AnswerRule, BodyCondition, BodyTest, Pattern};
pub use backfill::Backfill;
pub use compile::compile;
pub use complete::{CompletePlan, ExpandPlan};
pub use contract::{Contract, ContractMode};
pub use convert::{Caution, Converted, convert, move_secrets};
pub use cursor_form::CursorForm;
pub use each::{EachItem, EachPlan};
pub use explain::explain;
pub use format::{CsvPlan, Encoding, FormatKind, FormatPlan, XmlPlan};
pub use incremental::{
    CursorFormat, CursorValue, IncrementalPlan, OnMissing, StopPlan, WindowPlan, WindowSize,
};
pub use limits::{Limits, RejectPlan};
pub use paginate::{
    CursorSource, DriftWatch, HasMore, PaginatorPlan, Paging, Sending, TokenTarget, Total, TotalSource,
};
pub use parents::{BatchPlan, IncludeField, ParentField, ParentPlan};
pub use prepare::{Prepared, prepare};
pub use retention::{RetentionPlan, StartPlan};
pub use table::SharedTable;
pub use template::{JsonTemplate, PageValue, Part, Template, Text};
pub use token::{Expiry, Grant, RefreshToken, TokenBody, TokenPlan, TokenRequest, TokenSent, TokenSource};

use crate::json::Path;
use crate::schema::ColumnHint;
use crate::secret::Secret;
use crate::transform::Transform;

/// What a run does, fully decided. Nobody after this stage sees the configuration.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The API's client: where, how fast, how patient.
    pub client: ClientPlan,
    /// The resources in dependency order: a parent stands before its children.
    pub resources: Vec<ResourcePlan>,
    /// How loose spellings were read, for `dray plan` and the report.
    pub notes: Vec<Note>,
}

/// One reading of something that the file leaves open or spells loosely.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The resource it is about; none: the whole file.
    pub resource: Option<String>,
    /// What was written and how it was read.
    pub text: String,
}

impl Note {
    /// The note on one line.
    #[must_use]
    pub fn shown(&self) -> String {
        match &self.resource {
            Some(resource) => format!("{resource}: {}", self.text),
            None => self.text.clone(),
        }
    }
}

/// The HTTP side of a plan.
#[derive(Debug, Clone)]
pub struct ClientPlan {
    /// Base of all relative paths; always ends in a slash.
    pub base_url: Url,
    /// Sent with every request; a resource's own headers win per name.
    pub headers: Vec<(String, Text)>,
    /// Retries of one request.
    pub retry: RetryPlan,
    /// Requests in a period, for all paths or for the paths that begin with `route`; all that match are charged.
    pub rate_limits: Vec<RateLimit>,
    /// Requests under way at once, at the most.
    pub concurrency: usize,
    /// Requests of the whole run, at the most; then it stops (`--max-requests`).
    pub max_requests: Option<u64>,
    /// How long to wait for an answer.
    pub timeouts: Timeouts,
    /// How much of anything an answer may hold.
    pub limits: Limits,
    /// What becomes of records that cannot be loaded.
    pub rejects: RejectPlan,
    /// Origins beside the base URL's that may be asked, with credentials (`https://host:port`, no path).
    pub allowed_origins: Vec<url::Origin>,
    /// Certificates beside the system's.
    pub tls: TlsPlan,
}

/// Files with certificates, read when the client is made. A server's certificate is always verified.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TlsPlan {
    /// Authorities that are trusted beside those of the system (PEM).
    pub ca_file: Option<PathBuf>,
    /// What the client shows of itself.
    pub client: Option<ClientCertificate>,
}

/// A client certificate: PEM files, which may be one and the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientCertificate {
    /// The certificate, and those between it and its authority.
    pub certificate: PathBuf,
    /// Its private key, not encrypted.
    pub key: PathBuf,
}

/// Retries: the `n`-th waits `backoff_factor * 2^(n-1)` seconds, unless the server says otherwise.
#[derive(Debug, Clone, PartialEq)]
pub struct RetryPlan {
    /// Retries after the first attempt: 3 means 4 attempts.
    pub max_retries: u32,
    /// Seconds before the first retry.
    pub backoff_factor: f64,
    /// Longest wait before one retry; a longer `Retry-After` fails the request with a clear message.
    pub max_wait: Duration,
    /// Status codes that are retried.
    pub statuses: Vec<u16>,
}

/// At most `requests` in every `per`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RateLimit {
    /// Beginning of a path, in full or below that of the base URL; none: every request.
    pub route: Option<String>,
    /// How many.
    pub requests: u32,
    /// In which time.
    pub per: Duration,
}

/// Time limits of one attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timeouts {
    /// To connect.
    pub connect: Duration,
    /// From the request to the head of the answer.
    pub first_byte: Duration,
    /// Between two pieces of an answer.
    pub read: Duration,
    /// For the whole attempt.
    pub total: Duration,
}

/// One resource, fully decided.
#[derive(Debug, Clone)]
pub struct ResourcePlan {
    /// Its name in the file.
    pub name: String,
    /// Loaded into a table; a parent that only feeds its children is not.
    pub selected: bool,
    /// What to ask.
    pub request: RequestPlan,
    /// How its requests are authenticated.
    pub auth: AuthPlan,
    /// How pages follow each other.
    pub paging: Paging,
    /// Where the records are in a page; none: found on the first page as dlt does (dlt.md §1.5).
    pub selector: Option<Path>,
    /// Rows made of a list inside each record.
    pub expand: Option<ExpandPlan>,
    /// What becomes of its records before anything else sees them.
    pub transform: Transform,
    /// The resource whose records this one is asked for, if any.
    pub parent: Option<ParentPlan>,
    /// The items that it is asked for, one by one, if any (`for_each`).
    pub each: Option<EachPlan>,
    /// Its incremental position, if any.
    pub incremental: Option<IncrementalPlan>,
    /// How its answers are judged (`response_actions`).
    pub answers: AnswerPlan,
    /// How its rows reach the table.
    pub load: LoadPlan,
    /// Digest of what the file says of the resource, whatever the clock says: an unfinished reading of it is carried on
    /// only under the same one.
    pub fingerprint: String,
}

/// A request before its page token, parent and cursor are known.
#[derive(Debug, Clone)]
pub struct RequestPlan {
    /// `GET` or `POST`.
    pub method: Method,
    /// Relative to the base URL, or absolute.
    pub path: Template,
    /// Query parameters in order; a list is repeated. Names may hold placeholders too.
    pub params: Vec<(Template, ParamValue)>,
    /// Headers of this resource alone.
    pub headers: Vec<(String, Template)>,
    /// The body.
    pub body: Option<BodyPlan>,
}

impl RequestPlan {
    /// Whether a placeholder somewhere is where the cursor ends.
    #[must_use]
    pub fn sends_end(&self) -> bool {
        let params = self.params.iter().any(|(name, value)| {
            name.uses_end()
                || match value {
                    ParamValue::One(value) => value.uses_end(),
                    ParamValue::Many(values) => values.iter().any(Template::uses_end),
                }
        });
        let headers = self.headers.iter().any(|(_, value)| value.uses_end());
        let form = matches!(&self.body, Some(BodyPlan::Form(fields)) if fields.iter().any(|(_, value)| value.uses_end()));
        params || headers || form || self.needs_end()
    }

    /// Whether there is no request without it: a parameter or a header can be left out, unless the start stands in it too
    /// (`filter=updated ge '…' and updated lt '…'`); a part of a path or a body cannot.
    #[must_use]
    pub fn needs_end(&self) -> bool {
        let body = match &self.body {
            Some(BodyPlan::Json(template)) => template.uses_end(),
            Some(BodyPlan::Form(fields)) => fields.iter().any(|(_, value)| value.uses_both()),
            Some(BodyPlan::Text(template)) => template.uses_end(),
            None => false,
        };
        let params = self.params.iter().any(|(name, value)| {
            let with_value = |value: &Template| value.uses_both() || value.uses_start() && name.uses_end();
            match value {
                ParamValue::One(value) => with_value(value),
                ParamValue::Many(values) => values.iter().any(with_value),
            }
        });
        let headers = self.headers.iter().any(|(_, value)| value.uses_both());
        self.path.uses_end() || body || params || headers
    }
}

/// The two methods that read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Method {
    Get,
    Post,
}

/// The value of a query parameter.
#[derive(Debug, Clone)]
pub enum ParamValue {
    /// One value.
    One(Template),
    /// The parameter repeated.
    Many(Vec<Template>),
}

/// A request body.
#[derive(Debug, Clone)]
pub enum BodyPlan {
    /// `application/json`.
    Json(JsonTemplate),
    /// `application/x-www-form-urlencoded`.
    Form(Vec<(String, Template)>),
    /// `text/plain`, unless the headers say otherwise.
    Text(Template),
}

/// How a request is authenticated.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the fields carry dlt's names (dlt.md §1.7)")]
pub enum AuthPlan {
    /// Not at all.
    None,
    /// `Authorization: Bearer <token>`.
    Bearer { token: Secret },
    /// A key under a name in the header, the query or a cookie; `value` is already formatted (`Bearer x`).
    ApiKey { name: String, value: Secret, location: KeyLocation },
    /// RFC 7617.
    Basic { username: Text, password: Secret },
    /// A token that is fetched: OAuth 2 (RFC 6749) or a login.
    Token(Box<TokenPlan>),
    /// Several at once, none of them of this kind.
    Several(Vec<Self>),
}

/// Where an API key goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum KeyLocation {
    Header,
    Query,
    Cookie,
}

/// How rows reach the table.
#[derive(Debug, Clone)]
pub struct LoadPlan {
    /// The table's name before naming rules.
    pub table: String,
    /// How rows meet those that are there.
    pub disposition: Disposition,
    /// `primary_key`, as keys of the record.
    pub primary_key: Vec<String>,
    /// It comes from `resource_defaults`: where records lack it, another reading is tried (never for a declared key).
    pub key_inherited: bool,
    /// What to try then: `<singular>_id` of the resource's name.
    pub fallback_key: Option<String>,
    /// `merge_key`.
    pub merge_key: Vec<String>,
    /// Column hints.
    pub columns: Vec<ColumnHint>,
    /// Levels of nested tables; deeper values are kept as JSON text. None: all of them.
    pub max_nesting: Option<u32>,
    /// Other resources fill the table too, and not all of them by one key.
    pub shared: Option<SharedTable>,
    /// What new data may change of its tables.
    pub contract: Contract,
}

/// `write_disposition` (dlt.md §4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "dlt's names")]
pub enum Disposition {
    Append,
    Replace,
    Merge,
    Skip,
}
