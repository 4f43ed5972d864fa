//! Every way to give an API a credential, each with a value that is found again in any encoding.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dray_sim::{Request, Response};
use serde_json::json;

/// One way to authenticate.
#[derive(Clone, Copy, Debug)]
pub struct Credential {
    /// A few words.
    pub name: &'static str,
    /// Keys of `client`; `TOKEN_URL` is the token endpoint, `USER` what stands before the host of the base URL.
    pub client: &'static str,
    /// Keys of `endpoint`.
    pub endpoint: &'static str,
    /// What stands before the host of `base_url`.
    pub user: &'static str,
    /// What it is made of: names in the environment and values.
    pub secrets: &'static [(&'static str, &'static str)],
    /// Which of them only the token endpoint may get.
    pub for_tokens: bool,
}

/// What the token endpoint of [`token_answer`] gives.
pub const ACCESS_TOKEN: &str = "Kan4ri-acc3ss+t0ken/5=";
/// The refresh token that replaces the first one.
pub const ROTATED_TOKEN: &str = "Kan4ri-r0tated+t0ken/6=";
/// The user of basic auth.
pub const USER: &str = "proof";

const OAUTH2: &str =
    "access_token_url: \"TOKEN_URL\", client_id: proof-client, client_secret: \"${secrets.client_secret}\"";

/// All of them.
pub const ALL: &[Credential] = &[
    credential(
        "bearer",
        "auth: {type: bearer, token: \"${secrets.bearer_token}\"}",
        &[("BEARER_TOKEN", "Kan4ri-b3arer+\"/7=&%q~")],
    ),
    credential(
        "api_key in a header",
        "auth: {type: api_key, name: X-Own-Key, api_key: \"${secrets.header_key}\"}",
        &[("HEADER_KEY", "Kan4ri-h3ader\\/8=&%q~<x>")],
    ),
    credential(
        "api_key in the query",
        "auth: {type: api_key, name: hapi, api_key: \"${secrets.query_key}\", location: query}",
        &[("QUERY_KEY", "Kan4ri query+\"/9=&%é#~")],
    ),
    credential(
        "api_key in a cookie",
        "auth: {type: api_key, name: session, api_key: \"${secrets.cookie_key}\", location: cookie}",
        &[("COOKIE_KEY", "Kan4ri-c00kie+/1=&%q~")],
    ),
    credential(
        "http_basic",
        "auth: {type: http_basic, username: proof, password: \"${secrets.basic_password}\"}",
        &[("BASIC_PASSWORD", "Kan4ri b4sic+\"/2=&%é~")],
    ),
    Credential {
        for_tokens: true,
        ..credential(
            "oauth2 with client credentials",
            "auth: {type: oauth2_client_credentials, OAUTH2}",
            &[("CLIENT_SECRET", "Kan4ri cl1ent+\"/3=&%é~")],
        )
    },
    Credential {
        for_tokens: true,
        ..credential(
            "oauth2 with a refresh token",
            "auth: {type: oauth2_refresh_token, refresh_token: \"${secrets.refresh_token}\", OAUTH2}",
            &[("CLIENT_SECRET", "Kan4ri cl1ent+\"/3=&%é~"), ("REFRESH_TOKEN", "Kan4ri-r3fresh+\"/4=&%é~")],
        )
    },
    Credential {
        for_tokens: true,
        ..credential(
            "a login",
            "auth: {type: login, url: \"TOKEN_URL\", json: {user: {pass: \"${secrets.login_pass}\"}}, \
             token_path: access_token, name: X-Session}",
            &[("LOGIN_PASS", "Kan4ri l0gin+\"/14=&%é~")],
        )
    },
    Credential {
        for_tokens: true,
        ..credential(
            "oauth2 with a password, in JSON, and basic auth",
            "auth: {type: oauth2_password, username: proof, password: \"${secrets.user_pass}\", \
             token_request: {auth: basic, body: json}, OAUTH2}",
            &[("CLIENT_SECRET", "Kan4ri cl1ent+\"/3=&%é~"), ("USER_PASS", "Kan4ri us3r+\"/15=&%é~")],
        )
    },
    credential(
        "the second of a list",
        "auth: [{type: api_key, name: X-Id, api_key: proof}, \
         {type: api_key, name: X-Second, api_key: \"${trim(secrets.second_key)}\"}]",
        &[("SECOND_KEY", "Kan4ri-s3cond+/16=&%q~")],
    ),
    credential(
        "a header of the client",
        "headers: {X-Shop: \"${secrets.shop_pass}\"}",
        &[("SHOP_PASS", "Kan4ri-sh0p+\"/10=&%q~")],
    ),
    Credential {
        endpoint: "method: POST, json: {shop: {pass: \"${secrets.body_pass}\"}}",
        ..credential("a body", "", &[("BODY_PASS", "Kan4ri b0dy+\"/11=&%é~")])
    },
    Credential {
        endpoint: "params: {appid: \"${secrets.app_id}\"}",
        ..credential("a parameter", "", &[("APP_ID", "Kan4ri param+\"/12=&%é~")])
    },
    Credential {
        // The value below, as it is written in a URL.
        user: "proof:Kan4ri%2Durl%2B%2F13%3D%26%25q@",
        ..credential("user and password in the base URL", "", &[("URL_PASSWORD", "Kan4ri-url+/13=&%q")])
    },
];

const fn credential(
    name: &'static str,
    client: &'static str,
    secrets: &'static [(&'static str, &'static str)],
) -> Credential {
    Credential { name, client, endpoint: "", user: "", secrets, for_tokens: false }
}

impl Credential {
    /// The keys of `client`, the base URL included.
    #[must_use]
    pub fn client(&self, origin: &str, token_url: &str) -> String {
        let base = origin.replace("://", &format!("://{}", self.user));
        let auth = self.client.replace("OAUTH2", OAUTH2).replace("TOKEN_URL", token_url);
        let own = if auth.is_empty() { String::new() } else { format!(", {auth}") };
        format!("base_url: \"{base}/\", retry: {{max_retries: 1, backoff_factor: 0.01}}{own}")
    }

    /// The keys of `endpoint` after its path.
    #[must_use]
    pub fn endpoint(&self, more: &str) -> String {
        [self.endpoint, more].iter().filter(|keys| !keys.is_empty()).map(|keys| format!(", {keys}")).collect()
    }

    /// What it is made of.
    #[must_use]
    pub fn configured(&self) -> Vec<&'static str> {
        self.secrets.iter().map(|(_, value)| *value).collect()
    }

    /// Everything that must not be told, what the API gives included.
    #[must_use]
    pub fn all(&self) -> Vec<&'static str> {
        let mut all = self.configured();
        if self.for_tokens {
            all.extend([ACCESS_TOKEN, ROTATED_TOKEN]);
        }
        all
    }

    /// What the API itself gets, with every request.
    #[must_use]
    pub fn sent(&self) -> &'static str {
        if self.for_tokens { ACCESS_TOKEN } else { self.secrets.first().map_or("", |(_, value)| value) }
    }
}

/// A token endpoint's answer: the token, and a new refresh token.
#[must_use]
pub fn token_answer(_: &Request) -> Response {
    Response::json(&json!({"access_token": ACCESS_TOKEN, "refresh_token": ROTATED_TOKEN, "expires_in": 3600}))
}

/// The encodings of a secret in which it is searched for: name and text.
#[must_use]
pub fn encodings(secret: &str) -> Vec<(&'static str, String)> {
    let percent = |keep: &str, hex: fn(u8) -> String| -> String {
        let encoded = secret.bytes().map(|byte| {
            let plain = byte.is_ascii_alphanumeric() || keep.as_bytes().contains(&byte);
            if plain { char::from(byte).to_string() } else { hex(byte) }
        });
        encoded.collect()
    };
    let json = serde_json::Value::from(secret).to_string();
    let json = json.trim_matches('"').trim_end_matches('\\').to_owned();
    let mut all = vec![
        ("raw", secret.to_owned()),
        ("percent", percent("-._~", |byte| format!("%{byte:02X}"))),
        ("percent in lower case", percent("-._~", |byte| format!("%{byte:02x}"))),
        ("form", percent("-._*", |byte| if byte == b' ' { "+".to_owned() } else { format!("%{byte:02X}") })),
        ("base64", STANDARD.encode(secret).trim_end_matches('=').to_owned()),
        (
            "base64 of user and secret",
            STANDARD.encode(format!("{USER}:{secret}")).trim_end_matches('=').to_owned(),
        ),
        ("JSON", json),
        ("hex", secret.bytes().map(|byte| format!("{byte:02x}")).collect()),
        ("hex in upper case", secret.bytes().map(|byte| format!("{byte:02X}")).collect()),
    ];
    // The middle of a secret inside a longer base64 text, whatever stands before it.
    for (name, before) in [("base64 after one byte", 1), ("base64 after two bytes", 2)] {
        let encoded = STANDARD.encode(format!("{}{secret}", "x".repeat(before)));
        let end = encoded.len().saturating_sub(4);
        all.push((name, encoded.get(4..end).unwrap_or_default().to_owned()));
    }
    all
}

/// A secret as programs repeat it: in every encoding, also after other text.
#[must_use]
pub fn repeated(secret: &str) -> String {
    let mut text = String::new();
    for (name, spelling) in
        encodings(secret).into_iter().filter(|(name, _)| !name.starts_with("base64 after"))
    {
        text.push_str(&format!("{name}: {spelling}\n"));
    }
    for before in ["x", "xx", "Basic x:"] {
        text.push_str(&format!("base64: {}\n", STANDARD.encode(format!("{before}{secret} and more"))));
    }
    text
}

/// In which encoding a secret is in these bytes, if it is.
#[must_use]
pub fn found(bytes: &[u8], secret: &str) -> Option<&'static str> {
    let holds = |text: &str| memchr::memmem::find(bytes, text.as_bytes()).is_some();
    encodings(secret).into_iter().find(|(_, text)| !text.is_empty() && holds(text)).map(|(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_repeated_is_found_in_every_encoding() {
        for secret in ALL.iter().flat_map(Credential::all) {
            assert_eq!(found(secret.as_bytes(), secret), Some("raw"));
            let text = repeated(secret);
            for line in text.lines() {
                let (name, spelling) = line.split_once(": ").unwrap();
                assert!(found(spelling.as_bytes(), secret).is_some(), "{name}: {spelling}");
            }
            for (name, spelling) in encodings(secret) {
                assert!(text.contains(&spelling), "{name} is not repeated");
            }
            assert_eq!(found(b"Kan4ri, and nothing else", secret), None);
        }
    }
}
