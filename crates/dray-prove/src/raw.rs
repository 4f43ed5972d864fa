//! A server that can say anything at all: framing that is wrong, bodies that end early, late or never.
//!
//! It reads requests and plays back steps; nothing of what it sends is checked. One thread a connection.

use std::collections::HashMap;
use std::io::{ErrorKind, Read, Result, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How often a connection that holds its peer up looks whether either side has gone.
const LOOK: Duration = Duration::from_millis(20);
/// Longest head of a request.
const HEAD: usize = 64 << 10;

/// A request.
#[derive(Clone, Debug)]
pub struct Asked {
    /// `GET`.
    pub method: String,
    /// Path and query as sent.
    pub target: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// How often this target was asked for, this time included.
    pub times: usize,
}

impl Asked {
    /// The path.
    #[must_use]
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// A query parameter, as sent.
    #[must_use]
    pub fn param(&self, name: &str) -> Option<&str> {
        let (_, query) = self.target.split_once('?')?;
        query
            .split('&')
            .find_map(|pair| pair.split_once('=').filter(|(own, _)| *own == name))
            .map(|pair| pair.1)
    }
}

/// One thing that the server does.
#[derive(Clone, Debug)]
pub enum Step {
    /// Sends these bytes.
    Send(Vec<u8>),
    /// Sends these bytes so often, or until nobody reads them.
    Repeat(Vec<u8>, u64),
    /// Sends these bytes one by one, with a pause before each, over and over until nobody reads them.
    Drip(Vec<u8>, Duration),
    /// Sends nothing more and waits until the other side goes.
    Hold,
    /// Breaks the connection off with a reset.
    Reset,
    /// Closes the connection.
    Close,
}

/// What a request is answered with.
#[derive(Clone, Debug, Default)]
pub struct Answer(pub Vec<Step>);

impl Answer {
    /// 200 with a body of JSON.
    #[must_use]
    pub fn json(body: impl Into<Vec<u8>>) -> Self {
        Self::whole("200 OK", &["Content-Type: application/json"], body)
    }

    /// A status, headers and a body of the right length.
    #[must_use]
    pub fn whole(status: &str, headers: &[&str], body: impl Into<Vec<u8>>) -> Self {
        let body = body.into();
        let length = format!("Content-Length: {}", body.len());
        let mut headers = headers.to_vec();
        headers.push(&length);
        Self::head(status, &headers).then(Step::Send(body))
    }

    /// A head, and nothing after it.
    #[must_use]
    pub fn head(status: &str, headers: &[&str]) -> Self {
        let mut head = format!("HTTP/1.1 {status}\r\n");
        for header in headers {
            head.push_str(header);
            head.push_str("\r\n");
        }
        head.push_str("\r\n");
        Self(vec![Step::Send(head.into_bytes())])
    }

    /// A body in chunks of `size` bytes, with its end where `ended`.
    #[must_use]
    pub fn chunked(headers: &[&str], body: &[u8], size: usize, ended: bool) -> Self {
        let mut headers = headers.to_vec();
        headers.push("Transfer-Encoding: chunked");
        let mut bytes = Vec::with_capacity(body.len() + 64);
        for piece in body.chunks(size.max(1)) {
            bytes.extend_from_slice(format!("{:x}\r\n", piece.len()).as_bytes());
            bytes.extend_from_slice(piece);
            bytes.extend_from_slice(b"\r\n");
        }
        if ended {
            bytes.extend_from_slice(b"0\r\n\r\n");
        }
        Self::head("200 OK", &headers).then(Step::Send(bytes))
    }

    /// With one more step.
    #[must_use]
    pub fn then(mut self, step: Step) -> Self {
        self.0.push(step);
        self
    }
}

type Script = dyn Fn(&Asked) -> Answer + Send + Sync;

/// The server; gone when dropped.
pub struct Raw {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    script: Box<Script>,
    asked: Mutex<HashMap<String, usize>>,
    over: AtomicBool,
}

impl Raw {
    /// Starts it on a port of the loopback interface.
    ///
    /// # Errors
    /// Where no port can be had.
    pub fn start(script: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            script: Box::new(script),
            asked: Mutex::default(),
            over: AtomicBool::new(false),
        });
        let own = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if own.over.load(Ordering::Acquire) {
                    return;
                }
                let Ok(stream) = stream else { continue };
                let shared = Arc::clone(&own);
                // A connection that fails has failed its peer, which is what is looked at.
                std::thread::spawn(move || drop(shared.serve(stream)));
            }
        });
        Ok(Self { address, shared })
    }

    /// `http://127.0.0.1:PORT`, without a slash.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How often a target was asked for.
    #[must_use]
    pub fn times(&self, target: &str) -> usize {
        let asked = self.shared.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.get(target).copied().unwrap_or_default()
    }

    /// Forgets what was asked: the next request of every target is its first again.
    pub fn forget(&self) {
        self.shared.asked.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

impl std::fmt::Debug for Raw {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Raw").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::Release);
        // Wakes the thread that accepts; where that fails it is gone already.
        drop(TcpStream::connect(self.address));
    }
}

impl Shared {
    /// Answers the requests of a connection until a step ends it.
    fn serve(&self, mut stream: TcpStream) -> Result<()> {
        stream.set_nodelay(true)?;
        let mut pending = Vec::new();
        while let Some(mut asked) = read(&mut stream, &mut pending)? {
            {
                let mut counts = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
                let count = counts.entry(asked.target.clone()).or_default();
                *count += 1;
                asked.times = *count;
            }
            for step in (self.script)(&asked).0 {
                if !self.play(&mut stream, step)? {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Does one step; false ends the connection.
    fn play(&self, stream: &mut TcpStream, step: Step) -> Result<bool> {
        match step {
            Step::Send(bytes) => stream.write_all(&bytes)?,
            Step::Repeat(bytes, times) => {
                for _ in 0..times {
                    if self.over.load(Ordering::Acquire) {
                        return Ok(false);
                    }
                    stream.write_all(&bytes)?;
                }
            }
            Step::Drip(bytes, pause) => loop {
                for byte in &bytes {
                    if !self.wait(stream, pause)? {
                        return Ok(false);
                    }
                    stream.write_all(std::slice::from_ref(byte))?;
                }
            },
            Step::Hold => {
                while self.wait(stream, LOOK)? {}
                return Ok(false);
            }
            Step::Reset => {
                socket2::SockRef::from(&*stream).set_linger(Some(Duration::ZERO))?;
                return Ok(false);
            }
            Step::Close => return Ok(false),
        }
        Ok(true)
    }

    /// Waits so long, or until the other side goes or the server is dropped; false if nobody is there any more.
    fn wait(&self, stream: &mut TcpStream, pause: Duration) -> Result<bool> {
        stream.set_read_timeout(Some(pause.max(Duration::from_millis(1))))?;
        let found = stream.read(&mut [0; 16]);
        stream.set_read_timeout(None)?;
        match found {
            Ok(0) => Ok(false),
            Ok(_) => Ok(!self.over.load(Ordering::Acquire)),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                Ok(!self.over.load(Ordering::Acquire))
            }
            Err(error) => Err(error),
        }
    }
}

/// Reads a request with its body; none where the connection is over. Bytes beyond it stay in `pending`.
fn read(stream: &mut TcpStream, pending: &mut Vec<u8>) -> Result<Option<Asked>> {
    let end = loop {
        if let Some(at) = pending.windows(4).position(|four| four == b"\r\n\r\n") {
            break at;
        }
        if pending.len() > HEAD || !more(stream, pending)? {
            return Ok(None);
        }
    };
    let head = String::from_utf8_lossy(pending.get(..end).unwrap_or_default()).into_owned();
    let mut lines = head.split("\r\n");
    let mut words = lines.next().unwrap_or_default().split(' ');
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.trim().to_lowercase(), value.trim().to_owned()))
        .collect();
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length: usize = length.and_then(|(_, value)| value.parse().ok()).unwrap_or_default();
    while pending.len() < end + 4 + length {
        if !more(stream, pending)? {
            return Ok(None);
        }
    }
    pending.drain(..end + 4 + length);
    Ok(Some(Asked { method: method.to_owned(), target: target.to_owned(), headers, times: 0 }))
}

fn more(stream: &mut TcpStream, pending: &mut Vec<u8>) -> Result<bool> {
    let mut bytes = [0; 4096];
    let count = stream.read(&mut bytes)?;
    pending.extend_from_slice(bytes.get(..count).unwrap_or_default());
    Ok(count > 0)
}
