//! A request as it arrived and the response to it, in plain owned data.

use std::time::Instant;

use bytes::Bytes;
use serde_json::Value;

/// A request as the server received it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Request {
    /// The method, upper case.
    pub method: String,
    /// The path without the query, as sent (not decoded).
    pub path: String,
    /// The query's pairs in order, decoded as a form (`+` is a space).
    pub query: Vec<(String, String)>,
    /// The headers in order, names in lower case. Bytes outside ASCII are replaced.
    pub headers: Vec<(String, String)>,
    /// The whole body; empty when there is none.
    pub body: Bytes,
    /// When the request's body was complete.
    pub at: Instant,
    /// The status of the answer; 0 while there is none, and when the connection was closed instead.
    pub status: u16,
}

impl Request {
    /// The first value of a query parameter.
    #[must_use]
    pub fn param(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The first value of a header; `name` in any case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The body as JSON; `None` when it is not JSON.
    #[must_use]
    pub fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }

    /// The body's pairs, read as `application/x-www-form-urlencoded`.
    #[must_use]
    pub fn form(&self) -> Vec<(String, String)> {
        decode_form(&String::from_utf8_lossy(&self.body))
    }

    /// The path's segments, empty ones left out.
    pub(crate) fn segments(&self) -> Vec<&str> {
        self.path.split('/').filter(|segment| !segment.is_empty()).collect()
    }

    /// The credential after `scheme` in the `Authorization` header.
    pub(crate) fn credential(&self, scheme: &str) -> Option<&str> {
        let (given, credential) = self.header("authorization")?.split_once(' ')?;
        given.eq_ignore_ascii_case(scheme).then_some(credential)
    }
}

/// An answer to be sent. `Content-Length` and `Date` are added by the server.
#[derive(Debug, Clone)]
pub struct Response {
    /// The status code; an invalid one becomes 500.
    pub status: u16,
    /// Headers in order.
    pub headers: Vec<(String, String)>,
    /// The body's bytes.
    pub body: Bytes,
}

impl Response {
    /// An empty answer with this status.
    #[must_use]
    pub fn status(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Bytes::new() }
    }

    /// A 200 with a JSON body.
    #[must_use]
    pub fn json(body: &Value) -> Self {
        Self::status(200).with_json(body)
    }

    /// The same answer with another status.
    #[must_use]
    pub fn with_status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// The same answer with one header more.
    #[must_use]
    pub fn with_header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// The same answer with this body and no content type of its own.
    #[must_use]
    pub fn with_body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    /// The same answer with a JSON body and its content type.
    #[must_use]
    pub fn with_json(self, body: &Value) -> Self {
        self.with_header("content-type", "application/json").with_body(body.to_string())
    }
}

/// The pairs of a query or a form body.
pub(crate) fn decode_form(text: &str) -> Vec<(String, String)> {
    let pairs = text.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(name), decode(value))
        })
        .collect()
}

fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let mut ahead = rest.clone();
                if let (Some(high), Some(low)) = (hex(ahead.next()), hex(ahead.next())) {
                    bytes.push(high * 16 + low);
                    rest = ahead;
                } else {
                    bytes.push(b'%');
                }
            }
            _ => bytes.push(byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hex(byte: Option<u8>) -> Option<u8> {
    match byte? {
        digit @ b'0'..=b'9' => Some(digit - b'0'),
        digit @ b'a'..=b'f' => Some(digit - b'a' + 10),
        digit @ b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::decode_form;

    #[test]
    fn decodes_queries_as_forms() {
        let pairs = decode_form("created%5Bgte%5D=1&name=Zo%C3%AB+x&flag&bad=%zz%4");
        let expected = [("created[gte]", "1"), ("name", "Zoë x"), ("flag", ""), ("bad", "%zz%4")];
        assert_eq!(pairs, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }
}
