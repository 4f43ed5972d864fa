//! A tiny blocking HTTP client: one request a connection, so that faults show plainly.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use dray_sim::Sim;
use serde_json::Value;

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("a JSON body")
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The body is as long as its header promises.
    pub(crate) fn is_whole(&self) -> bool {
        self.header("content-length").is_none_or(|length| length == self.body.len().to_string())
    }
}

/// Sends a request; `None` when the connection closes without an answer.
pub(crate) fn send(
    sim: &Sim,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Option<Answer> {
    let host = sim.origin().strip_prefix("http://").expect("an http origin");
    let mut stream = TcpStream::connect(host).expect("a connection");
    let mut text = format!("{method} {target} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n");
    for (name, value) in headers {
        text += &format!("{name}: {value}\r\n");
    }
    text += &format!("content-length: {}\r\n\r\n{body}", body.len());
    stream.write_all(text.as_bytes()).expect("a request sent");

    let mut bytes = Vec::new();
    match stream.read_to_end(&mut bytes) {
        Err(error) if bytes.is_empty() => panic!("reading an answer: {error}"),
        _ => {}
    }
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = String::from_utf8(bytes[..end].to_vec()).expect("a head in ASCII");
    let mut lines = head.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse().expect("a status");
    let headers = lines.filter_map(|line| line.split_once(": "));
    let headers = headers.map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect();
    Some(Answer { status, headers, body: bytes[end + 4..].to_vec() })
}

/// A GET below the origin with the API's credential where it belongs.
pub(crate) fn get(sim: &Sim, target: &str) -> Answer {
    let key = secret(sim, "api_key");
    let answer = if sim.resources().contains(&"revenues") {
        let mark = if target.contains('?') { '&' } else { '?' };
        send(sim, "GET", &format!("{target}{mark}api_key={key}"), &[], "")
    } else {
        send(sim, "GET", target, &[("Authorization", &format!("Bearer {key}"))], "")
    };
    answer.expect("an answer")
}

/// The value of a secret; empty when the API has none of that name.
pub(crate) fn secret(sim: &Sim, name: &str) -> String {
    let found = sim.secrets().into_iter().find(|(key, _)| key == name);
    found.map(|(_, value)| value).unwrap_or_default()
}

/// The values at a key, sorted: to compare what came with what was expected, whatever the order.
pub(crate) fn sorted(records: &[Value]) -> Vec<String> {
    let mut texts: Vec<String> = records.iter().map(Value::to_string).collect();
    texts.sort();
    texts
}

/// The records at a key of a body.
pub(crate) fn records(body: &Value, key: &str) -> Vec<Value> {
    body[key].as_array().expect("a list of records").clone()
}
