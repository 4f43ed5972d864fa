//! `--auth` and `--header`: how the API is asked, in words that hold no secret.

use dray::config::diagnostics::Diagnostics;
use dray::config::node::Node;
use dray::config::parse::{Format, parse};
use dray::error::{Error, ErrorKind, Result};
use dray::plan::propose::{map, text};

const HINT: &str = "write bearer:env:NAME, basic:env:USER:env:PASSWORD, api_key:HEADER:env:NAME, api_key:query:PARAMETER:env:NAME \
                    (secret: in the place of env: looks into .dray/secrets.toml too), or the mapping itself: \
                    --auth '{type: bearer, token: \"${env.NAME}\"}'";

/// The `auth` of a configuration from what stands behind `--auth`.
pub(super) fn auth(written: &str) -> Result<Node> {
    let refused = || Error::new(ErrorKind::Config, "--auth is not understood").hint(HINT);
    if written.trim_start().starts_with('{') {
        let mut diagnostics = Diagnostics::new();
        // Another reading of the text is not wanted: what is wrong with its keys is said of the whole configuration.
        return parse(written, Format::Yaml, &mut diagnostics).ok_or_else(refused);
    }
    let (kind, rest) = written.split_once(':').ok_or_else(refused)?;
    let parts: Vec<&str> = rest.split(':').collect();
    let entries = match (kind, parts.as_slice()) {
        ("bearer", [place, name]) => vec![("token", looked_up(place, name).ok_or_else(refused)?)],
        ("basic" | "http_basic", [user_place, user, place, name]) => vec![
            ("username", looked_up(user_place, user).ok_or_else(refused)?),
            ("password", looked_up(place, name).ok_or_else(refused)?),
        ],
        ("api_key", ["query", parameter, place, name]) => vec![
            ("name", text(parameter)),
            ("location", text("query")),
            ("api_key", looked_up(place, name).ok_or_else(refused)?),
        ],
        ("api_key", [header, place, name]) => {
            vec![("name", text(header)), ("api_key", looked_up(place, name).ok_or_else(refused)?)]
        }
        _ => return Err(refused()),
    };
    let kind = if kind == "basic" { "http_basic" } else { kind };
    let mut all = vec![("type", text(kind))];
    all.extend(entries);
    Ok(map(all))
}

fn looked_up(place: &str, name: &str) -> Option<Node> {
    let kind = match place {
        "env" => "env",
        "secret" | "secrets" => "secrets",
        _ => return None,
    };
    Some(text(&format!("${{{kind}.{name}}}")))
}

/// `NAME=VALUE` or `NAME: VALUE`.
pub(super) fn header(written: &str) -> Result<(String, Node)> {
    let found = written.split_once(['=', ':']).filter(|(name, _)| !name.trim().is_empty());
    let (name, value) = found.ok_or_else(|| {
        Error::new(ErrorKind::Config, "--header is not understood")
            .hint("write --header 'Accept=application/json'")
    })?;
    Ok((name.trim().to_owned(), text(value.trim())))
}

#[cfg(test)]
mod tests {
    use dray::config::write::{Comments, yaml};

    use super::*;

    fn written(text: &str) -> String {
        auth(text).map_or_else(
            |_| "refused".to_owned(),
            |node| yaml(&node, &Comments::default()).replace('\n', " "),
        )
    }

    #[test]
    fn references_become_look_ups() {
        assert_eq!(written("bearer:env:TOKEN"), "type: bearer  token: \"${env.TOKEN}\" ");
        assert_eq!(
            written("basic:env:USER:secret:password"),
            "type: http_basic  username: \"${env.USER}\"  password: \"${secrets.password}\" "
        );
        assert_eq!(written("api_key:X-Key:env:K"), "type: api_key  name: X-Key  api_key: \"${env.K}\" ");
        assert_eq!(
            written("api_key:query:key:env:K"),
            "type: api_key  name: key  location: query  api_key: \"${env.K}\" "
        );
        for wrong in ["bearer", "bearer:sk_live_1", "bearer:file:x", "oauth2:env:X", "{type: "] {
            assert_eq!(written(wrong), "refused", "{wrong}");
        }
    }
}
