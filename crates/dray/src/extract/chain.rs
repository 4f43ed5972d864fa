//! One partition of a resource: its pages, one after the other.

use std::sync::Arc;

use tokio::sync::mpsc;

use super::auth::Authenticator;
use super::children::{Family, Partition};
use super::incremental::{CursorMove, CursorState, Tracker};
use super::paginate::{self, Chain, Next, PageFacts, Token};
use super::request::{self, Fill};
use super::select::{Finder, Selected, expand};
use super::session::{Fetched, Session};
use super::stats::{ResourceStats, add};
use super::{Event, Page};
use crate::error::{Error, ErrorKind, Result};
use crate::plan::{IgnoreRule, PaginatorPlan, ResourcePlan};

/// What the chains of one resource share.
#[derive(Debug)]
pub(super) struct Reader {
    pub(super) index: usize,
    pub(super) session: Arc<Session>,
    pub(super) auth: Arc<Authenticator>,
    pub(super) events: mpsc::Sender<Event>,
    pub(super) stats: Arc<Vec<ResourceStats>>,
    /// The resources that are asked for each record.
    pub(super) family: Family,
}

/// The receiver of events is gone: nobody wants more.
pub(super) fn stopped() -> Error {
    Error::new(ErrorKind::Cancelled, "the run was stopped")
}

impl Reader {
    fn plan(&self) -> Result<&ResourcePlan> {
        self.session
            .plan
            .resources
            .get(self.index)
            .ok_or_else(|| Error::new(ErrorKind::Bug, "no such resource"))
    }

    fn stats(&self) -> Result<&ResourceStats> {
        self.stats.get(self.index).ok_or_else(|| Error::new(ErrorKind::Bug, "no counters for the resource"))
    }

    /// Reads a partition to its end, page by page.
    pub(super) async fn read(&self, partition: &Partition, stored: Option<&CursorState>) -> Result<()> {
        let plan = self.plan()?;
        let mut number = 1;
        let result = self.pages(plan, partition, stored, &mut number).await;
        let cursor = result.map_err(|error| {
            if error.kind() == ErrorKind::Cancelled {
                return error;
            }
            let error = error.with("resource", &plan.name).with("page", number);
            if partition.key.is_empty() {
                error
            } else {
                error.with("path", format!("parent {}", partition.key))
            }
        })?;
        let done =
            Event::PartitionDone { resource: self.index, partition: Arc::clone(&partition.key), cursor };
        self.events.send(done).await.map_err(|_| stopped())
    }

    async fn pages(
        &self,
        plan: &ResourcePlan,
        partition: &Partition,
        stored: Option<&CursorState>,
        number: &mut u64,
    ) -> Result<Option<CursorMove>> {
        let stats = self.stats()?;
        let mut tracker = plan
            .incremental
            .as_ref()
            .map(|incremental| Tracker::new(incremental, &plan.load, stored))
            .transpose()?;
        let [start, end, initial] = tracker.as_ref().map(Tracker::bounds).transpose()?.unwrap_or_default();
        let fill = Fill { parent: partition.fields.clone(), start, end, initial };
        let mut paging = plan.paging.clone();
        let mut chain = Chain::new(plan);
        let mut finder = Finder::new(plan.selector.as_ref());
        let mut beyond = plan.ignore.clone();
        beyond.push(IgnoreRule { status: Some(404), content: None });
        let mut token = Chain::first(&paging);
        loop {
            let request = request::build(&self.session.plan, plan, &paging, &fill, &token)?;
            let ignore = if chain.is_unsure() { &beyond } else { &plan.ignore };
            let fetched = self.session.fetch(&request, &self.auth, ignore, stats).await;
            let (document, headers, url) =
                match fetched.map_err(|error| paginate::explained(&token, error))? {
                    Fetched::Page { document, headers, url } => (document, headers, url),
                    Fetched::Ignored if !chain.is_unsure() => {
                        add(&stats.ignored, 1);
                        break;
                    }
                    Fetched::Nothing | Fetched::Ignored => match chain.nothing(&paging, &token)? {
                        Next::Page(following) => {
                            token = following;
                            continue;
                        }
                        Next::Done => break,
                    },
                };
            let mut selected = finder.find(document)?;
            add(&stats.pages, 1);
            let facts = PageFacts {
                document: &selected.document,
                records: &selected.records,
                headers: &headers,
                url: &url,
            };
            if matches!(paging.paginator, PaginatorPlan::Auto) {
                let (found, words) = paginate::detect(&paging, &facts)?;
                tracing::info!(resource = plan.name, paging = words, "paging found on the first page");
                paging = found;
                // The first page was asked for without a number; the answer says which it is.
                token = Chain::first(&paging);
            }
            let next = chain.next(&paging, &token, &facts)?;
            selected.leave_out(chain.dropped());
            if !chain.is_straight() {
                tracing::debug!(resource = plan.name, page = *number, "the list changed: reading again");
            }
            if let Some(expansion) = &plan.expand {
                selected = expand(selected, expansion)?;
            }
            self.hand_on(plan, partition, selected, tracker.as_mut(), *number).await?;
            match next {
                Next::Page(following) => token = self.checked(following)?,
                Next::Done => break,
            }
            *number += 1;
        }
        stats.ended(&chain.ended());
        Ok(tracker.and_then(Tracker::finish))
    }

    /// A link must stay with the API.
    fn checked(&self, token: Token) -> Result<Token> {
        if let Token::Link(url) = &token {
            self.session.check_origin(url)?;
        }
        Ok(token)
    }

    /// Hands a page to normalize and its records to the children.
    async fn hand_on(
        &self,
        plan: &ResourcePlan,
        partition: &Partition,
        selected: Selected,
        tracker: Option<&mut Tracker<'_>>,
        number: u64,
    ) -> Result<()> {
        let stats = self.stats()?;
        let Selected { document, mut records } = selected;
        add(&stats.records, records.len());
        if let Some(tracker) = tracker {
            let all = records.len();
            let mut kept = Vec::with_capacity(all);
            for record in records {
                if tracker.keep(&document, record)? {
                    kept.push(record);
                }
            }
            add(&stats.filtered, all - kept.len());
            records = kept;
        }
        let document = Arc::new(document);
        self.family.dispatch(&document, &records, partition.overlay.as_deref()).await?;
        if plan.selected && !records.is_empty() {
            let page = Page {
                resource: self.index,
                partition: Arc::clone(&partition.key),
                number,
                document,
                records,
                overlay: partition.overlay.clone(),
            };
            self.events.send(Event::Page(page)).await.map_err(|_| stopped())?;
        }
        Ok(())
    }
}
