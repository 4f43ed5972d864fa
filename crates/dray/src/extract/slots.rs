//! The requests under way at once, over everything that a run reads: a ceiling, turns, and fewer of them where the API
//! asks for it.
//!
//! Who waits stands in the line of its resource, and the lines take turns: a resource with a thousand parents does not
//! hold up one with a single page. Where the API answers that there are too many requests, their number is halved; with
//! every round of answers without such a word it grows by one again (as TCP does).

use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound::{Excluded, Unbounded};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

/// The places of all requests.
#[derive(Debug)]
pub(super) struct Slots {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    ceiling: usize,
    limit: usize,
    under_way: usize,
    lines: BTreeMap<usize, VecDeque<oneshot::Sender<u64>>>,
    /// The line that was served last.
    last: usize,
    /// Requests that were let through; their number is that of the newest one.
    started: u64,
    /// Requests up to this one were on their way before the limit was last halved.
    heard: u64,
    /// Answers since the limit last changed.
    good: usize,
}

/// A place; free again when dropped.
#[derive(Debug)]
pub(super) struct Slot {
    slots: Arc<Slots>,
    number: u64,
}

/// Waits in a line.
struct Waiting {
    slots: Arc<Slots>,
    turn: oneshot::Receiver<u64>,
}

impl Slots {
    pub(super) fn new(ceiling: usize) -> Arc<Self> {
        let ceiling = ceiling.max(1);
        let state = State {
            ceiling,
            limit: ceiling,
            under_way: 0,
            lines: BTreeMap::new(),
            last: 0,
            started: 0,
            heard: 0,
            good: 0,
        };
        Arc::new(Self { state: Mutex::new(state) })
    }

    /// Waits for a place. `line`: who asks, as a resource.
    pub(super) async fn enter(self: &Arc<Self>, line: usize) -> Slot {
        let turn = {
            let mut state = self.state();
            let (sender, turn) = oneshot::channel();
            state.lines.entry(line).or_default().push_back(sender);
            state.serve();
            turn
        };
        let mut waiting = Waiting { slots: Arc::clone(self), turn };
        match (&mut waiting.turn).await {
            Ok(number) => Slot { slots: Arc::clone(self), number },
            // The lines are emptied by nobody but those who are served.
            Err(_) => std::future::pending().await,
        }
    }

    fn leave(&self) {
        let mut state = self.state();
        state.under_way = state.under_way.saturating_sub(1);
        state.serve();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slot {
    /// An answer came that says nothing against as many requests.
    pub(super) fn went_well(&self) {
        self.slots.state().grow();
    }

    /// The API says that there are too many requests: how many there may be from now on, if that is news.
    pub(super) fn too_many(&self) -> Option<usize> {
        self.slots.state().shrink(self.number)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.slots.leave();
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        // Its turn may have come just when it was given up.
        self.turn.close();
        if self.turn.try_recv().is_ok() {
            self.slots.leave();
        }
    }
}

impl State {
    /// Lets in whom there is room for, one of each line in turn.
    fn serve(&mut self) {
        while self.under_way < self.limit {
            let after = self.lines.range((Excluded(self.last), Unbounded)).next();
            let after = after.or_else(|| self.lines.iter().next());
            let Some(line) = after.map(|(line, _)| *line) else { return };
            let Some(waiting) = self.lines.get_mut(&line) else { return };
            let first = waiting.pop_front();
            if waiting.is_empty() {
                self.lines.remove(&line);
            }
            // Who was given up does not use up the turn of its line.
            if first.is_some_and(|sender| sender.send(self.started + 1).is_ok()) {
                self.last = line;
                self.started += 1;
                self.under_way += 1;
            }
        }
    }

    fn grow(&mut self) {
        self.good += 1;
        if self.good >= self.limit && self.limit < self.ceiling {
            self.limit += 1;
            self.good = 0;
            self.serve();
        }
    }

    fn shrink(&mut self, number: u64) -> Option<usize> {
        // Requests that were sent together are refused together: that is one word, not many.
        if number <= self.heard {
            return None;
        }
        self.heard = self.started;
        self.good = 0;
        self.limit = (self.limit.min(self.under_way.max(1)) / 2).max(1);
        Some(self.limit)
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::{Pin, pin};
    use std::task::{Context, Poll, Waker};

    use super::*;

    fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
        future.poll(&mut Context::from_waker(Waker::noop()))
    }

    /// A place that is free.
    fn free(slots: &Arc<Slots>, line: usize) -> Slot {
        match poll(pin!(slots.enter(line))) {
            Poll::Ready(slot) => slot,
            Poll::Pending => panic!("no place is free"),
        }
    }

    fn is_full(slots: &Arc<Slots>) -> bool {
        poll(pin!(slots.enter(0))).is_pending()
    }

    #[test]
    fn no_more_than_the_ceiling_are_under_way() {
        let slots = Slots::new(2);
        let (first, second) = (free(&slots, 0), free(&slots, 0));
        assert!(is_full(&slots));
        drop(first);
        let third = free(&slots, 1);
        assert!(is_full(&slots));
        drop((second, third));
        free(&slots, 0);
    }

    #[test]
    fn lines_take_turns_however_long_they_are() {
        let slots = Slots::new(1);
        let mut held = Some(free(&slots, 9));
        let mut waiting: Vec<_> =
            [0, 0, 0, 0, 1, 2, 2].into_iter().map(|line| (line, Box::pin(slots.enter(line)))).collect();
        for (_, future) in &mut waiting {
            assert!(poll(future.as_mut()).is_pending());
        }
        let mut order = Vec::new();
        while !waiting.is_empty() {
            drop(held.take());
            let mut served = None;
            for (at, (line, future)) in waiting.iter_mut().enumerate() {
                if let Poll::Ready(slot) = poll(future.as_mut()) {
                    assert!(held.is_none(), "two at once");
                    order.push(*line);
                    (held, served) = (Some(slot), Some(at));
                }
            }
            drop(waiting.remove(served.unwrap()));
        }
        assert_eq!(order, [0, 1, 2, 0, 2, 0, 0]);
    }

    #[test]
    fn who_gives_up_waiting_holds_up_nobody() {
        let slots = Slots::new(1);
        let held = free(&slots, 0);
        let mut given_up = Box::pin(slots.enter(1));
        let mut served = Box::pin(slots.enter(2));
        let mut next = Box::pin(slots.enter(3));
        for future in [&mut given_up, &mut served, &mut next] {
            assert!(poll(future.as_mut()).is_pending());
        }
        drop(given_up);
        drop(held);
        // Its turn had come when it was given up.
        drop(served);
        assert!(poll(next.as_mut()).is_ready());
    }

    #[test]
    fn a_word_of_the_api_halves_them_once_a_round_and_answers_bring_them_back() {
        let slots = Slots::new(16);
        let round: Vec<Slot> = (0..16).map(|_| free(&slots, 0)).collect();
        let heard: Vec<_> = round.iter().map(Slot::too_many).collect();
        assert_eq!((heard[0], heard.iter().flatten().count()), (Some(8), 1));
        drop(round);
        let round: Vec<Slot> = (0..8).map(|_| free(&slots, 0)).collect();
        assert!(is_full(&slots));
        assert_eq!(round[7].too_many(), Some(4));
        drop(round);
        for expected in 5..=16 {
            let limit = expected - 1;
            for _ in 0..limit {
                let slot = free(&slots, 0);
                assert_eq!(slots.state().limit, limit);
                slot.went_well();
            }
            assert_eq!(slots.state().limit, expected);
        }
        free(&slots, 0).went_well();
        assert_eq!(slots.state().limit, 16);
    }

    #[test]
    fn one_is_always_left() {
        let slots = Slots::new(4);
        for _ in 0..5 {
            let slot = free(&slots, 0);
            assert_eq!(slot.too_many(), Some(1));
        }
    }
}
