//! The handle to a running simulated API.

use std::io;
use std::net::TcpListener;
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::oneshot;

use crate::backend::Backend;
use crate::fault::Fault;
use crate::message::{Request, Response};
use crate::server::{self, Shared};
use crate::world::World;

use std::sync::Arc;

/// Which API to simulate.
pub enum Api {
    /// Orb: bearer token, opaque cursors, ledgers and usage as children.
    Orb,
    /// FastBill as a plain GET API: key in the query, limit and offset, no totals.
    FastBill,
    /// Zoho Billing: OAuth refresh tokens, page numbers, keys other than `id`.
    Zoho,
    /// Stripe: bearer key, `starting_after`, embedded lists cut at ten.
    Stripe,
    /// A scripted API: the closure answers each request. It runs on the server's thread and must not block.
    Custom(Box<dyn Fn(&Request) -> Response + Send + Sync>),
}

impl Api {
    /// A scripted API.
    #[must_use]
    pub fn custom(answer: impl Fn(&Request) -> Response + Send + Sync + 'static) -> Self {
        Self::Custom(Box::new(answer))
    }
}

/// A limit the API enforces: requests beyond it are answered 429, without `Retry-After`.
#[derive(Debug, Clone)]
pub struct RateLimit {
    /// Requests allowed in any span of `per`.
    pub requests: usize,
    /// The length of the sliding span.
    pub per: Duration,
    /// Only paths that match this, as in [`Fault::on`]; `None` is every path.
    pub on: Option<String>,
}

/// What to simulate. `Options { api: Api::Orb, size: 250, ..Default::default() }`.
pub struct Options {
    /// The API; Stripe by default.
    pub api: Api,
    /// Records of each top-level resource; 250 by default. The README has the counts of child resources.
    pub size: u64,
    /// The same seed gives the same records; 1 by default.
    pub seed: u64,
    /// Creation time of the oldest record in unix seconds; 2023-01-01T00:00:00Z by default.
    pub first_created: i64,
    /// Seconds from one record to the next; 3600 by default.
    pub step: i64,
    /// The port; 0, the default, lets the system choose.
    pub port: u16,
    /// Time every answer takes at least; none by default.
    pub latency: Duration,
    /// Whether requests are kept for [`Sim::requests`]; true by default. Benchmarks may switch it off.
    pub record: bool,
    /// FastBill and Zoho list the newest records first, so that records added while a client pages shift its pages.
    pub newest_first: bool,
    /// No page holds more records than this, whatever the client asks for, and nothing says so.
    pub page_cap: Option<u64>,
    /// Limits that are answered with 429.
    pub rate_limits: Vec<RateLimit>,
    /// Zoho: how long an access token lives; 3600 s by default.
    pub token_lifetime: Duration,
    /// Zoho: how many requests an access token serves before it counts as expired; no limit by default.
    pub token_requests: Option<u64>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            api: Api::Stripe,
            size: 250,
            seed: 1,
            first_created: 1_672_531_200,
            step: 3_600,
            port: 0,
            latency: Duration::ZERO,
            record: true,
            newest_first: false,
            page_cap: None,
            rate_limits: Vec::new(),
            token_lifetime: Duration::from_secs(3_600),
            token_requests: None,
        }
    }
}

/// A simulated API that serves until it is dropped. Usable from sync and async code.
pub struct Sim {
    shared: Arc<Shared>,
    origin: String,
    base_url: String,
    token_url: String,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Sim {
    /// Binds a port and serves from a thread of its own; requests can be sent as soon as this returns.
    ///
    /// # Errors
    /// When the port cannot be bound or the thread cannot be started.
    pub fn start(options: Options) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", options.port))?;
        listener.set_nonblocking(true)?;
        let origin = format!("http://{}", listener.local_addr()?);

        let mut world = World::new(options.seed, options.size, options.first_created, options.step);
        world.newest_first = options.newest_first;
        world.page_cap = options.page_cap;
        let backend = Backend::new(options.api, options.token_lifetime, options.token_requests, &origin);
        let base_url = format!("{origin}{}", backend.base_path());
        let token_url = format!("{origin}/oauth/v2/token");
        let shared =
            Arc::new(Shared::new(backend, world, options.latency, options.record, options.rate_limits));

        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (stop, stopped) = oneshot::channel();
        let serving = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("dray-sim".to_owned())
            .spawn(move || runtime.block_on(server::serve(listener, serving, stopped)))?;
        Ok(Self { shared, origin, base_url, token_url, stop: Some(stop), thread: Some(thread) })
    }

    /// What a client's `base_url` must be, with a slash at its end: `http://127.0.0.1:PORT/v1/` for Stripe and Orb,
    /// `/billing/v1/` for Zoho, `/` for FastBill (whose paths hold `v1/`) and scripted APIs.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// `http://127.0.0.1:PORT`, without a slash at its end.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Where Zoho issues access tokens; the other APIs do not answer there.
    #[must_use]
    pub fn token_url(&self) -> &str {
        &self.token_url
    }

    /// The credentials that are accepted, as (name, value); names as configurations use them.
    #[must_use]
    pub fn secrets(&self) -> Vec<(String, String)> {
        self.shared.backend.secrets()
    }

    /// The requests so far, in the order in which they arrived.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        self.shared.requests()
    }

    /// Forgets the requests so far.
    pub fn clear_requests(&self) {
        self.shared.clear_requests();
    }

    /// The most requests that were in work at the same time.
    #[must_use]
    pub fn peak_in_flight(&self) -> usize {
        self.shared.peak_in_flight()
    }

    /// Connections that ended badly without a fault having been ordered: one text each.
    #[must_use]
    pub fn connection_errors(&self) -> Vec<String> {
        self.shared.connection_errors()
    }

    /// Orders a fault; it joins the end of the queue.
    pub fn fault(&self, fault: Fault) {
        self.shared.push_fault(fault);
    }

    /// Faults that have not yet hit as many requests as ordered ([`Fault::always`] not counted).
    #[must_use]
    pub fn faults_waiting(&self) -> usize {
        self.shared.faults_waiting()
    }

    /// Takes back every fault.
    pub fn clear_faults(&self) {
        self.shared.clear_faults();
    }

    /// The names that [`Sim::expected`] knows.
    #[must_use]
    pub fn resources(&self) -> &'static [&'static str] {
        self.shared.backend.resources()
    }

    /// Every record that a complete load of a resource must hold, as the API writes it, oldest first; for a child
    /// resource those of all parents, parent by parent. Empty for an unknown name and for scripted APIs.
    #[must_use]
    pub fn expected(&self, resource: &str) -> Vec<Value> {
        self.expected_with_parent(resource).into_iter().map(|(_, record)| record).collect()
    }

    /// As [`Sim::expected`], each record with its parent's id; the id is empty for top-level resources.
    #[must_use]
    pub fn expected_with_parent(&self, resource: &str) -> Vec<(String, Value)> {
        self.shared.backend.expected(&self.shared.world(), resource)
    }

    /// Adds this many newer records to every top-level resource, with their children.
    pub fn grow(&self, records: u64) {
        self.shared.change(|world| world.size = world.size.saturating_add(records));
    }

    /// Changes existing records of a top-level resource (a name of [`Sim::resources`]); index 0 is the oldest. Stripe
    /// tells of it in its events. Creation times stay; what moves is `metadata.revision` (Stripe, Orb), the time of modification (FastBill, Zoho)
    /// or, for Zoho's taxes and transactions, `tax_name` and `reference_number`. Orb's invoices change their status, and
    /// its `subscription_usage` is corrected, by the subscription's index.
    pub fn mutate(&self, resource: &str, indexes: impl IntoIterator<Item = u64>) {
        self.shared.change(|world| {
            for index in indexes {
                world.revise(resource, index);
            }
        });
    }

    /// Deletes records of a top-level resource; index 0 is the oldest. Their children go with them, except Stripe's
    /// `balance_transactions`, which no payout owns. Stripe tells of it in its events where its objects can be deleted.
    /// Orb's `credits_ledger_entries` are removed with the balances of a customer, whose index is given.
    pub fn remove(&self, resource: &str, indexes: impl IntoIterator<Item = u64>) {
        self.shared.change(|world| {
            for index in indexes {
                world.remove(resource, index);
            }
        });
    }

    /// Brings removed records back with their old time of creation: records that become visible late. Nothing tells
    /// of it.
    pub fn restore(&self, resource: &str, indexes: impl IntoIterator<Item = u64>) {
        self.shared.change(|world| {
            for index in indexes {
                world.restore(resource, index);
            }
        });
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            self.shared.connection_error("the server's thread panicked".to_owned());
        }
    }
}
