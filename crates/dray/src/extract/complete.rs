//! Lists inside records of which a record holds only the beginning (`expand.complete`): the rest is read from the list's
//! own address before the page that holds the record is handed on.
//!
//! So a page counts, for positions and commits, only with all of its lists: a run that dies meanwhile reads the page again.

use std::sync::Arc;

use tokio::task::JoinSet;
use url::Url;

use super::Reject;
use super::ahead::{Ask, Asker};
use super::chain::Reader;
use super::paginate::{self, Chain, Next, PageFacts, Token};
use super::request::{self, Fill};
use super::select::Selected;
use super::session::Silence;
use super::sift::sift;
use super::stats::add;
use super::taken::{Taken, cut_short, taken};
use crate::error::{Error, ErrorKind, Result};
use crate::json::{Document, Kind, NodeId};
use crate::plan::{CompletePlan, ExpandPlan};

/// The rest of one record's list.
#[derive(Debug, Default)]
pub(super) struct Rest {
    /// It is the whole list: what the record holds of it does not count.
    pub(super) whole: bool,
    /// Its pages, and the items in each.
    pub(super) pages: Vec<(Document, Vec<NodeId>)>,
    rejects: Vec<Reject>,
}

/// What is asked for one list.
struct Errand {
    asker: Asker,
    /// Fields of the record.
    values: Vec<serde_json::Value>,
    token: Option<Token>,
}

impl Reader {
    /// The rest of the lists in a page's records: one for each record, none where the record holds all of it. With them the
    /// items that cannot be loaded.
    pub(super) async fn completed(
        &self,
        expand: &ExpandPlan,
        selected: &Selected,
        page: &Url,
    ) -> Result<(Vec<Option<Rest>>, Vec<Reject>)> {
        let Some(complete) = &expand.complete else { return Ok((Vec::new(), Vec::new())) };
        let mut rests: Vec<Option<Rest>> = selected.records.iter().map(|_| None).collect();
        let mut errands = Vec::new();
        for (place, record) in selected.records.iter().enumerate() {
            if let Some(errand) = self.errand(expand, complete, &selected.document, *record, page)? {
                errands.push((place, errand));
            }
        }
        // The first is taken from the end.
        errands.reverse();
        let (mut under_way, mut failure, mut items) = (JoinSet::new(), None, 0);
        let most = self.session.plan.client.limits.json.items;
        loop {
            // After a failure those under way come to their ends: one of them may be fetching a token for everybody.
            while failure.is_none() && under_way.len() < self.session.plan.client.concurrency.max(1) {
                let Some((place, errand)) = errands.pop() else { break };
                under_way.spawn(async move { (place, errand.run().await) });
            }
            let Some(ended) = under_way.join_next().await else { break };
            let (place, rest) = ended.map_err(|error| {
                Error::new(ErrorKind::Bug, "reading a list ended unexpectedly").caused_by(error)
            })?;
            match rest {
                Ok(rest) => {
                    items += rest.pages.iter().map(|(_, items)| items.len()).sum::<usize>();
                    if items > most {
                        failure.get_or_insert(too_long(most));
                    }
                    if let Some(slot) = rests.get_mut(place) {
                        *slot = Some(rest);
                    }
                }
                Err(error) => drop(failure.get_or_insert(error)),
            }
        }
        if let Some(error) = failure {
            return Err(error);
        }
        let rejects = rests.iter_mut().flatten().flat_map(|rest| std::mem::take(&mut rest.rejects)).collect();
        Ok((rests, rejects))
    }

    /// What is to be asked for a record; nothing where it holds its whole list.
    fn errand(
        &self,
        expand: &ExpandPlan,
        complete: &CompletePlan,
        document: &Document,
        record: NodeId,
        page: &Url,
    ) -> Result<Option<Errand>> {
        let mut embedded = Vec::new();
        expand.path.all(document, record, &mut embedded);
        match complete
            .has_more
            .first(document, record)
            .map(|flag| (document.kind(flag), document.scalar(flag)))
        {
            Some((Kind::True, _)) => {}
            Some((Kind::False | Kind::Null, _)) => return Ok(None),
            // A record without the list has no flag either.
            None if embedded.iter().all(|list| document.kind(*list) == Kind::Null) => return Ok(None),
            other => {
                let found = other.and_then(|(_, text)| text).map_or("nothing".to_owned(), Into::into);
                return Err(Error::new(
                    ErrorKind::Response,
                    "a record does not say whether it holds its whole list",
                )
                .with("path", &complete.has_more)
                .with("found", found)
                .hint("`expand.complete.has_more` names a field that is true or false"));
            }
        }
        let mut values = Vec::with_capacity(complete.fields.len());
        for path in &complete.fields {
            let found = path.value(document, record).filter(|value| !value.is_null());
            values.push(found.ok_or_else(|| {
                Error::new(ErrorKind::Response, "a record has no value for the address of its list")
                    .with("path", path)
                    .hint("`expand.complete` names fields of the record in `url`, or in braces in `path`")
            })?);
        }
        if let (true, Some(value)) = (complete.by_url, values.first_mut()) {
            let url = value.as_str().and_then(|text| page.join(text).ok());
            let url = url.ok_or_else(|| {
                Error::new(ErrorKind::Response, "the address of a record's list is not a URL")
                    .with("path", complete.fields.first().map_or(String::new(), ToString::to_string))
            })?;
            *value = url.as_str().into();
        }
        let list = embedded.first().filter(|list| document.kind(**list) == Kind::Array);
        let last = list.map_or(embedded.last().copied(), |list| document.items(*list).last());
        let token = complete.goes_on_after().zip(last).and_then(|(path, last)| {
            let id = path.first(document, last).and_then(|id| document.scalar(id))?;
            Some(Token::Cursor(id.into_owned()))
        });
        Ok(Some(Errand { asker: self.asker(), values, token }))
    }
}

fn too_long(most: usize) -> Error {
    Error::new(ErrorKind::Response, "the lists of one page's records are too long together")
        .with("limit", format!("client.limits.items: {most}"))
        .hint("ask for fewer records a page (`paginator.limit`), or read the lists as a child: `path: \"invoices/{resources.invoices.id}/lines\"`")
}

impl Errand {
    /// Reads the list to its end, page by page.
    async fn run(self) -> Result<Rest> {
        let session = Arc::clone(&self.asker.session);
        let of = session.plan.resources.get(self.asker.index);
        let complete = of.and_then(|plan| plan.expand.as_ref()?.complete.as_ref());
        let Some(complete) = complete else {
            return Err(Error::new(ErrorKind::Bug, "no list to complete"));
        };
        let named = self.values.first().cloned().unwrap_or_default();
        let mut number = 1;
        self.pages(complete, &mut number)
            .await
            .map_err(|error| error.with("list", request::shown_value(&named)).with("list page", number))
    }

    async fn pages(self, complete: &CompletePlan, number: &mut u64) -> Result<Rest> {
        let Self { asker, values, token } = self;
        let (session, plan) = (&asker.session, &complete.list);
        let stats = asker.stats.get(asker.index).ok_or_else(|| Error::new(ErrorKind::Bug, "no counters"))?;
        let mut rest = Rest { whole: token.is_none(), ..Rest::default() };
        let fill = Fill { parent: values, ..Fill::default() };
        let (mut paging, mut selector, mut chain) =
            (plan.paging.clone(), plan.selector.clone(), Chain::new(plan));
        let mut token = token.unwrap_or_else(|| Chain::first(&paging));
        let mut items = 0;
        loop {
            let mut request = request::build(&session.plan, plan, &paging, &fill, &token)?;
            request.line = asker.index + 1;
            let silence = if chain.is_unsure() { Silence::Believed } else { Silence::Refused };
            let answers = &plan.answers;
            let (rules, format) = (Arc::clone(&answers.rules), Arc::clone(&answers.format));
            let ask = Ask { request, rules, format, silence };
            let fetched = asker.fetch(&ask).await.map_err(|error| paginate::explained(&token, error))?;
            let (mut selected, headers, url, last) = match taken(session, fetched, selector.as_ref())? {
                Taken::Page { selected, headers, url, last } => (selected, headers, url, last),
                Taken::Ruled(ruled) if !chain.is_unsure() => {
                    if *number > 1 && !ruled.may_end(chain.is_promised()) {
                        return Err(cut_short(&ruled));
                    }
                    // The record itself may be gone by now: what it held of its list is all there is.
                    stats.ruled(&ruled.ruling);
                    rest.whole &= *number > 1;
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
            let next = chain.next(&paging, &token, &facts)?;
            let bad = sift(&selected.document, &selected.records, session.plan.client.rejects.keep)?;
            selected.leave_out(chain.dropped());
            rest.rejects.extend(bad.taken_out_of(&mut selected.records));
            items += selected.records.len();
            rest.pages.push((selected.document, selected.records));
            let most = session.plan.client.limits.json.items;
            if items > most {
                return Err(too_long(most));
            }
            match next {
                Next::Page(following) => {
                    if let Token::Link(url) = &following {
                        session.check_origin(url)?;
                    }
                    token = following;
                }
                Next::Done => break,
            }
            *number += 1;
        }
        Ok(rest)
    }
}
