//! The HTTP server: accepts connections, applies faults, records requests.

use std::collections::VecDeque;
use std::net::TcpListener;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::sync::oneshot;

use crate::backend::Backend;
use crate::clock::http_date;
use crate::fault::{Effect, Fault, Queue, path_matches};
use crate::message::{Request, Response, decode_form};
use crate::payload::{Cut, Payload};
use crate::sim::RateLimit;
use crate::world::World;

/// What the server's thread and the [`Sim`](crate::Sim) share.
pub(crate) struct Shared {
    pub(crate) backend: Backend,
    world: Mutex<Arc<World>>,
    faults: Mutex<Queue>,
    log: Mutex<Log>,
    problems: Mutex<Vec<String>>,
    limits: Vec<(RateLimit, Mutex<VecDeque<Instant>>)>,
    in_flight: AtomicUsize,
    peak: AtomicUsize,
    latency: Duration,
    record: bool,
}

#[derive(Default)]
struct Log {
    /// Number of the first entry; grows when the log is cleared.
    first: usize,
    entries: Vec<Request>,
}

impl Shared {
    pub(crate) fn new(
        backend: Backend,
        world: World,
        latency: Duration,
        record: bool,
        limits: Vec<RateLimit>,
    ) -> Self {
        Self {
            backend,
            world: Mutex::new(Arc::new(world)),
            faults: Mutex::default(),
            log: Mutex::default(),
            problems: Mutex::default(),
            limits: limits.into_iter().map(|limit| (limit, Mutex::default())).collect(),
            in_flight: AtomicUsize::new(0),
            peak: AtomicUsize::new(0),
            latency,
            record,
        }
    }

    pub(crate) fn world(&self) -> Arc<World> {
        Arc::clone(&lock(&self.world))
    }

    pub(crate) fn change(&self, change: impl FnOnce(&mut World)) {
        change(Arc::make_mut(&mut lock(&self.world)));
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        lock(&self.log).entries.clone()
    }

    pub(crate) fn clear_requests(&self) {
        let mut log = lock(&self.log);
        log.first += log.entries.len();
        log.entries.clear();
    }

    pub(crate) fn peak_in_flight(&self) -> usize {
        self.peak.load(Ordering::Relaxed)
    }

    pub(crate) fn connection_errors(&self) -> Vec<String> {
        lock(&self.problems).clone()
    }

    pub(crate) fn connection_error(&self, problem: String) {
        lock(&self.problems).push(problem);
    }

    pub(crate) fn push_fault(&self, fault: Fault) {
        lock(&self.faults).push(fault);
    }

    pub(crate) fn faults_waiting(&self) -> usize {
        lock(&self.faults).waiting()
    }

    pub(crate) fn clear_faults(&self) {
        lock(&self.faults).clear();
    }

    /// Keeps a request; the number finds it again.
    fn arrived(&self, request: &Request) -> Option<usize> {
        if !self.record {
            return None;
        }
        let mut log = lock(&self.log);
        log.entries.push(request.clone());
        Some(log.first + log.entries.len() - 1)
    }

    fn answered(&self, number: Option<usize>, status: u16) {
        let mut log = lock(&self.log);
        let at = number.and_then(|number| number.checked_sub(log.first));
        if let Some(entry) = at.and_then(|at| log.entries.get_mut(at)) {
            entry.status = status;
        }
    }

    /// The request before `number` on the same path that was answered well.
    fn previous(&self, number: Option<usize>, path: &str) -> Option<Request> {
        let log = lock(&self.log);
        let end = number?.checked_sub(log.first)?;
        let earlier = log.entries.get(..end)?.iter().rev();
        earlier.into_iter().find(|request| request.path == path && request.status == 200).cloned()
    }

    fn over_limit(&self, request: &Request) -> bool {
        let mut over = false;
        for (limit, served) in &self.limits {
            if !limit.on.as_deref().is_none_or(|pattern| path_matches(pattern, &request.path)) {
                continue;
            }
            let mut served = lock(served);
            while served.front().is_some_and(|at| request.at.duration_since(*at) >= limit.per) {
                served.pop_front();
            }
            if served.len() >= limit.requests {
                over = true;
            } else {
                served.push_back(request.at);
            }
        }
        over
    }

    /// The answer to a request, and how to send it.
    fn answer(&self, request: &Request, number: Option<usize>, effect: Effect) -> (Response, Sending) {
        let world = self.world();
        let right = || self.backend.answer(&world, request);
        let response = match effect {
            Effect::Pass => right(),
            Effect::Reply(response) => response,
            Effect::Status { status, headers, body, retry_date } => {
                let mut response = self.backend.error(status);
                if let Some(body) = body {
                    response.body = body;
                }
                response.headers.extend(headers);
                match retry_date {
                    Some(seconds) => response.with_header("retry-after", date_in(seconds)),
                    None => response,
                }
            }
            Effect::Truncate => return (right(), Sending::Half),
            Effect::Close => return (right(), Sending::Nothing),
            Effect::RepeatPage => match self.previous(number, &request.path) {
                Some(previous) => {
                    let again = Request { headers: request.headers.clone(), ..previous };
                    self.backend.answer(&world, &again)
                }
                None => right(),
            },
            Effect::RepeatCursor => edit(right(), &|body| self.backend.repeat_cursor(request, body)),
            Effect::Edit(change) => edit(right(), &*change),
            Effect::ExpireToken => self.backend.expired(),
            Effect::Grow(records) => {
                self.change(|world| world.size = world.size.saturating_add(records));
                self.backend.answer(&self.world(), request)
            }
        };
        (response, Sending::Whole)
    }
}

/// The answer with its JSON body changed; a body that is not JSON stays.
fn edit(mut response: Response, change: &dyn Fn(&mut Value)) -> Response {
    if let Ok(mut body) = serde_json::from_slice::<Value>(&response.body) {
        change(&mut body);
        response.body = body.to_string().into();
    }
    response
}

fn date_in(seconds: u64) -> String {
    // A date has whole seconds: round up, so that it is never earlier than asked.
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default() + Duration::from_millis(999);
    http_date(i64::try_from(now.as_secs().saturating_add(seconds)).unwrap_or(0))
}

/// A lock that a panicking thread left behind still holds good data here: every change is one step.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Counts a request as in work for as long as it lives, also when its client goes away.
struct InFlight(Arc<Shared>);

impl InFlight {
    fn new(shared: &Arc<Shared>) -> Self {
        let now = shared.in_flight.fetch_add(1, Ordering::Relaxed) + 1;
        shared.peak.fetch_max(now, Ordering::Relaxed);
        Self(Arc::clone(shared))
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Serves until the sender of `stopped` is dropped.
pub(crate) async fn serve(listener: TcpListener, shared: Arc<Shared>, mut stopped: oneshot::Receiver<()>) {
    let listener = match tokio::net::TcpListener::from_std(listener) {
        Ok(listener) => listener,
        Err(error) => return shared.connection_error(format!("listening: {error}")),
    };
    loop {
        let accepted = tokio::select! {
            _ = &mut stopped => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) => {
                if let Err(error) = stream.set_nodelay(true) {
                    shared.connection_error(format!("setting TCP_NODELAY: {error}"));
                }
                tokio::spawn(watched(stream, Arc::clone(&shared)));
            }
            Err(error) => {
                shared.connection_error(format!("accepting: {error}"));
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
    }
}

/// Serves a connection and tells when a scripted answer panics, which its client sees only as a closed connection.
async fn watched(stream: tokio::net::TcpStream, shared: Arc<Shared>) {
    if let Err(error) = tokio::spawn(connection(stream, Arc::clone(&shared))).await {
        shared.connection_error(format!("answering: {error}"));
    }
}

async fn connection(stream: tokio::net::TcpStream, shared: Arc<Shared>) {
    let cut = Arc::new(AtomicBool::new(false));
    let service = service_fn(|request| handle(Arc::clone(&shared), request, Arc::clone(&cut)));
    let served = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
    if let Err(error) = served
        && !cut.load(Ordering::Relaxed)
    {
        shared.connection_error(format!("serving: {error}"));
    }
}

async fn handle(
    shared: Arc<Shared>,
    request: hyper::Request<Incoming>,
    cut: Arc<AtomicBool>,
) -> Result<hyper::Response<Payload>, Cut> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| Cut)?.to_bytes();
    let headers = head.headers.iter().map(|(name, value)| {
        (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
    });
    let request = Request {
        method: head.method.as_str().to_owned(),
        path: head.uri.path().to_owned(),
        query: decode_form(head.uri.query().unwrap_or("")),
        headers: headers.collect(),
        body,
        at: Instant::now(),
        status: 0,
    };

    let _in_flight = InFlight::new(&shared);
    let number = shared.arrived(&request);
    let (effect, delay) = if shared.over_limit(&request) {
        (Effect::Reply(shared.backend.error(429)), Duration::ZERO)
    } else {
        let fault = lock(&shared.faults).take(&request);
        fault.map_or((Effect::Pass, Duration::ZERO), |fault| (fault.effect, fault.delay))
    };
    let wait = shared.latency.max(delay);
    if !wait.is_zero() {
        tokio::time::sleep(wait).await;
    }

    let (response, sending) = shared.answer(&request, number, effect);
    if !matches!(sending, Sending::Whole) {
        cut.store(true, Ordering::Relaxed);
    }
    if matches!(sending, Sending::Nothing) {
        return Err(Cut);
    }
    let response = to_hyper(response, matches!(sending, Sending::Half));
    shared.answered(number, response.status().as_u16());
    Ok(response)
}

/// How much of an answer reaches the client.
enum Sending {
    Whole,
    Half,
    Nothing,
}

fn to_hyper(response: Response, torn: bool) -> hyper::Response<Payload> {
    let mut built = hyper::Response::builder().status(response.status);
    for (name, value) in &response.headers {
        built = built.header(name, value);
    }
    built.body(Payload::new(response.body, torn)).unwrap_or_else(|error| {
        let text = format!("the simulated answer is not HTTP: {error}");
        let mut response = hyper::Response::new(Payload::new(text.into(), false));
        *response.status_mut() = hyper::StatusCode::INTERNAL_SERVER_ERROR;
        response
    })
}
