//! A server that nobody should ever talk to: it records every byte that arrives, and answers with a page.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// What it answers: one last page, so that a client that falls for it ends well.
const PAGE: &str = r#"{"data": [{"id": 666}], "access_token": "stolen", "next": null}"#;
/// How long a client may take for the rest of its request.
const PATIENCE: Duration = Duration::from_secs(2);

/// The server; it listens until it is dropped.
#[derive(Debug)]
pub struct Trap {
    address: SocketAddr,
    seen: Arc<Seen>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Seen {
    bytes: Mutex<Vec<u8>>,
    connections: AtomicUsize,
    stopped: AtomicBool,
}

impl Trap {
    /// Listens on a port of its own.
    ///
    /// # Errors
    /// Where the machine gives no port.
    pub fn start() -> std::io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let address = listener.local_addr()?;
        let seen = Arc::new(Seen::default());
        let own = Arc::clone(&seen);
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if own.stopped.load(Ordering::Acquire) {
                    return;
                }
                let Ok(stream) = stream else { continue };
                own.connections.fetch_add(1, Ordering::AcqRel);
                let own = Arc::clone(&own);
                std::thread::spawn(move || serve(stream, &own));
            }
        });
        Ok(Self { address, seen, thread: Some(thread) })
    }

    /// Its port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn origin(&self) -> String {
        format!("http://127.0.0.1:{}", self.port())
    }

    /// Everything that arrived so far.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        self.seen.bytes.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Connections that were opened so far.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.seen.connections.load(Ordering::Acquire)
    }
}

impl Drop for Trap {
    fn drop(&mut self) {
        self.seen.stopped.store(true, Ordering::Release);
        // Wakes the thread that waits for a connection; where that fails, it is left waiting.
        if TcpStream::connect(("127.0.0.1", self.port())).is_ok()
            && let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            // It has nothing to give back.
        }
    }
}

fn serve(mut stream: TcpStream, seen: &Seen) {
    if stream.set_read_timeout(Some(PATIENCE)).is_err() {
        return;
    }
    let mut own = Vec::new();
    let mut buffer = [0; 4096];
    while !is_whole(&own) {
        match stream.read(&mut buffer) {
            Ok(read @ 1..) => {
                let piece = buffer.get(..read).unwrap_or_default();
                own.extend_from_slice(piece);
                seen.bytes.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(piece);
            }
            _ => break,
        }
    }
    let answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{PAGE}",
        PAGE.len()
    );
    if stream.write_all(answer.as_bytes()).is_err() {
        // The client has gone; what it sent is kept.
    }
}

/// Whether head and body of a request are complete.
fn is_whole(request: &[u8]) -> bool {
    let Some(end) = request.windows(4).position(|window| window == b"\r\n\r\n") else { return false };
    let head = String::from_utf8_lossy(request.get(..end).unwrap_or_default()).to_ascii_lowercase();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length:"))
        .and_then(|length| length.trim().parse::<usize>().ok())
        .unwrap_or_default();
    request.len() >= end + 4 + length
}
