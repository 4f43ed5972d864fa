//! Certificates: whom the client trusts, and what it shows of itself.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;

use dray::error::ErrorKind;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};
use tempfile::TempDir;

use crate::support::{Told, plan_at, things};

const THINGS: &str = "  - {name: things, endpoint: {path: things, data_selector: $, paginator: single_page}}";

/// An authority of the test's own, and a folder for what it issues.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: TempDir,
}

/// A certificate and its key in PEM.
struct Issued {
    certificate: String,
    key: String,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        Self { issuer, folder: tempfile::tempdir().unwrap() }
    }

    fn issue(&self, name: &str, purpose: ExtendedKeyUsagePurpose) -> Issued {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.extended_key_usages = vec![purpose];
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap().pem();
        Issued { certificate, key: key.serialize_pem() }
    }

    fn file(&self, name: &str, content: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    /// The authority's own certificate, as a file.
    fn ca_file(&self) -> String {
        self.file("ca.pem", &self.issuer.pem()).display().to_string()
    }

    /// Serves one record over TLS, to clients with a certificate of this authority if `demands`; its URL.
    fn serve(&self, name: &str, demands: bool) -> String {
        let issued = self.issue(name, ExtendedKeyUsagePurpose::ServerAuth);
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .unwrap();
        let builder = if demands {
            let mut roots = RootCertStore::empty();
            roots.add(self.issuer.der().clone()).unwrap();
            let verifier =
                WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
            builder.with_client_cert_verifier(verifier)
        } else {
            builder.with_no_client_auth()
        };
        let certificate = CertificateDer::from_pem_slice(issued.certificate.as_bytes()).unwrap();
        let key = PrivateKeyDer::from_pem_slice(issued.key.as_bytes()).unwrap();
        let config = Arc::new(builder.with_single_cert(vec![certificate], key).unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
                let mut stream = StreamOwned::new(connection, stream.unwrap());
                let mut request = Vec::new();
                let mut buffer = [0; 1024];
                while !request.windows(4).any(|end| end == b"\r\n\r\n") {
                    match stream.read(&mut buffer) {
                        Ok(read @ 1..) => request.extend_from_slice(&buffer[..read]),
                        // A client that does not trust the server, or has no certificate, goes away.
                        _ => break,
                    }
                }
                let answer = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\nConnection: close\r\n\r\n[{\"id\":7}]";
                if stream.write_all(answer.as_bytes()).is_ok() {
                    stream.conn.send_close_notify();
                    stream.flush().unwrap_or_default();
                }
            }
        });
        format!("https://{name}:{port}/")
    }
}

fn asked(url: &str, tls: &str) -> Told {
    let secrets = [("key".to_owned(), "swordfish-4242".to_owned())];
    let client = format!(
        "retry: {{max_retries: 1, backoff_factor: 0.01}}, auth: {{token: \"${{secrets.key}}\"}}{tls}"
    );
    things(plan_at(url, &secrets, &client, THINGS))
}

#[test]
fn an_unknown_authority_is_refused() {
    let authority = Authority::new();
    let url = authority.serve("localhost", false);
    asked(&url, "").failed(ErrorKind::Request, "UnknownIssuer");
    asked(&url, "").failed(ErrorKind::Request, "client.tls.ca_file");
    // Another authority does not help.
    let other = Authority::new();
    asked(&url, &format!(", tls: {{ca_file: {}}}", other.ca_file()))
        .failed(ErrorKind::Request, "certificate");
}

#[test]
fn an_authority_of_ones_own_is_trusted() {
    let authority = Authority::new();
    let url = authority.serve("localhost", false);
    assert_eq!(asked(&url, &format!(", tls: {{ca_file: {}}}", authority.ca_file())).ids(), [7]);
}

#[test]
fn a_trusted_certificate_of_another_host_is_refused() {
    let authority = Authority::new();
    let url = authority.serve("localhost", false).replace("localhost", "127.0.0.1");
    let told = asked(&url, &format!(", tls: {{ca_file: {}}}", authority.ca_file()));
    told.failed(ErrorKind::Request, "invalid peer certificate");
}

#[test]
fn a_client_certificate_is_shown_where_one_is_demanded() {
    let authority = Authority::new();
    let url = authority.serve("localhost", true);
    let ca = authority.ca_file();
    let told = asked(&url, &format!(", tls: {{ca_file: {ca}}}"));
    assert_eq!(told.error().kind(), ErrorKind::Request);
    let own = authority.issue("client", ExtendedKeyUsagePurpose::ClientAuth);
    let certificate = authority.file("client.pem", &own.certificate).display().to_string();
    let key = authority.file("client.key", &own.key).display().to_string();
    let tls = format!(", tls: {{ca_file: {ca}, client_cert_file: {certificate}, client_key_file: {key}}}");
    assert_eq!(asked(&url, &tls).ids(), [7]);
    // Both in one file.
    let both = authority.file("both.pem", &format!("{}{}", own.certificate, own.key)).display().to_string();
    let tls = format!(", tls: {{ca_file: {ca}, client_cert_file: {both}, client_key_file: {both}}}");
    assert_eq!(asked(&url, &tls).ids(), [7]);
}

#[test]
fn files_that_are_missing_or_broken_are_named() {
    let authority = Authority::new();
    let url = authority.serve("localhost", false);
    let missing = asked(&url, ", tls: {ca_file: nowhere/ca.pem}");
    missing.failed(ErrorKind::Config, "`client.tls.ca_file` names cannot be read");
    missing.failed(ErrorKind::Config, "nowhere/ca.pem");
    let text = authority.file("text.pem", "not a certificate").display().to_string();
    asked(&url, &format!(", tls: {{ca_file: {text}}}")).failed(ErrorKind::Config, "holds no certificate");
    let tls = format!(", tls: {{client_cert_file: {}, client_key_file: {text}}}", authority.ca_file());
    let told = asked(&url, &tls);
    told.failed(ErrorKind::Config, "does not hold a certificate and its private key");
    let tls = format!(", tls: {{client_cert_file: {text}, client_key_file: nowhere/key.pem}}");
    asked(&url, &tls).failed(ErrorKind::Config, "`client.tls.client_key_file` names cannot be read");
}
