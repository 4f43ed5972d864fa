//! Asking an API while its configuration is being made: each question is a configuration of its own, so that what is written
//! in the end has been tried as it is.

use std::sync::Arc;

use dray::config::lists::Lists;
use dray::config::load::{Loaded, read_environment, read_secret_files};
use dray::config::node::{Node, Value};
use dray::config::parse::Format;
use dray::config::secrets::Sources;
use dray::env::Env;
use dray::error::{Error, ErrorKind, Result};
use dray::extract::{Cursors, Event, Looked, Resume, extract, look};
use dray::pipeline::Progress;
use dray::plan::propose::{Draft, map, text, tree};
use dray::plan::{AuthPlan, Plan, prepare};
use serde_json::Value as Json;
use tokio::runtime::Runtime;
use tokio::sync::mpsc;

use crate::printer::Printer;

/// An API that is being asked.
pub(super) struct Asked<'a> {
    pub(super) base_url: String,
    pub(super) headers: Vec<(String, Node)>,
    pub(super) auth: Option<Node>,
    pub(super) requests: u64,
    runtime: Runtime,
    printer: &'a Printer,
}

impl<'a> Asked<'a> {
    pub(super) fn new(base_url: String, printer: &'a Printer) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Error::new(ErrorKind::Bug, "cannot start the runtime").caused_by(error))?;
        Ok(Self { base_url, headers: Vec::new(), auth: None, requests: 0, runtime, printer })
    }

    /// The configuration of a draft.
    pub(super) fn tree(&self, draft: &Draft) -> Node {
        tree(self.client(), vec![draft.node()])
    }

    pub(super) fn client(&self) -> Vec<(&'static str, Node)> {
        let mut client = vec![("base_url", text(&self.base_url))];
        if !self.headers.is_empty() {
            client.push(("headers", map(self.headers.clone())));
        }
        client.extend(self.auth.clone().map(|auth| ("auth", auth)));
        client
    }

    /// The first answer to a draft. `patient`: a refusal for a while is waited for.
    pub(super) fn first(&mut self, draft: &Draft, patient: bool) -> Result<Looked> {
        let (plan, env) = self.plan(draft, patient)?;
        self.requests += 1;
        self.runtime.block_on(look(Arc::new(plan), env))
    }

    /// The records of the first two pages of a draft.
    pub(super) fn two_pages(&mut self, draft: &Draft) -> Result<Vec<Vec<Json>>> {
        let (mut plan, env) = self.plan(draft, false)?;
        // A token is a request of its own.
        let token = plan.resources.iter().any(|resource| matches!(resource.auth, AuthPlan::Token(_)));
        plan.client.max_requests = Some(2 + u64::from(token));
        let progress = Progress::new(&plan);
        let stats = Arc::clone(&progress.stats);
        self.requests += 2;
        self.runtime.block_on(async {
            let (sender, mut events) = mpsc::channel(8);
            let reading = extract(Arc::new(plan), Cursors::default(), Resume::default(), env, sender, stats);
            let pages = async {
                let mut pages = Vec::new();
                while let Some(event) = events.recv().await {
                    match event {
                        Event::Page(page) => {
                            let records = page.records.iter().map(|record| page.document.value(*record));
                            pages.push(records.collect());
                            if pages.len() == 2 {
                                break;
                            }
                        }
                        Event::ResourceDone { outcome: Err(error), .. } if pages.len() < 2 => {
                            return Err(error);
                        }
                        _ => {}
                    }
                }
                Ok(pages)
            };
            tokio::pin!(pages);
            tokio::select! {
                found = &mut pages => found,
                // Nothing more comes: what is waiting is still taken.
                () = reading => pages.await,
            }
        })
    }

    fn plan(&self, draft: &Draft, patient: bool) -> Result<(Plan, Arc<Env>)> {
        let env = Arc::new(Env::system().hiding(self.printer.scrubber().clone()));
        let files = read_secret_files(std::path::Path::new("."))
            .map_err(|error| Error::new(ErrorKind::Config, "cannot read the secrets").caused_by(error))?;
        let environment = read_environment();
        let sources = Sources { environment, files, pipeline: None, now: env.now(), placeholders: false };
        let mut root = self.tree(draft);
        if !patient
            && let Some(client) =
                root.as_map_mut().and_then(|map| map.get_mut("client")).and_then(Node::as_map_mut)
        {
            let never = map(vec![("max_retries", Node::new(Value::Int(0), Default::default()))]);
            client.insert("retry", Default::default(), never);
        }
        let file = "command line".to_owned();
        let loaded = Loaded {
            root,
            source_text: String::new(),
            file,
            format: Format::Yaml,
            notes: Vec::new(),
            lists: Lists::new(),
        };
        let prepared = prepare(loaded, &[], &sources);
        for secret in prepared.secrets.iter().cloned().chain(prepared.plan.iter().flat_map(Plan::secrets)) {
            self.printer.scrubber().add(&secret);
        }
        match prepared.plan {
            Some(plan) => Ok((plan, env)),
            None => {
                self.printer.err(prepared.diagnostics.render("command line", "").trim_end());
                Err(Error::new(ErrorKind::Config, "the API cannot be asked like this"))
            }
        }
    }
}
