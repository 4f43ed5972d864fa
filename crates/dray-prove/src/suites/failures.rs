//! The ways in which a run ends, for the hunt for secrets: what the API answers, what is wrong with the file, and what is
//! asked of the program.

use dray_sim::{Request, Response};
use serde_json::json;

use crate::credentials::{Credential, repeated};

/// What is unusual, beside the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Moment {
    /// Nothing.
    Api,
    /// The answer is the token endpoint's too.
    Tokens,
    /// The API is slower than the client waits.
    Slow,
    /// Connections are closed.
    Closed,
    /// Nobody listens.
    Nobody,
    /// The base URL is https, the server is not.
    NotTls,
    /// The secrets stand in the file itself.
    Literal,
    /// The secrets end in a line break.
    Newline,
    /// The secrets are not set.
    Unset,
}

/// A way to end.
pub(super) struct Failure {
    pub(super) name: &'static str,
    pub(super) at: Moment,
    /// The API's answer; it knows the secrets.
    pub(super) answer: fn(&Request, &[&'static str]) -> Response,
    /// Replaced in the file: what, and by what.
    edits: &'static [(&'static str, &'static str)],
    /// What is run, one after the other; `SECRET` in an argument is the credential.
    pub(super) commands: &'static [&'static [&'static str]],
    /// How each of them ends.
    pub(super) code: i32,
}

const RUN: &[&[&str]] = &[&["run", "shop.yaml", "--to", "duckdb:out.duckdb", "--report", "report.json"]];

const fn failure(
    name: &'static str,
    code: i32,
    answer: fn(&Request, &[&'static str]) -> Response,
) -> Failure {
    Failure { name, at: Moment::Api, answer, edits: &[], commands: RUN, code }
}

/// All of them.
pub(super) const FAILURES: &[Failure] = &[
    failure("all is well", 0, page),
    Failure {
        commands: &[
            &["run", "shop.yaml", "--to", "duckdb:shop.duckdb", "--report", "-"],
            &["check", "shop.yaml"],
            &["plan", "shop.yaml"],
            &["preview", "shop.yaml", "things"],
            &["schema", "shop.yaml"],
            &["state", "shop.yaml"],
            &["loads", "shop.yaml"],
        ],
        ..failure("every command after a run", 0, page)
    },
    failure("links that repeat the request", 0, links),
    failure("400, repeated", 1, |request, secrets| echo(400, request, secrets)),
    failure("401, repeated", 1, |request, secrets| echo(401, request, secrets)),
    failure("403, repeated", 1, |request, secrets| echo(403, request, secrets)),
    failure("404, repeated", 1, |request, secrets| echo(404, request, secrets)),
    failure("429 for hours, repeated", 1, |request, secrets| {
        echo(429, request, secrets).with_header("retry-after", "9999")
    }),
    failure("500, repeated", 1, |request, secrets| echo(500, request, secrets)),
    failure("a secret at the edge of what is shown", 1, |_, secrets| {
        Response::status(422).with_body(format!("{}{}", "x".repeat(2040), secrets.join(" ")))
    }),
    failure("redirect away, with the secret", 1, |_, secrets| away(secrets, "http://127.0.0.1:9/steal")),
    failure("redirect in circles, with the secret", 1, |_, secrets| away(secrets, "/things")),
    failure("redirect to no URL", 1, |_, secrets| {
        Response::status(302).with_header("location", format!("http://[{}", ascii(secrets)))
    }),
    failure("not JSON, repeated", 1, |request, secrets| echo(200, request, secrets)),
    failure("JSON that ends early", 1, |_, secrets| {
        Response::status(200).with_body(format!("{{\"data\": [{{\"id\": \"{}", secrets.join(" ")))
    }),
    failure("an empty answer", 1, |_, _| Response::status(200)),
    failure("a cursor that stays, with the secret", 1, |request, secrets| {
        let page: usize = request.param("cursor").map_or(0, str::len);
        Response::json(&json!({"data": [{"id": page}], "cursors": {"next": secrets.join(" ")}}))
    }),
    Failure {
        edits: &[("{type: cursor, cursor_param: cursor}", "{type: json_link, next_url_path: cursors.next}")],
        ..failure("a link to another origin, with the secret", 1, |_, secrets| {
            let link = format!("http://127.0.0.1:9/x?k={}", ascii(secrets));
            Response::json(&json!({"data": [{"id": 1}], "cursors": {"next": link}}))
        })
    },
    Failure {
        edits: &[("{type: cursor, cursor_param: cursor}", "{type: json_link, next_url_path: cursors.next}")],
        ..failure("a link that is none, with the secret", 1, |_, secrets| {
            Response::json(
                &json!({"data": [{"id": 1}], "cursors": {"next": format!("http://[{}", ascii(secrets))}}),
            )
        })
    },
    Failure {
        edits: &[("data_selector: data", "data_selector: nothing, data_selector_required: true")],
        ..failure("a selector that matches nothing", 1, |_, secrets| {
            let keys: serde_json::Map<_, _> =
                secrets.iter().map(|secret| ((*secret).to_owned(), json!(1))).collect();
            Response::json(&keys.into())
        })
    },
    Failure {
        edits: &[
            ("path: things", "path: \"things/{resources.parents.uid}\""),
            (
                "resources:\n",
                "resources:\n  - {name: parents, endpoint: {path: parents, data_selector: data, paginator: single_page}}\n",
            ),
        ],
        ..failure("a parent without the field", 1, |_, secrets| {
            let keys: serde_json::Map<_, _> =
                secrets.iter().map(|secret| ((*secret).to_owned(), json!(1))).collect();
            Response::json(&json!({"data": [keys]}))
        })
    },
    Failure {
        edits: &[("data_selector: data", "data_selector: data, incremental: {cursor_path: changed}")],
        ..failure("a record without its cursor", 1, |_, secrets| {
            let keys: serde_json::Map<_, _> =
                secrets.iter().map(|secret| ((*secret).to_owned(), json!(1))).collect();
            Response::json(&json!({"data": [keys]}))
        })
    },
    Failure {
        edits: &[("retry:", "max_body: 20, retry:")],
        ..failure("an answer that is too large", 1, |request, secrets| echo(200, request, secrets))
    },
    Failure {
        at: Moment::Slow,
        edits: &[("retry:", "timeout: {total: 50ms}, retry:")],
        ..failure("an answer that comes too late", 1, page)
    },
    Failure { at: Moment::Closed, ..failure("connections that are closed", 1, page) },
    Failure { at: Moment::Nobody, ..failure("nobody listens", 1, page) },
    Failure { at: Moment::NotTls, ..failure("a server without TLS", 1, page) },
    Failure { at: Moment::Newline, ..failure("a secret that ends in a line break", 2, page) },
    Failure { at: Moment::Unset, ..failure("a secret that is not set", 2, page) },
    Failure {
        at: Moment::Tokens,
        ..failure("400 at the token endpoint", 1, |request, secrets| echo(400, request, secrets))
    },
    Failure {
        at: Moment::Tokens,
        ..failure("an error inside a 200 at the token endpoint", 1, |_, secrets| {
            Response::json(&json!({"error": "invalid_client", "error_description": secrets.join(" ")}))
        })
    },
    Failure {
        at: Moment::Tokens,
        ..failure("no JSON at the token endpoint", 1, |request, secrets| echo(200, request, secrets))
    },
    Failure {
        at: Moment::Tokens,
        ..failure("a redirect of the token endpoint", 1, |_, secrets| {
            away(secrets, "http://127.0.0.1:9/token")
        })
    },
    Failure { at: Moment::Literal, ..failure("secrets in the file", 0, page) },
    Failure {
        at: Moment::Literal,
        ..failure("secrets in the file, refused", 1, |request, secrets| echo(401, request, secrets))
    },
    Failure {
        at: Moment::Literal,
        edits: &[("retry:", "retyr:")],
        ..failure("a misspelt key beside the secret", 2, page)
    },
    Failure {
        at: Moment::Literal,
        edits: &[
            ("token: \"", "tokken: \""),
            ("api_key: \"", "api_kee: \""),
            ("password: \"", "passwort: \""),
            ("client_secret: \"", "klient_secret: \""),
            ("{pass: \"", "{path: {pass: \""),
            ("retry:", "retyr:"),
        ],
        ..failure("a misspelt key of the secret", 2, page)
    },
    Failure {
        at: Moment::Literal,
        edits: &[("type: ", "type: x")],
        ..failure("an unknown kind of auth", 2, page)
    },
    Failure {
        at: Moment::Literal,
        edits: &[("}\nresources", "\nresources")],
        ..failure("a file that stops being YAML at the secret", 2, page)
    },
    Failure {
        edits: &[("name: things", "name: \"SECRET_REFERENCE\"")],
        ..failure("a secret where text is shown", 2, page)
    },
    Failure {
        commands: &[&["run", "shop.yaml", "--to", "duckdb:out.duckdb", "--set", "client.auth.tokken=SECRET"]],
        ..failure("a secret under a wrong key of the command line", 2, page)
    },
    Failure {
        commands: &[&[
            "run",
            "shop.yaml",
            "--to",
            "duckdb:no/such/folder/out.duckdb",
            "--report",
            "report.json",
        ]],
        ..failure("a database that cannot be opened", 1, page)
    },
    Failure {
        commands: &[&["run", "shop.yaml", "--to", "postgres:SECRET@x"]],
        ..failure("a destination that is not known", 2, page)
    },
];

impl Failure {
    /// Whether it can happen with this credential.
    pub(super) fn fits(&self, credential: &Credential) -> bool {
        let unmarked = ["a parameter", "a header of the client"];
        match self.at {
            Moment::Tokens => credential.for_tokens,
            // What nothing marks as a secret, in a file, is none.
            Moment::Literal => {
                let kind = self.name == "an unknown kind of auth";
                let own = !unmarked.contains(&credential.name);
                own && (!kind || credential.client.contains("type: "))
            }
            // A base URL is written in the file.
            Moment::Newline => {
                credential.endpoint.is_empty()
                    && credential.user.is_empty()
                    && credential.client.contains("header")
                    || credential.name == "bearer"
            }
            Moment::Unset => credential.user.is_empty(),
            _ if self.name == "a secret where text is shown" => credential.user.is_empty(),
            _ if self.name == "redirect in circles, with the secret" => {
                credential.endpoint.is_empty() || credential.name == "a parameter"
            }
            _ => true,
        }
    }

    /// The file.
    pub(super) fn config(&self, credential: &Credential, origin: &str, token_url: &str) -> String {
        let mut config = format!(
            "client: {{{}}}\nresources:\n  - {{name: things, endpoint: {{path: things, data_selector: data, \
             paginator: {{type: cursor, cursor_param: cursor}}{}}}}}\n",
            credential.client(origin, token_url),
            credential.endpoint("")
        );
        for (from, to) in self.edits {
            config = config.replacen(from, to, 1);
        }
        for (name, value) in credential.secrets {
            let reference = format!("${{secrets.{}}}", name.to_lowercase());
            config = config.replacen("SECRET_REFERENCE", &reference, 1);
            if self.at == Moment::Literal {
                let quoted = value.replace('\\', "\\\\").replace('"', "\\\"");
                config = config.replace(&reference, &quoted);
            }
        }
        config
    }

    /// An argument of the command line, the credential in its place.
    #[expect(clippy::unused_self, reason = "beside the rest of what a case is made of")]
    pub(super) fn argument(&self, argument: &str, credential: &Credential) -> String {
        argument.replace("SECRET", credential.secrets.first().map_or("", |(_, value)| value))
    }

    /// A secret as it stands in the environment.
    pub(super) fn value(&self, value: &str) -> String {
        if self.at == Moment::Newline { format!("{value}\n") } else { value.to_owned() }
    }
}

/// Two pages, and the end.
fn page(request: &Request, _: &[&'static str]) -> Response {
    let first = request.param("cursor").is_none() && request.method == "GET";
    Response::json(&json!({"data": [{"id": i32::from(first)}], "cursors": {"next": first.then_some("two")}}))
}

/// Two pages, the second of which is asked for by a cursor in the header of answers that repeat the request.
fn links(request: &Request, secrets: &[&'static str]) -> Response {
    page(request, secrets).with_header("x-request", ascii(secrets))
}

/// What the API was asked, and every secret in every encoding.
fn echo(status: u16, request: &Request, secrets: &[&'static str]) -> Response {
    let mut body: String = secrets.iter().map(|secret| repeated(secret)).collect();
    body.push_str(&format!("{} {}?", request.method, request.path));
    for (name, value) in request.query.iter().chain(&request.headers) {
        body.push_str(&format!("{name}={value}\n"));
    }
    body.push_str(&String::from_utf8_lossy(&request.body));
    Response::status(status).with_body(body)
}

fn away(secrets: &[&'static str], to: &str) -> Response {
    Response::status(307).with_header("location", format!("{to}?k={}", ascii(secrets)))
}

/// The secrets as they can stand in a header.
fn ascii(secrets: &[&'static str]) -> String {
    url_encoded(&secrets.join(" "))
}

fn url_encoded(text: &str) -> String {
    let encoded = text.bytes().map(|byte| match byte {
        b'!'..=b'~' if byte != b'%' && byte != b'#' && byte != b'&' && byte != b'+' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    });
    encoded.collect()
}
