//! An API over TLS, with an authority of its own.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// The server; it listens until it is dropped.
#[derive(Debug)]
pub struct Secure {
    port: u16,
    authority: String,
    stopped: Arc<AtomicBool>,
}

/// What can go wrong here: a machine without ports, or a library that makes no certificate.
type Failed = Box<dyn std::error::Error + Send + Sync>;

impl Secure {
    /// Answers every request with the JSON that `answer` makes of its head.
    ///
    /// # Errors
    /// Where the machine gives no port, or a certificate cannot be made.
    pub fn start(answer: impl Fn(&str) -> String + Send + 'static) -> Result<Self, Failed> {
        let mut params = CertificateParams::new(Vec::new())?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
        let key = KeyPair::generate()?;
        let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        let certificate = CertificateParams::new(names)?.signed_by(&key, &issuer)?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(
                vec![certificate.der().clone()],
                PrivateKeyDer::from_pem_slice(key.serialize_pem().as_bytes())?,
            )?;
        let config = Arc::new(config);
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let port = listener.local_addr()?.port();
        let stopped = Arc::new(AtomicBool::new(false));
        let over = Arc::clone(&stopped);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if over.load(Ordering::Acquire) {
                    return;
                }
                let Ok(connection) = ServerConnection::new(Arc::clone(&config)) else { return };
                let Ok(stream) = stream else { continue };
                if serve(StreamOwned::new(connection, stream), &answer).is_err() {
                    // A client that goes away early is no concern of the server's.
                }
            }
        });
        Ok(Self { port, authority: issuer.pem(), stopped })
    }

    /// `https://127.0.0.1:PORT`.
    #[must_use]
    pub fn origin(&self) -> String {
        format!("https://127.0.0.1:{}", self.port)
    }

    /// The authority's certificate in PEM, for `client.tls.ca_file`.
    #[must_use]
    pub fn authority(&self) -> &str {
        &self.authority
    }
}

impl Drop for Secure {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Release);
        if TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            // Nobody listens any more.
        }
    }
}

fn serve(
    mut stream: StreamOwned<ServerConnection, TcpStream>,
    answer: &impl Fn(&str) -> String,
) -> std::io::Result<()> {
    let mut request = Vec::new();
    let mut buffer = [0; 4096];
    while !request.windows(4).any(|window| window == b"\r\n\r\n") {
        match stream.read(&mut buffer)? {
            0 => return Ok(()),
            read => request.extend_from_slice(buffer.get(..read).unwrap_or_default()),
        }
    }
    let body = answer(&String::from_utf8_lossy(&request));
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    stream.write_all(head.as_bytes())?;
    stream.write_all(body.as_bytes())?;
    stream.conn.send_close_notify();
    stream.flush()
}
