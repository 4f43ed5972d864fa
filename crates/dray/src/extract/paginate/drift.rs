//! A list that changes while it is read by numbers: what was skipped is found, what came twice is known.
//!
//! An insertion before the place where reading stands pushes records onto the next page that came before; a deletion
//! pulls records off it, which nobody would ever see. One rule finds the latter: **a page that begins with a record that
//! came before has no gap before it.** Where there is reason for doubt (the API's total fell, or the page was asked for
//! with an overlap of one record because there is no total), a page that begins with an unknown record is put aside and
//! the pages before it are read again, until one begins with a known record; then reading goes on from there.
//!
//! What moves inside the list, and page numbers without a total, need a second reading of the whole. `watch` takes it
//! where something points that way, `verify` always, until two readings agree.

use super::chain::Memory;
use super::digests::Digests;
use super::identity::{Known, digest};
use super::locate::pagination;
use super::pass::Pass;
use crate::error::{Error, Result};
use crate::extract::position::stale;
use crate::plan::DriftWatch;

/// Readings of one list: with `watch`, and with `verify`.
const READINGS: (u32, u32) = (3, 10);
/// Gaps that may open while one is being closed.
const GAPS: u32 = 16;
/// Of falling totals and misfits that meant nothing so many are enough.
const FRUITLESS: u32 = 3;
/// Pages in a row without a record that is new to the reading: more than reading back can explain.
const STALE: u32 = 6;
/// An overlap costs one record a page: too much for pages smaller than this.
const OVERLAPPED: u64 = 3;
/// Of page numbers without a total one page in so many is looked at again.
const PROBED: usize = 10;

/// What is counted by the number that asks for a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Steps {
    Records,
    Pages,
}

/// A page as it came.
pub(super) struct Seen<'a> {
    /// The number that asked for it.
    pub(super) at: u64,
    /// Its records; their digests are what tells them apart, if `sure`.
    pub(super) ids: &'a [u64],
    /// What a server that repeats itself repeats of the page.
    pub(super) mark: u64,
    pub(super) sure: bool,
    /// Records that came before are the same ones wherever they come, and are left out.
    pub(super) everywhere: bool,
    pub(super) drops: bool,
    /// The API's total on this page.
    pub(super) total: Option<u64>,
}

/// What a page means.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Arrival {
    /// The next one is for the paginator to decide.
    Read,
    /// This one comes first.
    Go(u64),
    /// It was only looked at again.
    Probed,
}

/// How the records compare with the API's total.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::extract) enum Verdict {
    /// They are as many, as far as the total stood still.
    Complete,
    /// There is nothing to compare with.
    Unknown,
    /// They are fewer.
    Short,
    /// They are more.
    Over,
}

/// What was seen of drift in a chain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::extract) struct Events {
    /// Records that came again because others were inserted before them.
    pub(in crate::extract) doubled: u64,
    /// Gaps that deletions may have opened, closed by reading back.
    pub(in crate::extract) gaps: u64,
    /// Records that were found by reading again.
    pub(in crate::extract) recovered: u64,
    /// Readings of the whole list after the first.
    pub(in crate::extract) readings: u64,
}

#[derive(Debug)]
pub(super) struct Drift {
    watch: DriftWatch,
    steps: Steps,
    /// The first number that was asked for.
    begin: Option<u64>,
    known: Known,
    pass: Pass,
    /// Records before the first page that was asked for, where pages are counted.
    before: u64,
    /// An earlier run has loaded some of the list.
    resumed: bool,
    /// The last page's records, and the number after it.
    last: Vec<u64>,
    after: u64,
    /// The page under way was asked for with an overlap; the server takes such offsets as they are.
    overlapped: bool,
    overlaps: bool,
    /// Reading goes back to find a known record, from an overlap that did not fit.
    looking: Option<bool>,
    /// The page that was put aside; up to it records were read before.
    mending: Option<u64>,
    /// Its digest, and the records that had been recovered by then.
    aside: (u64, u64),
    /// The total rose since.
    rose: bool,
    /// The last record before it: until it comes again, others may.
    furthest: Option<u64>,
    gaps_here: u32,
    stale: u32,
    /// Gaps that were none: the total fell and rose again, and the list had not changed.
    fruitless: u32,
    /// Overlaps that did not fit although the list had not changed.
    misfits: u32,
    /// An empty page that contradicts the total was asked for again.
    doubted: Option<u64>,
    /// Pages yet to be looked at again.
    probes: Option<Vec<u64>>,
    dropped: Vec<usize>,
    sure: bool,
    pub(super) events: Events,
}

impl Drift {
    /// `before`: what an earlier run read of the list. `limited`: the configuration asks for a part of the list, which an overlap would change.
    pub(super) fn new(watch: DriftWatch, steps: Steps, limited: bool, before: Memory) -> Self {
        Self {
            watch,
            steps,
            begin: None,
            known: Known::default(),
            pass: Pass::after(before.total),
            before: before.received,
            resumed: before != Memory::default(),
            last: Vec::new(),
            after: 0,
            overlapped: false,
            overlaps: watch == DriftWatch::Watch && steps == Steps::Records && !limited,
            looking: None,
            mending: None,
            aside: (0, 0),
            rose: false,
            furthest: None,
            gaps_here: 0,
            stale: 0,
            fruitless: 0,
            misfits: 0,
            doubted: None,
            probes: None,
            dropped: Vec::new(),
            sure: true,
            events: Events::default(),
        }
    }

    /// Records of the page that came last which are not to be handed on, by their place.
    pub(in crate::extract) fn dropped(&self) -> &[usize] {
        &self.dropped
    }

    /// Records that came, each counted once where they can be told apart.
    pub(super) fn distinct(&self) -> u64 {
        self.pass.distinct
    }

    /// The largest total of this reading, and the last one.
    pub(super) fn totals(&self) -> (Option<u64>, Option<u64>) {
        (self.pass.totals.largest, self.pass.totals.last)
    }

    /// The page that comes next was asked for before its turn.
    ///
    /// Servers answer in any order. Of pages that came late a record that was put in has pushed the last one onto a page
    /// that came early, without it: a gap, which a total that falls from one page to the next betrays, or an overlap. Where
    /// there is neither, some other page must have come twice in part, or the last one has changed by now.
    pub(super) fn hurry(&mut self) {
        self.pass.hurried |= self.pass.number == 1;
    }

    /// Pages may be asked for before their turn: should the list change, that would be noticed.
    pub(super) fn may_hurry(&self) -> bool {
        match self.watch {
            DriftWatch::Watch => self.sure && !self.known.forgot(),
            DriftWatch::Off | DriftWatch::Verify => false,
        }
    }

    /// The list changed in a way that only another reading makes good.
    pub(super) fn is_disturbed(&self) -> bool {
        self.pass.disturbed
    }

    /// Nothing was read out of turn: the number of the last page says how far the list was read.
    pub(super) fn is_straight(&self) -> bool {
        self.mending.is_none() && self.looking.is_none() && self.probes.is_none() && self.pass.number == 1
    }

    /// Takes a page.
    pub(super) fn arrive(&mut self, page: &Seen<'_>) -> Result<Arrival> {
        let begin = *self.begin.get_or_insert(page.at);
        if self.watch == DriftWatch::Verify {
            self.refuse_resumed()?;
        }
        let overlapped = std::mem::take(&mut self.overlapped);
        let change = self.pass.totals.count(page.total);
        let whole = digest(page.ids);
        self.sure = page.sure;
        self.dropped.clear();
        if let Some(left) = &mut self.probes {
            left.retain(|at| *at != page.at);
            self.pass.disturbed |= self.pass.page(page.at).is_some_and(|known| known != whole);
            self.take(page, true, false);
            return Ok(Arrival::Probed);
        }
        if overlapped && page.ids == self.last {
            // The server rounds offsets down to whole pages; or as many records as that were inserted.
            self.misfit();
            self.furthest = self.furthest.or(self.last.last().copied());
            self.dropped.extend(0..page.ids.len());
            return Ok(Arrival::Go(self.after));
        }
        self.rose |= change.rose;
        let unchanged = self.aside == (whole, self.events.recovered);
        if self.mending == Some(page.at) && self.looking.is_none() && self.rose && unchanged {
            self.fruitless += 1;
        }
        // A total that comes and goes says nothing of the list.
        let fell = change.fell && self.fruitless < FRUITLESS;
        let suspect = fell || overlapped || self.looking.is_some();
        let first_known = page.ids.first().is_some_and(|id| self.came(*id));
        if self.watch != DriftWatch::Off && page.sure && suspect && !first_known && page.at > begin {
            return self.gap(page, whole, overlapped && !fell).map(Arrival::Go);
        }
        if self.looking.take() == Some(true) && self.pass.page(page.at) == Some(whole) {
            // Nothing changed here, so the overlap did not fit for another reason. Once is no proof: a record may have come
            // and gone.
            self.misfit();
        }
        // What was read up to here again may reach into this page.
        let mended = self.mending.is_some();
        if self.mending.is_some_and(|until| page.at >= until) {
            self.mending = None;
            self.gaps_here = 0;
        }
        let again = mended || self.pass.number > 1;
        if !again && !page.ids.is_empty() && self.pass.repeats(page.at, page.mark) && !change.rose {
            return Err(self.same_again());
        }
        self.pass.read(page.at, whole, page.mark);
        if self.pass.runs_away() {
            return Err(self.too_fast());
        }
        let before = self.pass.distinct;
        let doubled = self.take(page, again, overlapped);
        self.stale = if self.pass.distinct > before || page.ids.is_empty() { 0 } else { self.stale + 1 };
        if self.stale > STALE {
            return Err(self.same_again());
        }
        if doubled > 0 && self.mending.is_none() {
            self.pass.doubled += doubled;
            self.events.doubled += if again { 0 } else { doubled };
            // With a total, what was pushed on without a growing list has moved.
            self.pass.disturbed |= page.total.is_some() && !change.rose;
            self.pass.disturbed |= self.pass.hurried && !self.overlaps;
        }
        self.last = page.ids.to_vec();
        self.after = page.at + count(page.ids.len());
        Ok(Arrival::Read)
    }

    /// A record of this reading.
    fn came(&self, id: u64) -> bool {
        self.pass.seen.as_ref().map_or_else(|| self.known.contains(id), |seen| seen.contains(id))
    }

    fn misfit(&mut self) {
        self.misfits += 1;
        self.overlaps &= self.misfits < FRUITLESS;
    }

    /// Puts a page aside and goes back.
    fn gap(&mut self, page: &Seen<'_>, whole: u64, by_overlap: bool) -> Result<u64> {
        if self.looking.is_none() {
            self.aside = (whole, self.events.recovered);
            self.rose = false;
            self.events.gaps += 1;
            self.gaps_here += 1;
            if self.gaps_here > GAPS {
                return Err(self.too_fast());
            }
            self.looking = Some(by_overlap);
            self.furthest = self.furthest.or(self.last.last().copied());
        }
        self.mending = Some(self.mending.unwrap_or(page.at).max(page.at));
        self.dropped.extend(0..page.ids.len());
        let back = self.before(page.at);
        if Some(back) == self.begin {
            self.refuse_resumed()?;
        }
        Ok(back)
    }

    /// What an earlier run loaded is not known here: to read again what may hold some of it, the pass must start over.
    fn refuse_resumed(&self) -> Result<()> {
        if self.resumed {
            Err(stale("the list changed, and what was loaded before is not known"))
        } else {
            Ok(())
        }
    }

    /// The page read before this one.
    fn before(&self, at: u64) -> u64 {
        self.pass.before(at).or(self.begin).unwrap_or_default()
    }

    /// Remembers a page's records and decides which of them are left out; how many came twice in this reading.
    fn take(&mut self, page: &Seen<'_>, again: bool, overlapped: bool) -> u64 {
        if self.watch == DriftWatch::Off {
            self.pass.distinct += count(page.ids.len());
            return 0;
        }
        let shared = shared(&self.last, page.ids);
        let anchored = overlapped && shared > 0;
        // An overlap that does not begin with the last record: the list has shifted, and the whole page may have come before.
        let shifted = overlapped && page.ids.first() != self.last.last();
        if shifted {
            self.furthest = self.furthest.or(self.last.last().copied());
        }
        let border = if self.furthest.is_some() { page.ids.len() } else { shared };
        if self.furthest.is_some_and(|id| page.ids.contains(&id)) {
            self.furthest = None;
        }
        let mut doubled = 0;
        for (place, id) in page.ids.iter().enumerate() {
            let fresh = page.sure && self.known.insert(*id);
            let first = match &mut self.pass.seen {
                Some(seen) => seen.insert(*id),
                None => fresh,
            };
            // The record that was asked for twice.
            if anchored && place == 0 {
                self.dropped.push(place);
                continue;
            }
            // A page too small for an overlap.
            let beside = count(self.last.len()) < OVERLAPPED && self.last.contains(id);
            let told = page.sure && (page.everywhere || again || place < border || beside);
            if first || !told {
                self.pass.distinct += 1;
            } else {
                doubled += 1;
            }
            if told && !fresh && page.drops {
                self.dropped.push(place);
            }
            self.events.recovered += u64::from(again && fresh);
        }
        doubled
    }

    /// The number to ask for, where the paginator says `next`.
    pub(super) fn onward(&mut self, next: u64) -> u64 {
        let fits = count(self.last.len()) >= OVERLAPPED && next == self.after;
        self.overlapped = self.overlaps && self.sure && fits && self.pass.totals.last.is_none();
        if self.overlapped { next - 1 } else { next }
    }

    /// The page is empty, and the total or the flag says that more follow: where to go to ask once more.
    pub(super) fn contradicted(&mut self, at: u64) -> Option<u64> {
        if self.resumed {
            return None;
        }
        let may = self.watch != DriftWatch::Off && self.begin.is_some_and(|begin| at > begin);
        if !may || self.doubted.replace(at) == Some(at) {
            return None;
        }
        self.mending = Some(at);
        Some(self.before(at))
    }

    /// The list ends here. Where to read on all the same, to be sure.
    pub(super) fn end(&mut self, verdict: Verdict) -> Result<Option<u64>> {
        self.mending = None;
        if let Some(next) = self.probes.as_ref().and_then(|left| left.last()) {
            return Ok(Some(*next));
        }
        let probed = self.probes.take().is_some();
        match self.watch {
            // One page is one moment.
            DriftWatch::Off => Ok(None),
            _ if self.pass.len() < 2 => Ok(None),
            DriftWatch::Watch if !self.sure => Ok(None),
            DriftWatch::Verify => self.verified(),
            DriftWatch::Watch => {
                let probes = if probed { Vec::new() } else { self.doubtful(verdict) };
                if let Some(next) = probes.last().copied() {
                    self.probes = Some(probes);
                    return Ok(Some(next));
                }
                let doubtful = self.pass.disturbed || verdict == Verdict::Short;
                if doubtful {
                    self.refuse_resumed()?;
                }
                if self.pass.hurried && self.pass.disturbed && self.known.forgot() {
                    return Err(pagination("the list changed while pages ahead were read, and is too long to be read twice")
                        .with("received", self.pass.distinct)
                        .hint("read it one by one with `client.concurrency: 1`, or page by a cursor if there is one"));
                }
                Ok(if doubtful && self.pass.number < READINGS.0 { self.read_again() } else { None })
            }
        }
    }

    /// Pages to look at again, the first of them last.
    fn doubtful(&self, verdict: Verdict) -> Vec<u64> {
        let uncounted = verdict == Verdict::Unknown && self.steps == Steps::Pages;
        let spread = uncounted && self.pass.len() >= PROBED;
        let mut probes = if spread { self.pass.spread(PROBED) } else { Vec::new() };
        if self.pass.hurried && !self.overlaps {
            probes.extend(self.pass.last());
        }
        probes
    }

    /// Nothing that came twice and every page as the time before: nothing can have been passed over.
    fn verified(&mut self) -> Result<Option<u64>> {
        if !self.sure {
            return Err(pagination("the records cannot be told apart, so two readings cannot be compared")
                .hint("declare the resource's `primary_key`, or leave out `drift: verify`"));
        }
        if self.pass.doubled == 0 && self.pass.agrees() {
            return Ok(None);
        }
        if self.pass.number >= READINGS.1 {
            return Err(self.too_fast());
        }
        self.read_again().map(Some).ok_or_else(|| {
            pagination("the list is too long to be read twice: no more is remembered of which records came")
                .with("received", self.pass.distinct)
                .hint("leave out `drift: verify`")
        })
    }

    /// Begins another reading; not where it is no longer known what came.
    fn read_again(&mut self) -> Option<u64> {
        if self.known.forgot() {
            return None;
        }
        self.events.readings += 1;
        self.pass = std::mem::take(&mut self.pass).following(Digests::default());
        self.last.clear();
        self.overlapped = false;
        self.overlaps = false;
        self.doubted = None;
        self.begin
    }

    fn same_again(&self) -> Error {
        pagination("the API answers with the same page again: paging would never end")
            .with("received", self.pass.distinct)
            .hint("check the name of the parameter that asks for the next page")
    }

    fn too_fast(&self) -> Error {
        pagination("the list changes faster than it can be read: two readings never agree")
            .with("received", self.pass.distinct)
            .hint(
                "let the API sort by a field that never changes, page by a cursor if there is one, or set `drift: off` on the paginator",
            )
    }

    /// Whether the number of records that came, repeated ones too, is not enough for the total.
    pub(super) fn lacks(&self) -> bool {
        let totals = &self.pass.totals;
        let came = self.pass.distinct + self.pass.doubled + self.skipped();
        totals.first.is_some_and(|first| came < first.saturating_sub(totals.falls))
    }
    /// Records before the first one that was asked for.
    fn skipped(&self) -> u64 {
        match self.steps {
            Steps::Records => self.begin.unwrap_or_default(),
            Steps::Pages => self.before,
        }
    }

    /// Records of the list so far, each counted once.
    pub(super) fn received(&self) -> u64 {
        self.pass.distinct + self.skipped()
    }

    /// How the records of this reading compare with the total.
    pub(super) fn verdict(&self, total_required: bool) -> Verdict {
        let totals = &self.pass.totals;
        let (Some(first), Some(last)) = (totals.first, totals.last) else { return Verdict::Unknown };
        let records = self.pass.distinct + self.skipped();
        if records == last {
            return Verdict::Complete;
        }
        if self.steps == Steps::Pages && self.pass.filled() == last {
            return Verdict::Unknown;
        }
        if records < first.saturating_sub(totals.falls) {
            return Verdict::Short;
        }
        if records <= first.saturating_add(totals.rises) {
            return Verdict::Complete;
        }
        if total_required { Verdict::Over } else { Verdict::Unknown }
    }
}

/// How many records the end of one page shares with the beginning of the next.
fn shared(last: &[u64], next: &[u64]) -> usize {
    let lengths = (1..=last.len().min(next.len())).rev();
    lengths
        .into_iter()
        .find(|length| next.get(..*length).is_some_and(|head| last.ends_with(head)))
        .unwrap_or(0)
}

fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
