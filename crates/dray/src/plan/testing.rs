//! Small plans for the tests of later stages.

use std::time::Duration;

use url::Url;

use super::compile::default_limits;
use super::*;

impl Plan {
    /// A plan of these resources at a base URL that nobody answers.
    pub(crate) fn for_tests(resources: Vec<ResourcePlan>) -> Self {
        let client = ClientPlan {
            base_url: Url::parse("http://127.0.0.1:9/").unwrap(),
            headers: Vec::new(),
            retry: RetryPlan {
                max_retries: 3,
                backoff_factor: 2.0,
                max_wait: Duration::from_secs(300),
                statuses: vec![429, 500, 502, 503, 504],
            },
            rate_limits: Vec::new(),
            concurrency: 8,
            max_requests: None,
            timeouts: Timeouts {
                connect: Duration::from_secs(10),
                first_byte: Duration::from_secs(60),
                read: Duration::from_secs(60),
                total: Duration::from_secs(300),
            },
            limits: default_limits(),
            rejects: RejectPlan { keep: false, most: 1000 },
            allowed_origins: Vec::new(),
            tls: TlsPlan::default(),
        };
        Self { client, resources, notes: Vec::new() }
    }
}

impl ResourcePlan {
    /// A resource that is one page under its own name.
    pub(crate) fn for_tests(name: &str, load: LoadPlan) -> Self {
        Self {
            name: name.to_owned(),
            selected: true,
            request: RequestPlan {
                method: Method::Get,
                path: Template::fixed(Text::Plain(name.to_owned())),
                params: Vec::new(),
                headers: Vec::new(),
                body: None,
            },
            auth: AuthPlan::None,
            paging: Paging {
                paginator: PaginatorPlan::SinglePage,
                limit: None,
                limit_into: None,
                has_more: None,
                total: None,
                stop_after_empty_page: true,
                stop_after_short_page: false,
                drift: DriftWatch::Watch,
                sending: Sending::default(),
            },
            selector: None,
            expand: None,
            transform: Transform::default(),
            parent: None,
            each: None,
            incremental: None,
            answers: AnswerPlan::default(),
            load,
            fingerprint: name.to_owned(),
        }
    }
}

impl IncrementalPlan {
    /// A cursor `t` without parameters, ends or windows.
    pub(crate) fn for_tests(initial_value: Option<CursorValue>, format: CursorFormat) -> Self {
        Self {
            cursor_path: Path::key("t"),
            cursor_name: "t".to_owned(),
            form: None,
            initial_value,
            end_value: None,
            start_param: None,
            end_param: None,
            format,
            lag: None,
            on_missing: OnMissing::Raise,
            descending: false,
            start_open: false,
            end_closed: false,
            window: None,
            start: StartPlan::Stored,
            retention: None,
            stop: None,
        }
    }
}
