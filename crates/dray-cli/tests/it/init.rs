//! `dray init`: what it writes loads the list without an edit, and holds no secret.

use dray_sim::{Api, Options, Response, Sim};
use serde_json::{Value, json};

use crate::support::{Bench, text};

/// Writes a configuration from a list of a simulated API, runs it as it is, and compares what is in the table.
fn loads(api: Api, path: &str, resource: &str, auth: Option<&str>) -> String {
    let bench = Bench::new(Sim::start(Options { api, size: 230, ..Options::default() }).unwrap());
    let written = written(&bench, path, auth);
    let field = written.lines().find_map(|line| line.trim().strip_prefix("primary_key: ")).unwrap();
    assert_eq!(loaded(&bench, resource, field), bench.expected(resource, field), "{written}");
    written
}

fn written(bench: &Bench, path: &str, auth: Option<&str>) -> String {
    let url = format!("{}{path}", bench.sim.base_url());
    let auth = auth.map(|auth| auth.replace("TOKEN_URL", bench.sim.token_url()));
    let mut arguments = vec!["init", &url, "-o", "api.yaml"];
    if let Some(auth) = &auth {
        arguments.extend(["--auth", auth]);
    }
    let output = bench.dray(&arguments);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{said}");
    let written = std::fs::read_to_string(bench.path("api.yaml")).unwrap();
    for (name, secret) in bench.sim.secrets() {
        assert!(!written.contains(&secret) && !said.contains(&secret), "{name}");
    }
    written
}

/// Runs what was written, and gives the sorted values of a field.
fn loaded(bench: &Bench, table: &str, field: &str) -> Vec<String> {
    let output = bench.dray(&["run", "api.yaml", "--to", "duckdb:out.duckdb", "--pipeline", "test"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let mut found = bench.column(&format!("SELECT CAST(\"{field}\" AS VARCHAR) FROM test_dataset.{table}"));
    found.sort();
    found
}

#[test]
fn stripe() {
    let written = loads(Api::Stripe, "charges", "charges", Some("bearer:env:API_KEY"));
    for key in ["cursor_field: id", "cursor_param: starting_after", "has_more_path: has_more", "limit: 100"] {
        assert!(written.contains(key), "{written}");
    }
    assert!(written.contains("format: unix"), "{written}");
}

#[test]
fn orb() {
    let written = loads(Api::Orb, "customers", "customers", Some("bearer:secret:api_key"));
    assert!(written.contains("cursor_path: pagination_metadata.next_cursor"), "{written}");
}

#[test]
fn zoho() {
    let auth = "{type: oauth2_refresh_token, access_token_url: 'TOKEN_URL', client_id: '${secrets.client_id}', \
                client_secret: '${secrets.client_secret}', refresh_token: '${secrets.refresh_token}', scheme: Zoho-oauthtoken}";
    let written = loads(Api::Zoho, "products", "products", Some(auth));
    assert!(written.contains("has_more_path: page_context.has_more_page"), "{written}");
    assert!(written.contains("primary_key: product_id"), "{written}");
}

#[test]
fn fastbill() {
    let written = loads(Api::FastBill, "v1/products", "products", Some("api_key:query:api_key:env:API_KEY"));
    assert!(written.contains("type: offset"), "{written}");
}

/// An API of 57 records whose pages are made by a function of the first record and the number of them.
fn scripted(page: impl Fn(&dray_sim::Request, usize, &[Value]) -> Response + Send + Sync + 'static) -> Bench {
    let records: Vec<Value> =
        (0..57).map(|id| json!({"id": id, "updated_at": "2024-01-01T00:00:00Z"})).collect();
    let api = Api::custom(move |request| page(request, number(request, "limit", 10), &records));
    Bench::new(Sim::start(Options { api, ..Options::default() }).unwrap())
}

fn number(request: &dray_sim::Request, name: &str, default: usize) -> usize {
    request.param(name).and_then(|text| text.parse().ok()).unwrap_or(default)
}

fn all() -> Vec<String> {
    let mut all: Vec<String> = (0..57).map(|id| text(&json!(id))).collect();
    all.sort();
    all
}

#[test]
fn links_in_a_header() {
    let bench = scripted(|request, limit, records| {
        let from = number(request, "from", 0);
        let page: Vec<&Value> = records.iter().skip(from).take(limit).collect();
        let next = from + limit;
        let answer = Response::json(&json!(page));
        if next >= records.len() {
            return answer;
        }
        answer.with_header("Link", format!("</orders?from={next}&limit={limit}>; rel=\"next\""))
    });
    let written = written(&bench, "orders", None);
    assert!(written.contains("type: header_link"), "{written}");
    assert!(written.contains("data_selector: $"), "{written}");
    assert_eq!(loaded(&bench, "orders", "id"), all());
}

#[test]
fn pages_without_a_word_about_them() {
    let bench = scripted(|request, _, records| {
        let page = number(request, "page", 1);
        let size = number(request, "per_page", 20);
        Response::json(
            &json!({"orders": records.iter().skip((page - 1) * size).take(size).collect::<Vec<_>>()}),
        )
    });
    let written = written(&bench, "orders", None);
    assert!(written.contains("type: page_number"), "{written}");
    assert_eq!(loaded(&bench, "orders", "id"), all());
}

#[test]
fn one_page_is_one_page() {
    let bench = scripted(|_, _, records| Response::json(&json!(records)));
    let written = written(&bench, "orders", None);
    assert!(written.contains("paginator: single_page"), "{written}");
    assert_eq!(loaded(&bench, "orders", "id"), all());
}

#[test]
fn a_secret_on_the_command_line_does_not_get_into_the_file() {
    let bench = scripted(|request, _, records| match request.header("x-key") {
        Some("k-1234-5678") => Response::json(&json!(records)),
        _ => Response::status(401),
    });
    let url = format!("{}orders", bench.sim.base_url());
    let output = bench.dray(&["init", &url, "--header", "X-Key=k-1234-5678"]);
    let (out, said) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(out.contains("X-Key: \"${secrets.x_key}\""), "{out}");
    assert!(!out.contains("k-1234") && !said.contains("k-1234"), "{out}{said}");
}

#[test]
fn what_cannot_be_asked_says_what_to_do() {
    let bench = scripted(|request, _, _| match request.path.as_str() {
        "/html" => Response::status(200).with_header("Content-Type", "text/html").with_body("<html>"),
        _ => Response::status(401),
    });
    let said = |arguments: &[&str]| {
        let output = bench.dray(arguments);
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let base = bench.sim.base_url();
    let (code, text) = said(&["init", &format!("{base}orders")]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("the API refuses") && text.contains("--auth"), "{text}");
    let (_, text) = said(&["init", &format!("{base}html")]);
    assert!(text.contains("the answer is not JSON"), "{text}");
    let (code, text) = said(&["init", "orders"]);
    assert_eq!(code, Some(2), "{text}");
    assert!(text.contains("the address of a list is needed"), "{text}");
    let (code, text) = said(&["init", &format!("{base}orders"), "--auth", "bearer:sk_live_1234"]);
    assert_eq!(code, Some(2), "{text}");
    assert!(text.contains("bearer:env:NAME") && !text.contains("sk_live"), "{text}");
    let (code, text) = said(&["init", &format!("{base}orders"), "--auth", "bearer:env:NO_SUCH_TOKEN"]);
    assert_eq!(code, Some(2), "{text}");
    assert!(text.contains("`NO_SUCH_TOKEN` is not set"), "{text}");
}

/// A description whose lists a scripted API has: three customers with two orders each, by pages of two.
const DESCRIPTION: &str = r##"
openapi: 3.0.3
info: {title: Shop, version: "1"}
servers: [{url: /v1}]
security: [{login: []}]
paths:
  /customers:
    get:
      parameters:
        - {name: cursor, in: query, schema: {type: string}}
        - {name: limit, in: query, schema: {type: integer, maximum: 2}}
      responses: {"200": {description: x, content: {application/json: {schema: {$ref: "#/components/schemas/Customers"}}}}}
  /customers/{customerId}/orders:
    get:
      parameters: [{name: page, in: query, schema: {type: integer, minimum: 1}}]
      responses:
        "200":
          description: x
          content:
            application/json:
              schema:
                type: object
                properties:
                  orders: {type: array, items: {type: object, required: [id], properties: {id: {type: integer}}}}
                  total_pages: {type: integer}
components:
  securitySchemes: {login: {type: http, scheme: bearer}}
  schemas:
    Customers:
      type: object
      properties:
        data: {type: array, items: {type: object, required: [id], properties: {id: {type: integer}}}}
        next_cursor: {type: string, nullable: true}
"##;

fn shop(request: &dray_sim::Request) -> Response {
    let segments: Vec<&str> = request.path.split('/').filter(|part| !part.is_empty()).collect();
    if segments == ["openapi.yaml"] {
        return Response::status(200).with_header("Content-Type", "application/yaml").with_body(DESCRIPTION);
    }
    if request.header("authorization") != Some("Bearer tok-1234") {
        return Response::status(401);
    }
    match segments.as_slice() {
        ["v1", "customers"] => match request.param("cursor") {
            None => Response::json(&json!({"data": [{"id": 1}, {"id": 2}], "next_cursor": "c"})),
            Some(_) => Response::json(&json!({"data": [{"id": 3}], "next_cursor": null})),
        },
        ["v1", "customers", id, "orders"] => {
            let id = id.parse::<usize>().unwrap() * 10 + number(request, "page", 1);
            Response::json(&json!({"orders": [{"id": id}], "total_pages": 2}))
        }
        _ => Response::status(404),
    }
}

#[test]
fn a_description_becomes_all_its_lists() {
    let bench = Bench::new(Sim::start(Options { api: Api::custom(shop), ..Options::default() }).unwrap());
    let url = format!("{}/openapi.yaml", bench.sim.origin());
    let output = bench.dray(&["init", "--openapi", &url, "-o", "api.yaml"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    std::fs::create_dir(bench.path(".dray")).unwrap();
    bench.write(".dray/secrets.toml", "token = 'tok-1234'\n");
    assert_eq!(loaded(&bench, "customers", "id"), ["1", "2", "3"]);
    assert_eq!(
        bench.column("SELECT id FROM test_dataset.orders ORDER BY id"),
        ["11", "12", "21", "22", "31", "32"]
    );
    assert_eq!(
        bench.column("SELECT DISTINCT _customers_id FROM test_dataset.orders ORDER BY 1"),
        ["1", "2", "3"]
    );

    // The same from a file; where the API is has to be said then.
    bench.write("shop.yaml", DESCRIPTION);
    let output = bench.dray(&["init", "--openapi", "shop.yaml"]);
    let written = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(written.contains("# The description does not say where the API is: set this."), "{written}");

    bench.write("broken.yaml", "a: [\n");
    let output = bench.dray(&["init", "--openapi", "broken.yaml"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("the description is neither JSON nor YAML"), "{said}");
}
