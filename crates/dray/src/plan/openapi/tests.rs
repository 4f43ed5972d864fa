use serde_json::json;

use super::*;
use crate::config::load::read_text_as;
use crate::config::parse::Format;
use crate::config::secrets::Sources;
use crate::config::write::yaml;
use crate::plan::prepare;

/// What is written, which must be a configuration without problems.
fn written(description: &Value) -> String {
    let (tree, comments) = configuration(description, None).unwrap();
    let text = yaml(&tree, &comments);
    let loaded = read_text_as("x.yaml".to_owned(), text.clone(), Format::Yaml).unwrap();
    let mut sources = Sources::new(jiff::Timestamp::UNIX_EPOCH);
    sources.placeholders = true;
    let prepared = prepare(loaded, &[], &sources);
    assert!(prepared.plan.is_some(), "{}\n{text}", prepared.diagnostics);
    text
}

/// The shape of the description that every tool has as its example, in version 2.
#[test]
fn the_pet_store() {
    let text = written(&json!({
        "swagger": "2.0",
        "info": {"title": "Pet store", "version": "1"},
        "host": "pets.example.com",
        "basePath": "/v2",
        "schemes": ["http", "https"],
        "securityDefinitions": {"key": {"type": "apiKey", "name": "api_key", "in": "header"}},
        "paths": {
            "/pets": {
                "get": {
                    "summary": "List all pets",
                    "parameters": [{"name": "limit", "in": "query", "type": "integer", "maximum": 100}],
                    "responses": {"200": {
                        "description": "pets", "headers": {"Link": {"type": "string"}},
                        "schema": {"type": "array", "items": {"$ref": "#/definitions/Pet"}}
                    }}
                },
                "post": {"responses": {"201": {"description": "made"}}}
            },
            "/pets/{petId}": {"get": {"responses": {"200": {"description": "pet", "schema": {"$ref": "#/definitions/Pet"}}}}},
            "/pets/{petId}/visits": {"get": {
                "parameters": [{"name": "petId", "in": "path", "required": true, "type": "string"}],
                "responses": {"200": {"description": "visits", "schema": {"type": "array", "items": {"type": "object"}}}}
            }},
            "/pets/findByStatus": {"get": {
                "deprecated": true,
                "responses": {"200": {"description": "pets", "schema": {"type": "array", "items": {"$ref": "#/definitions/Pet"}}}}
            }}
        },
        "definitions": {"Pet": {"type": "object", "required": ["id"], "properties": {
            "id": {"type": "integer"}, "name": {"type": "string"}, "friends": {"type": "array", "items": {"$ref": "#/definitions/Pet"}}
        }}}
    }));
    insta::assert_snapshot!(text, @r#"
    # Written by dray init --openapi from the description of Pet store. Look it through, then: dray run FILE
    # Left out: GET /pets/findByStatus (deprecated).

    client:
      base_url: https://pets.example.com/v2/
      auth: {type: api_key, name: api_key, api_key: "${secrets.api_key}"}

    resources:
      # List all pets
      - name: pets
        primary_key: id
        write_disposition: merge
        endpoint: {path: pets, data_selector: $, paginator: {type: header_link, limit_param: limit, limit: 100}}

      - name: visits
        # No field is described that tells records apart, so each run replaces them all.
        write_disposition: replace
        include_from_parent: [id]
        endpoint: {path: "pets/{resources.pets.id}/visits", data_selector: $}
    "#);
}

#[test]
fn pages_of_every_kind() {
    let answer = |schema: Value| json!({"200": {"description": "x", "content": {"application/json": {"schema": schema}}}});
    let query = |name: &str, schema: Value| json!({"name": name, "in": "query", "schema": schema});
    let record = json!({"$ref": "#/components/schemas/Record"});
    let records = json!({"type": "array", "items": record});
    let object = |properties: Value| json!({"type": "object", "properties": properties});
    let text = written(&json!({
        "openapi": "3.0.3",
        "info": {"title": "Shop", "version": "1"},
        "servers": [{"url": "https://{region}.example.com/v1", "variables": {"region": {"default": "eu"}}}],
        "security": [{"login": []}],
        "paths": {
            "/customers": {"get": {
                "parameters": [{"$ref": "#/components/parameters/Cursor"}, query("page_size", json!({"maximum": 250}))],
                "responses": answer(object(json!({"data": records, "meta": object(json!({"next_cursor": {"type": "string"}}))})))
            }},
            "/customers/{customer_id}/orders": {
                "parameters": [{"name": "customer_id", "in": "path", "required": true, "schema": {"type": "string"}}],
                "get": {
                    "parameters": [query("page", json!({"type": "integer", "minimum": 1})), query("per_page", json!({"default": 20}))],
                    "responses": answer(object(json!({"orders": records, "total_pages": {"type": "integer"}})))
                }
            },
            "/customers/{customer_id}/orders/{id}/items": {"get": {"responses": answer(records.clone())}},
            "/events": {"get": {
                "parameters": [query("offset", json!({})), query("limit", json!({})),
                               {"name": "kind", "in": "query", "required": true, "schema": {"enum": ["all", "new"]}},
                               {"name": "since", "in": "query", "required": true, "schema": {"type": "string"}}],
                "responses": answer(object(json!({"items": records, "total": {"type": "integer"}})))
            }},
            "/orgs/{org}/members": {"get": {"responses": answer(object(json!({"value": records, "@odata.nextLink": {"type": "string"}})))}},
            "/health": {"get": {"responses": answer(object(json!({"ok": {"type": "boolean"}})))}}
        },
        "components": {
            "parameters": {"Cursor": query("cursor", json!({"type": "string"}))},
            "securitySchemes": {"login": {"type": "oauth2", "flows": {"clientCredentials": {"tokenUrl": "https://eu.example.com/token", "scopes": {}}}}},
            "schemas": {"Record": {"allOf": [{"$ref": "#/components/schemas/Base"}, {"type": "object", "properties": {"name": {"type": "string"}}}]},
                        "Base": object(json!({"id": {"type": "string"}, "self": {"$ref": "#/components/schemas/Record"}}))}
        }
    }));
    insta::assert_snapshot!(text, @r#"
    # Written by dray init --openapi from the description of Shop. Look it through, then: dray run FILE
    # Left out: GET /health (its answer is not described as a list); GET
    #   /customers/{customer_id}/orders/{id}/items (it would need 2 parents).

    # The API needs these, and the description gives no value: set them.
    vars:
      org: SET THIS
      since: SET THIS

    client:
      base_url: https://eu.example.com/v1/
      auth:
        type: oauth2_client_credentials
        access_token_url: https://eu.example.com/token
        client_id: "${secrets.client_id}"
        client_secret: "${secrets.client_secret}"

    resources:
      - name: customers
        # The description does not promise it in every record.
        primary_key: id
        write_disposition: merge
        endpoint:
          path: customers
          data_selector: data
          paginator:
            type: cursor
            cursor_path: meta.next_cursor
            cursor_param: cursor
            limit_param: page_size
            limit: 250

      - name: orders
        # The description does not promise it in every record.
        primary_key: id
        write_disposition: merge
        include_from_parent: [id]
        endpoint:
          path: "customers/{resources.customers.id}/orders"
          data_selector: orders
          paginator:
            type: page_number
            page_param: page
            base_page: 1
            total_path: total_pages
            limit_param: per_page
            limit: 20

      - name: events
        # The description does not promise it in every record.
        primary_key: id
        write_disposition: merge
        endpoint:
          path: events
          params: {kind: all, since: "${vars.since}"}
          data_selector: items
          paginator: {type: offset, offset_param: offset, total_path: total, limit_param: limit, limit: 100}

      - name: members
        # The description does not promise it in every record.
        primary_key: id
        write_disposition: merge
        endpoint:
          path: "orgs/{org}/members"
          # `org` is in the path; no list of the description gives it.
          params: {org: "${vars.org}"}
          data_selector: value
          paginator: {type: json_link, next_url_path: "['@odata.nextLink']"}
    "#);
}

#[test]
fn what_is_no_description_says_what_is_needed() {
    let said = |description: Value| configuration(&description, None).unwrap_err().chain();
    insta::assert_snapshot!(said(json!({"paths": {}})), @"this is no OpenAPI description");
    insta::assert_snapshot!(said(json!({"openapi": "3.0.0", "paths": {}})), @"no GET of this description answers with a list of objects");
    // A circle of references, and one that leads nowhere, end.
    let circle = json!({"openapi": "3.0.0", "components": {"a": {"$ref": "#/components/b"}, "b": {"$ref": "#/components/a"}},
        "paths": {"/x": {"get": {"responses": {"200": {"content": {"application/json": {"schema": {"$ref": "#/components/a"}}}}}}},
                  "/y": {"get": {"responses": {"200": {"$ref": "other.yaml#/z"}}}}}});
    insta::assert_snapshot!(said(circle), @"no GET of this description answers with a list of objects");
}

/// A description may come from anybody: what looks like a template in it looks up nothing.
#[test]
fn templates_in_a_description_are_text() {
    let text = written(&json!({
        "openapi": "3.0.0",
        "info": {"title": "${env.HOME}"},
        "servers": [{"url": "https://api.example.com"}],
        "paths": {"/things": {"get": {
            "parameters": [{"name": "f", "in": "query", "required": true, "schema": {"default": "${env.HOME:-none}"}}],
            "responses": {"200": {"content": {"application/json": {"schema": {
                "type": "array", "items": {"type": "object", "properties": {"id": {"type": "string"}}}
            }}}}}
        }}}
    }));
    assert!(text.contains("$${{env.HOME:-none}}"), "{text}");
    assert!(!text.replace("$${", "").contains("${"), "{text}");
}
