//! One partition of a resource: its pages, one after the other.

use std::sync::Arc;

use http::StatusCode;
use tokio::sync::mpsc;

use super::ahead::{Ahead, Ask, Asker, Came};
use super::auth::Authenticator;
use super::children::{Family, Partition};
use super::incremental::{CursorMove, CursorState, Tracker};
use super::paginate::{self, Chain, Next, PageFacts, Token};
use super::position::{self, Anchor, Position, StoredToken, stale};
use super::request::{self, Fill};
use super::select::{Selected, expand};
use super::session::{Session, Silence};
use super::sift::sift;
use super::stats::{ResourceStats, add};
use super::taken::{Taken, cut_short, taken};
use super::windows::Slicer;
use super::{Event, Page, Reject};
use crate::error::{Error, ErrorKind, Result};
use crate::plan::{AnswerAction, AnswerRule, Paging, ResourcePlan};

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
    /// Cuts it into windows.
    pub(super) slicer: Slicer,
}

/// The receiver of events is gone: nobody wants more.
pub(super) fn stopped() -> Error {
    Error::new(ErrorKind::Cancelled, "the run was stopped")
}

/// A rule that comes before those of the configuration: a chain that feels its way ends at 404.
fn nowhere() -> AnswerRule {
    let not_found = StatusCode::NOT_FOUND.as_u16();
    AnswerRule {
        statuses: vec![not_found..=not_found],
        content: None,
        headers: Vec::new(),
        body: Vec::new(),
        action: AnswerAction::Ignore,
    }
}

impl Reader {
    pub(super) fn plan(&self) -> Result<&ResourcePlan> {
        self.session
            .plan
            .resources
            .get(self.index)
            .ok_or_else(|| Error::new(ErrorKind::Bug, "no such resource"))
    }

    pub(super) fn stats(&self) -> Result<&ResourceStats> {
        self.stats.get(self.index).ok_or_else(|| Error::new(ErrorKind::Bug, "no counters for the resource"))
    }

    /// Tells that the resource starts over with these partitions.
    pub(super) async fn restarted(&self, why: Error, partitions: &[Partition]) -> Result<()> {
        let opened = partitions.iter().map(|partition| partition.told(self.index));
        let event = Event::Restarted { resource: self.index, why, partitions: opened.collect() };
        self.events.send(event).await.map_err(|_| stopped())
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
            match partition.shown(plan) {
                Some(shown) => error.with("path", shown),
                None => error,
            }
        })?;
        let done = Event::PartitionDone {
            resource: self.index,
            partition: Arc::clone(&partition.key),
            overlay: partition.overlay.clone(),
            cursor,
        };
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
            .map(|incremental| Tracker::new(incremental, &plan.load, stored, partition.span.as_ref()))
            .transpose()?;
        let [start, end, initial] = tracker.as_ref().map(Tracker::bounds).transpose()?.unwrap_or_default();
        let own = plan.parent.as_ref().map_or(0, |parent| parent.fields.len());
        let fill = Fill { parent: partition.fields.clone(), own, start, end, initial, page: None };
        let mut paging = plan.paging.clone();
        let mut chain = Chain::new(plan);
        let usual = &plan.answers.rules;
        let beyond: Arc<[AnswerRule]> = [nowhere()].into_iter().chain(usual.iter().cloned()).collect();
        let mut token = Chain::first(&paging);
        let mut anchor = None;
        if let Some(position) = &partition.position {
            (*number, token, chain) =
                (position.number, position.token()?, Chain::resumed(plan, position.memory));
            if let (Some(tracker), Some(seen)) = (&mut tracker, &position.seen) {
                tracker.resume(seen);
            }
            anchor = Some(Anchor::new(position));
        }
        let mut selector = plan.selector.clone();
        let mut ahead = Ahead::new(self.asker(), self.session.plan.client.concurrency);
        // How a page is asked for once the chain has come to it.
        let ask = |paging: &Paging, chain: &Chain, token: &Token, number: u64, first: bool| -> Result<Ask> {
            let rules = if chain.is_unsure() { &beyond } else { usual };
            let mut request = request::build(&self.session.plan, plan, paging, &fill, token)?;
            request.line = self.index + 1;
            Ok(Ask {
                request,
                rules: Arc::clone(rules),
                format: Arc::clone(&plan.answers.format),
                silence: silence(token, number, chain, partition, first),
            })
        };
        loop {
            let first = anchor.as_ref().is_some_and(|anchor: &Anchor| !anchor.is_found());
            let due = |token: &Token| ask(&paging, &chain, token, *number, first);
            let fetched = ahead.answer(&token, chain.is_unsure(), due).await;
            if ahead.was_early() {
                chain.hurry();
            }
            let fetched = fetched.map_err(|error| refused(paginate::explained(&token, error), first))?;
            let (selected, headers, url, last) = match taken(&self.session, fetched, selector.as_ref())? {
                Taken::Page { selected, headers, url, last } => (selected, headers, url, last),
                Taken::Nothing | Taken::Ruled(_) if first => {
                    return Err(stale("the last page is not there any more"));
                }
                Taken::Ruled(ruled) if !chain.is_unsure() => {
                    if *number > 1 && !ruled.may_end(chain.is_promised()) {
                        return Err(cut_short(&ruled));
                    }
                    stats.ruled(&ruled.ruling);
                    break;
                }
                Taken::Nothing | Taken::Ruled(_) => match chain.nothing(&paging, &token)? {
                    Next::Page(following) => {
                        token = following;
                        continue;
                    }
                    Next::Done => break,
                },
            };
            let mut selected = selected;
            selector = selector.or_else(|| selected.found.take());
            add(&stats.pages, 1);
            let facts = PageFacts {
                document: &selected.document,
                records: &selected.records,
                headers: &headers,
                url: &url,
                last,
            };
            paginate::find(&mut paging, &mut token, &facts, &plan.name)?;
            let leaves = plan.expand.is_none()
                && plan.transform.steps.is_empty()
                && tracker
                    .as_ref()
                    .is_some_and(|tracker| tracker.leaves_with(&selected.document, &selected.records));
            let memory = chain.memory();
            let next = chain.next(&paging, &token, &facts)?;
            let straight = chain.may_be_carried_on();
            if !straight {
                tracing::debug!(resource = plan.name, page = *number, "the list changed: reading again");
            }
            // The page after one that most likely is the last to be read would be asked for in vain.
            if let Next::Page(following) = &next
                && !leaves
                && self.check(following).is_ok()
            {
                let mut came = self.came(&paging, &chain, following, &facts);
                came.sparing |= tracker.as_mut().and_then(Tracker::order).is_some();
                let wanted = ahead.pace.wanted(&token, following, came);
                ahead.launch(wanted, |token| ask(&paging, &chain, token, *number + 1, false))?;
            }
            let keep = self.session.plan.client.rejects.keep;
            let bad = sift(&selected.document, &selected.records, keep)?;
            let records = position::digests(&selected.document, &selected.records, plan.key_before_steps());
            let mut left_out = chain.dropped().to_vec();
            if let Some(known) = &mut anchor {
                let fresh = known.fresh(&records)?;
                left_out.extend(fresh.iter().enumerate().filter(|(_, fresh)| !**fresh).map(|(at, _)| at));
                left_out.sort_unstable();
                if known.is_spent() {
                    anchor = None;
                }
            }
            selected.leave_out(&left_out);
            let mut rejects = bad.taken_out_of(&mut selected.records);
            if let Some(expansion) = &plan.expand {
                let (rests, more) = Box::pin(self.completed(expansion, &selected, &url)).await?;
                selected = expand(selected, expansion, &rests)?;
                rejects.extend(more);
            }
            add(&stats.records, selected.records.len() + rejects.len());
            let carries = self.transformed(plan, partition, &mut selected, &mut rejects)?;
            self.rejected(plan, &rejects, *number)?;
            // While pages are read again there is no page to go on from: a run that dies now begins again.
            let stored = self.session.storable(&token, &self.auth).filter(|_| straight);
            let stored = stored.as_ref().map(StoredToken::of);
            let place = Position { number: *number, token: stored, records, memory, seen: None };
            if let Some(order) = tracker.as_mut().and_then(Tracker::order).filter(|_| !straight) {
                order.distrust();
            }
            self.hand_on(partition, selected, (rejects, carries), tracker.as_mut(), place).await?;
            if let Some(order) = tracker.as_mut().and_then(Tracker::order) {
                let unordered = order.take_untold();
                add(&stats.unordered, unordered);
                if unordered > 0 {
                    tracing::warn!(
                        resource = plan.name,
                        page = *number,
                        "a record is out of the order that `row_order` says: the list is read to its end"
                    );
                }
                if order.is_over() {
                    tracing::debug!(resource = plan.name, page = *number, "the rest lies outside the range");
                    break;
                }
            }
            match next {
                Next::Page(following) => {
                    self.check(&following)?;
                    token = following;
                }
                Next::Done => break,
            }
            *number += 1;
        }
        stats.ended(&chain.ended());
        Ok(tracker.and_then(Tracker::finish))
    }

    /// Counts records that cannot be loaded; too many of them fail the resource.
    fn rejected(&self, plan: &ResourcePlan, rejects: &[Reject], page: u64) -> Result<()> {
        let (stats, most) = (self.stats()?, self.session.plan.client.rejects.most);
        for reject in rejects {
            let (count, first) = stats.reject(&reject.reason);
            if first {
                let Reject { reason, pointer, .. } = reject;
                tracing::warn!(
                    resource = plan.name,
                    page,
                    pointer,
                    reason = &**reason,
                    "a record is rejected; more for this reason are only counted"
                );
            }
            if count > most {
                return Err(Error::new(ErrorKind::Response, "too many records cannot be loaded")
                    .with("limit", format!("client.max_rejects: {most}"))
                    .with("path", &reject.pointer)
                    .with("found", &reject.reason)
                    .hint("raise `client.max_rejects` if they may be left out; `client.rejects: keep` keeps them in a table"));
            }
        }
        Ok(())
    }

    /// A link must stay with the API, and a cursor be a text.
    fn check(&self, token: &Token) -> Result<()> {
        match token {
            Token::Cursor(text) if text.contains(char::REPLACEMENT_CHARACTER) => {
                Err(Error::new(ErrorKind::Response, "the page token is not a text"))
            }
            Token::Link(url) => self.session.check_origin(url),
            _ => Ok(()),
        }
    }

    pub(super) fn asker(&self) -> Asker {
        Asker {
            index: self.index,
            session: Arc::clone(&self.session),
            auth: Arc::clone(&self.auth),
            stats: Arc::clone(&self.stats),
        }
    }

    /// What a page says of how many may be asked for after it.
    fn came(&self, paging: &Paging, chain: &Chain, next: &Token, page: &PageFacts<'_>) -> Came {
        let bound = chain.bound(paging, next);
        Came {
            records: page.records.len(),
            bytes: page.document.body().len(),
            onward: chain.may_hurry(),
            disturbed: !chain.may_be_carried_on(),
            bound: bound.total,
            maximum: bound.maximum,
            sparing: self.session.plan.client.max_requests.is_some(),
        }
    }

    /// Hands a page to normalize and its records to the children.
    async fn hand_on(
        &self,
        partition: &Partition,
        selected: Selected,
        (rejects, carries): (Vec<Reject>, bool),
        mut tracker: Option<&mut Tracker<'_>>,
        mut place: Position,
    ) -> Result<()> {
        let stats = self.stats()?;
        let Selected { document, mut records, .. } = selected;
        if let Some(tracker) = &mut tracker {
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
        place.seen = tracker.map(|tracker| tracker.seen());
        let document = Arc::new(document);
        let opened = self.family.open(&document, &records, partition)?;
        let (document, records) = self.cleaned(document, records)?;
        let page = Page {
            resource: self.index,
            partition: Arc::clone(&partition.key),
            number: place.number,
            document,
            records,
            overlay: partition.overlay.clone(),
            carries,
            rejects: if self.session.plan.client.rejects.keep { rejects } else { Vec::new() },
            position: place,
            opened: self.family.told(&opened),
        };
        // Before the children hear of their partitions: what they tell of them comes after this page.
        self.events.send(Event::Page(page)).await.map_err(|_| stopped())?;
        self.family.dispatch(opened).await
    }
}

/// An answer that refuses the token of a resumed chain's first page means that the token has ended.
fn refused(error: Error, resuming: bool) -> Error {
    let refused = matches!(error.fact("status"), Some("400" | "404" | "410" | "422"));
    if resuming && refused { stale("the API refuses the last page's token").caused_by(error) } else { error }
}

/// What 204 means in the place of a page: a token announces the page that it asks for, and so does a total that is not
/// reached; the only page of a resource is asked for twice before nothing is believed, and so is one that is merely
/// counted. What is gone since an earlier run is seen to elsewhere.
fn silence(token: &Token, number: u64, chain: &Chain, partition: &Partition, resuming: bool) -> Silence {
    match token {
        _ if chain.is_unsure() || resuming => Silence::Believed,
        _ if chain.expects_more() => Silence::Refused,
        _ if number == 1 && !partition.key.is_empty() => Silence::Believed,
        Token::Cursor(_) | Token::Link(_) if number > 1 => Silence::Refused,
        _ => Silence::AskedAgain,
    }
}
