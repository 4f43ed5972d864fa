//! Keeping secrets out of everything that is printed.

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use url::Url;

/// What stands in the place of a secret.
pub const MASK: &str = "***";

/// Secrets shorter than this are not searched for: replacing every `a` or `42` of a message would hide
/// the message and, by what is missing, tell the secret.
const SHORTEST_SCRUBBED: usize = 4;

/// Base64 text shorter than this is too likely to appear by chance.
const SHORTEST_BASE64: usize = 8;

/// A text that must not be shown.
///
/// It has no `Display` and no `Serialize`; to use it, its value must be asked for by name.
///
/// ```compile_fail
/// println!("{}", dray::secret::Secret::new("sk_live_123"));
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Arc<str>);

impl Secret {
    /// Hides a text.
    #[must_use]
    pub fn new(text: impl Into<Arc<str>>) -> Self {
        Self(text.into())
    }

    /// The hidden text. Whoever calls this must not print it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Secret({MASK})")
    }
}

/// Removes known secrets from texts that came from outside (bodies, headers, error texts).
///
/// Clones share one set, so that a token obtained during a run is known everywhere at once. Values
/// shorter than four bytes are ignored.
#[derive(Clone, Default)]
pub struct Scrubber {
    /// All spellings of all secrets, longest first, so that a secret that contains another one is
    /// replaced whole.
    spellings: Arc<RwLock<Vec<String>>>,
}

impl Scrubber {
    /// A scrubber that knows these secrets.
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a Secret>) -> Self {
        let scrubber = Self::default();
        for secret in secrets {
            scrubber.add(secret);
        }
        scrubber
    }

    /// Makes one more secret known, to every clone.
    pub fn add(&self, secret: &Secret) {
        let value = secret.expose();
        if value.len() < SHORTEST_SCRUBBED {
            return;
        }
        let mut spellings = self.spellings.write().unwrap_or_else(PoisonError::into_inner);
        for spelling in spellings_of(value) {
            if !spellings.contains(&spelling) {
                spellings.push(spelling);
            }
        }
        spellings.sort_by(|left, right| right.len().cmp(&left.len()).then_with(|| left.cmp(right)));
    }

    /// The text with every known secret replaced, in any of its spellings: as it is, percent-encoded,
    /// form-encoded, as base64 (also inside a longer base64 text, as in basic auth), JSON-escaped.
    #[must_use]
    pub fn scrub<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let spellings = self.spellings.read().unwrap_or_else(PoisonError::into_inner);
        let mut scrubbed = Cow::Borrowed(text);
        for spelling in spellings.iter() {
            if memchr::memmem::find(scrubbed.as_bytes(), spelling.as_bytes()).is_some() {
                scrubbed = Cow::Owned(scrubbed.replace(spelling.as_str(), MASK));
            }
        }
        scrubbed
    }
}

impl fmt::Debug for Scrubber {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Scrubber({MASK})")
    }
}

fn spellings_of(value: &str) -> Vec<String> {
    let percent = percent_encoded(value);
    let mut spellings = vec![
        value.to_owned(),
        percent.to_lowercase(),
        percent,
        url::form_urlencoded::byte_serialize(value.as_bytes()).collect(),
        STANDARD.encode(value),
        STANDARD_NO_PAD.encode(value),
        URL_SAFE.encode(value),
        URL_SAFE_NO_PAD.encode(value),
    ];
    if let Ok(quoted) = serde_json::to_string(value) {
        spellings.push(quoted.trim_start_matches('"').trim_end_matches('"').to_owned());
    }
    for shift in 0..3 {
        spellings.extend(base64_within(value, shift));
    }
    spellings.retain(|spelling| spelling.len() >= SHORTEST_SCRUBBED);
    spellings
}

/// Everything but the unreserved characters of RFC 3986 as `%XX`.
fn percent_encoded(value: &str) -> String {
    let mut encoded = String::with_capacity(value.len());
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

/// The characters that this value contributes to the base64 of any text that holds it after `shift`
/// bytes (modulo 3): those that depend neither on what comes before nor on what comes after.
fn base64_within(value: &str, shift: usize) -> Vec<String> {
    let mut bytes = vec![0; shift];
    bytes.extend_from_slice(value.as_bytes());
    // One byte before decides the first character and part of the second, two bytes also part of the third.
    let first = if shift == 0 { 0 } else { shift + 1 };
    let whole = bytes.len() / 3 * 4;
    [STANDARD_NO_PAD.encode(&bytes), URL_SAFE_NO_PAD.encode(&bytes)]
        .into_iter()
        .filter_map(|encoded| encoded.get(first..whole).map(str::to_owned))
        .filter(|core| core.len() >= SHORTEST_BASE64)
        .collect()
}

/// Whether a parameter, header or key of this name usually carries a secret.
#[must_use]
pub fn is_secret_name(name: &str) -> bool {
    let name: String = name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase();
    const WHOLE: [&str; 5] = ["key", "auth", "sig", "pwd", "pass"];
    const PART: [&str; 12] = [
        "token",
        "secret",
        "password",
        "passwd",
        "passphrase",
        "apikey",
        "accesskey",
        "privatekey",
        "authorization",
        "credential",
        "signature",
        "sessionid",
    ];
    // Addresses of token endpoints, and tokens that only ask for a page.
    const NOT: [&str; 12] = [
        "url",
        "param",
        "type",
        "path",
        "endpoint",
        "expiration",
        "page",
        "next",
        "skip",
        "continu",
        "cursor",
        "sync",
    ];
    let names_a_token = name.contains("token") && !NOT.iter().any(|part| name.contains(part));
    WHOLE.contains(&name.as_str())
        || names_a_token
        || PART.iter().any(|part| *part != "token" && name.contains(part))
}

/// A URL as it may be shown: user, password and the values of parameters whose names look secret are
/// masked.
#[derive(Clone, Copy)]
pub struct SafeUrl<'a>(pub &'a Url);

impl fmt::Display for SafeUrl<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = self.0;
        write!(formatter, "{}:", url.scheme())?;
        if url.has_host() {
            formatter.write_str("//")?;
            if !url.username().is_empty() || url.password().is_some() {
                write!(formatter, "{MASK}@")?;
            }
            formatter.write_str(url.host_str().unwrap_or_default())?;
            if let Some(port) = url.port() {
                write!(formatter, ":{port}")?;
            }
        }
        formatter.write_str(url.path())?;
        if let Some(query) = url.query() {
            write!(formatter, "?{}", masked_pairs(query))?;
        }
        if let Some(fragment) = url.fragment() {
            write!(formatter, "#{}", masked_pairs(fragment))?;
        }
        Ok(())
    }
}

impl fmt::Debug for SafeUrl<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "SafeUrl({self})")
    }
}

fn masked_pairs(pairs: &str) -> String {
    let masked: Vec<Cow<'_, str>> = pairs
        .split('&')
        .map(|pair| {
            let Some((name, _)) = pair.split_once('=') else { return Cow::Borrowed(pair) };
            let decoded = url::form_urlencoded::parse(name.as_bytes()).next();
            let decoded = decoded.map(|(name, _)| name).unwrap_or_default();
            if is_secret_name(&decoded) { Cow::Owned(format!("{name}={MASK}")) } else { Cow::Borrowed(pair) }
        })
        .collect();
    masked.join("&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_hides_the_value() {
        assert_eq!(format!("{:?}", Secret::new("sk_live_123")), "Secret(***)");
        assert_eq!(Secret::new("a"), Secret::new("a"));
        assert_eq!(Secret::new("sk_live_123").expose(), "sk_live_123");
    }

    #[test]
    fn every_spelling_is_scrubbed() {
        let scrubber = Scrubber::new([&Secret::new("p@ss word\"1/+")]);
        for text in [
            "p@ss word\"1/+",
            "p%40ss%20word%221%2F%2B",
            "p%40ss%20word%221%2f%2b",
            "p%40ss+word%221%2F%2B",
            "p@ss word\\\"1/+",
            "cEBzcyB3b3JkIjEvKw==",
        ] {
            assert_eq!(scrubber.scrub(&format!("before {text} after")), "before *** after", "{text}");
        }
    }

    #[test]
    fn a_secret_inside_a_longer_base64_text_is_scrubbed() {
        let scrubber = Scrubber::new([&Secret::new("correct horse battery")]);
        for user in ["", "a", "ab", "abc"] {
            let header = STANDARD.encode(format!("{user}:correct horse battery"));
            let scrubbed = scrubber.scrub(&header).into_owned();
            assert!(scrubbed.contains(MASK), "{user}: {scrubbed}");
            // What is left of the secret is at most the characters that it shares with its neighbours.
            assert!(scrubbed.len() < 16, "{user}: {scrubbed}");
        }
    }

    #[test]
    fn a_secret_that_holds_another_one_is_replaced_whole() {
        let scrubber = Scrubber::new([&Secret::new("abcd"), &Secret::new("abcd1234")]);
        assert_eq!(scrubber.scrub("x abcd1234 y abcd z"), "x *** y *** z");
    }

    #[test]
    fn short_values_are_left_alone_and_clones_share() {
        let scrubber = Scrubber::new([&Secret::new("abc")]);
        assert_eq!(scrubber.scrub("abc"), "abc");
        let clone = scrubber.clone();
        scrubber.add(&Secret::new("later-token"));
        assert_eq!(clone.scrub("got later-token"), "got ***");
        assert_eq!(format!("{clone:?}"), "Scrubber(***)");
    }

    #[test]
    fn urls_are_shown_without_their_secrets() {
        for (url, shown) in [
            ("https://user:pw@host:8443/a/b?x=1", "https://***@host:8443/a/b?x=1"),
            (
                "https://h/?api_key=1&limit=2&access_token=3",
                "https://h/?api_key=***&limit=2&access_token=***",
            ),
            ("https://h/?api%5Fkey=1&page=2", "https://h/?api%5Fkey=***&page=2"),
            ("https://h/#access_token=3", "https://h/#access_token=***"),
            ("https://h/?X-Amz-Signature=3&page_size=5", "https://h/?X-Amz-Signature=***&page_size=5"),
            ("https://h/p", "https://h/p"),
        ] {
            assert_eq!(SafeUrl(&Url::parse(url).unwrap()).to_string(), shown);
        }
    }

    #[test]
    fn names_that_look_secret() {
        for name in
            ["token", "API_KEY", "x-api-key", "Authorization", "client_secret", "refresh_token", "key"]
        {
            assert!(is_secret_name(name), "{name}");
        }
        for name in [
            "primary_key",
            "merge_key",
            "limit",
            "token_url",
            "access_token_url",
            "page",
            "keyword",
            "next_page_token",
            "$skiptoken",
        ] {
            assert!(!is_secret_name(name), "{name}");
        }
    }
}
