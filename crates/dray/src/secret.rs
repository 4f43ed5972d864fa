//! Keeping secrets out of everything that is printed.

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};
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

    /// The text with every known secret replaced, in any of its spellings: as it is, percent-encoded (by any of the
    /// sets that parts of a URL use), form-encoded, as base64 (also inside a longer base64 text, as in basic auth), in
    /// hexadecimal, escaped for JSON, for HTML and as `Debug` does, with its white space squeezed.
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

    /// Whether a text holds a known secret in any of its spellings.
    #[must_use]
    pub fn finds(&self, text: &str) -> bool {
        let spellings = self.spellings.read().unwrap_or_else(PoisonError::into_inner);
        spellings.iter().any(|spelling| memchr::memmem::find(text.as_bytes(), spelling.as_bytes()).is_some())
    }
}

impl fmt::Debug for Scrubber {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Scrubber({MASK})")
    }
}

fn spellings_of(value: &str) -> Vec<String> {
    let mut spellings = vec![
        value.to_owned(),
        value.split_whitespace().collect::<Vec<_>>().join(" "),
        value.trim().to_owned(),
        url::form_urlencoded::byte_serialize(value.as_bytes()).collect(),
        STANDARD.encode(value),
        STANDARD_NO_PAD.encode(value),
        URL_SAFE.encode(value),
        URL_SAFE_NO_PAD.encode(value),
        value.bytes().map(|byte| format!("{byte:02x}")).collect(),
        value.bytes().map(|byte| format!("{byte:02X}")).collect(),
        value.escape_debug().to_string(),
        value.escape_default().to_string(),
    ];
    for set in PERCENT_SETS {
        let encoded = utf8_percent_encode(value, set).to_string();
        spellings.push(lower_escapes(&encoded));
        spellings.push(encoded);
    }
    if let Ok(quoted) = serde_json::to_string(value) {
        // The quotes are the text's, not the secret's, which may end in quotes of its own.
        let quoted = quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(&quoted);
        spellings.push(quoted.replace('/', "\\/"));
        spellings.push(ascii_json(quoted));
        // JSON inside a text of JSON, as a log line holds it.
        spellings.push(quoted.replace('\\', "\\\\").replace('"', "\\\""));
        spellings.push(quoted.to_owned());
    }
    let html = value.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
    spellings.push(html.replace('\'', "&#39;"));
    spellings.push(html.replace('\'', "&#x27;"));
    spellings.push(html);
    for shift in 0..3 {
        spellings.extend(base64_within(value, shift));
    }
    spellings.retain(|spelling| spelling.len() >= SHORTEST_SCRUBBED);
    spellings.sort_unstable();
    spellings.dedup();
    spellings
}

/// What programs leave as it is when they encode a text for a URL: next to nothing (RFC 3986), or what a path, a query
/// or the user part may hold.
const PERCENT_SETS: [&AsciiSet; 4] = [&STRICT, &PATH, &QUERY, &USER];
const STRICT: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
const QUERY: AsciiSet = CONTROLS.add(b' ').add(b'"').add(b'#').add(b'<').add(b'>').add(b'\'');
const PATH: AsciiSet = CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'}');
const USER: AsciiSet =
    PATH.add(b'/').add(b':').add(b';').add(b'=').add(b'@').add(b'[').add(b'\\').add(b']').add(b'|');

/// The same with the digits of `%2F` in lower case, the rest as it is.
fn lower_escapes(encoded: &str) -> String {
    let mut digits = 0;
    let lowered = encoded.chars().map(|letter| {
        if letter == '%' {
            digits = 2;
            return letter;
        }
        let escaped = digits > 0;
        digits = usize::from(digits == 2);
        if escaped { letter.to_ascii_lowercase() } else { letter }
    });
    lowered.collect()
}

/// JSON as encoders write it that keep to ASCII.
fn ascii_json(quoted: &str) -> String {
    let mut units = [0; 2];
    let mut escaped = String::with_capacity(quoted.len());
    for letter in quoted.chars() {
        if letter.is_ascii() {
            escaped.push(letter);
        } else {
            for unit in letter.encode_utf16(&mut units) {
                escaped.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    escaped
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
            "p@ss word\\\"1\\/+",
            "p@ss word\\\\\\\"1/+",
            "p@ss%20word%221/+",
            "p%40ss%20word%221%2F+",
            "p@ss word&quot;1/+",
            "cEBzcyB3b3JkIjEvKw==",
            "7040737320776f726422312f2b",
            "7040737320776F726422312F2B",
        ] {
            assert_eq!(scrubber.scrub(&format!("before {text} after")), "before *** after", "{text}");
        }
    }

    #[test]
    fn odd_letters_have_odd_spellings() {
        let scrubber = Scrubber::new([&Secret::new("-----BEGIN\nkëy\n\u{1f511}\"")]);
        for text in [
            "-----BEGIN\\nkëy\\n\u{1f511}\\\"",
            "-----BEGIN\\nk\\u00eby\\n\\ud83d\\udd11\\\"",
            "-----BEGIN këy \u{1f511}\"",
            "-----BEGIN%0Ak%C3%ABy%0A%F0%9F%94%91%22",
            "-----BEGIN%0ak%c3%aby%0a%f0%9f%94%91%22",
        ] {
            assert_eq!(scrubber.scrub(text), MASK, "{text}");
            assert!(scrubber.finds(text));
        }
        assert!(!scrubber.finds("-----BEGIN"));
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
