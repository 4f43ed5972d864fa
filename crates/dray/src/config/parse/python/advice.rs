//! What can be written in place of Python code, by the key that it stands at.

/// The declarative way for a function, class or computed value at a key path, if there is one.
pub(super) fn advice(path: &str) -> Option<&'static str> {
    let last = path.rsplit('.').next().unwrap_or_default();
    let last = last.split('[').next().unwrap_or_default();
    let within = |key: &str| path.split('.').any(|part| part.split('[').next() == Some(key));
    Some(match last {
        _ if within("processing_steps") => {
            "write a program in jq as text: {\"filter\": \".total > 0\"}, {\"map\": \".name |= ascii_downcase\"}, \
             {\"explode\": \".lines[]\"}; or \"keep\", \"drop\", \"rename\", \"set\""
        }
        "convert" | "transform" => {
            "use `format` instead: `unix`, `unix_milliseconds`, `iso`, `date`, or a pattern such as `%Y-%m-%d`"
        }
        _ if within("response_actions") => {
            "write `{status_code: 404, action: ignore}`; statuses to try again stand in `client.retry.statuses`"
        }
        "session" => {
            "leave it out: `client.headers`, `client.retry`, `client.timeout` and `client.rate_limit` say what a \
             session is used for"
        }
        "paginator" => {
            "write it as a dict with a `type`: page_number, offset, cursor, json_link, header_link, header_cursor \
             or single_page"
        }
        "auth" => {
            "write it as a dict with a `type`: bearer, api_key, http_basic, oauth2_client_credentials or \
             oauth2_refresh_token"
        }
        "table_name" => "a resource fills one table: write its name; views over it can part its rows",
        _ if within("auth") || within("headers") => {
            "give it as a secret, dlt.secrets[\"NAME\"]; `auth` fetches tokens itself by `type: \
             oauth2_client_credentials` or `oauth2_refresh_token`, and encodes `type: http_basic`"
        }
        "resources" if path.ends_with(']') => {
            "write the resource as a dict; a parent that only lists values becomes a list in `params` of its child"
        }
        _ => return None,
    })
}
