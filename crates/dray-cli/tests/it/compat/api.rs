//! The scripted API of a case, with a ledger of what it was asked; the twin of `compat/api.py`.

use std::sync::{Arc, Mutex};

use dray_sim::{Api, Options, Request, Response, Sim};
use serde_json::{Map, Value, json};

/// A chain that asks for more than any case has is taken for endless, and refused from there on.
const ENDLESS: usize = 60;

/// Headers that are written down, beside those that begin with `x-`.
const KEPT: [&str; 3] = ["authorization", "cookie", "content-type"];

/// Two servers that answer by the rules of a case; the second one's origin is `$OTHER` in it.
pub(super) struct ScriptedApi {
    servers: [Sim; 2],
    script: Arc<Mutex<Script>>,
}

struct Script {
    rules: Vec<Value>,
    run: u64,
    ledger: Vec<Value>,
    origins: [String; 2],
}

impl ScriptedApi {
    pub(super) fn start(rules: Vec<Value>) -> Self {
        let script = Script { rules, run: 1, ledger: Vec::new(), origins: Default::default() };
        let script = Arc::new(Mutex::new(script));
        let servers = [0, 1].map(|server| {
            let script = Arc::clone(&script);
            let answer = move |request: &Request| script.lock().unwrap().answer(request, server);
            Sim::start(Options { api: Api::custom(answer), ..Options::default() }).unwrap()
        });
        script.lock().unwrap().origins = [0, 1].map(|server: usize| servers[server].origin().to_owned());
        Self { servers, script }
    }

    /// What follows belongs to this run.
    pub(super) fn begin(&self, run: u64) {
        let mut script = self.script.lock().unwrap();
        script.run = run;
        script.ledger.clear();
    }

    /// The requests of the run.
    pub(super) fn requests(&self) -> Vec<Value> {
        for server in &self.servers {
            assert_eq!(server.connection_errors(), [""; 0]);
        }
        self.script.lock().unwrap().ledger.clone()
    }

    /// Data of the case, with the origins as they are now.
    pub(super) fn placed_json(&self, value: &Value) -> Value {
        serde_json::from_str(&self.script.lock().unwrap().placed(&value.to_string())).unwrap()
    }

    /// The opposite.
    pub(super) fn unplaced_json(&self, value: &Value) -> Value {
        serde_json::from_str(&self.script.lock().unwrap().unplaced(&value.to_string())).unwrap()
    }
}

impl Script {
    fn placed(&self, text: &str) -> String {
        text.replace("$ORIGIN", &self.origins[0]).replace("$OTHER", &self.origins[1])
    }

    fn unplaced(&self, text: &str) -> String {
        text.replace(&self.origins[0], "$ORIGIN").replace(&self.origins[1], "$OTHER")
    }

    fn answer(&mut self, request: &Request, server: usize) -> Response {
        let entry = self.entry(request, server);
        self.ledger.push(entry);
        if self.ledger.len() > ENDLESS {
            return Response::status(400).with_body("this does not end");
        }
        let Some(rule) = self.rules.iter().find(|rule| holds(rule, request, self.run)) else {
            return Response::json(&json!({"error": "no rule of this case is about that"})).with_status(404);
        };
        let words = rule.get("list").map(|list| words(list, rule, request)).unwrap_or_default();
        let reply = &rule["reply"];
        let body = match &reply["text"] {
            Value::String(text) => text.clone(),
            _ => filled(&reply["json"], &words).to_string(),
        };
        let status = reply["status"].as_u64().and_then(|status| u16::try_from(status).ok()).unwrap_or(200);
        let mut response = Response::status(status).with_body(self.placed(&body));
        for (name, value) in reply["headers"].as_object().into_iter().flatten() {
            if let Some(value) = text(&filled(value, &words)) {
                response = response.with_header(name, self.placed(&value));
            }
        }
        if response.headers.iter().any(|(name, _)| name == "content-type") {
            response
        } else {
            response.with_header("content-type", "application/json")
        }
    }

    /// A line of the ledger: a text, and more only where there is more.
    fn entry(&self, request: &Request, server: usize) -> Value {
        let mut query: Vec<String> = request
            .query
            .iter()
            .map(|(name, value)| format!("{}={}", spelled(name), spelled(value)))
            .collect();
        query.sort();
        let origin = if server == 0 { "" } else { "$OTHER" };
        let mark = if query.is_empty() { "" } else { "?" };
        let line = format!("{} {origin}{}{mark}{}", request.method, request.path, query.join("&"));
        let line = self.unplaced(&line);
        let mut more = Map::new();
        let mut headers: Vec<&(String, String)> = request
            .headers
            .iter()
            .filter(|(name, _)| KEPT.contains(&name.as_str()) || name.starts_with("x-"))
            .collect();
        headers.sort();
        if !headers.is_empty() {
            let headers =
                headers.into_iter().map(|(name, value)| (name.clone(), self.unplaced(value).into()));
            more.insert("headers".to_owned(), Value::Object(headers.collect()));
        }
        if is_form(request) {
            let mut form: Vec<_> = request
                .form()
                .into_iter()
                .map(|(name, value)| json!([name, self.unplaced(&value)]))
                .collect();
            form.sort_by_key(Value::to_string);
            more.insert("form".to_owned(), Value::Array(form));
        } else if let Some(body) = request.json() {
            let body = self.unplaced(&body.to_string());
            more.insert("json".to_owned(), serde_json::from_str(&body).unwrap());
        } else if !request.body.is_empty() {
            let body = String::from_utf8_lossy(&request.body);
            more.insert("text".to_owned(), self.unplaced(&body).into());
        }
        if more.is_empty() {
            return line.into();
        }
        more.insert("request".to_owned(), line.into());
        Value::Object(more)
    }
}

fn is_form(request: &Request) -> bool {
    request.header("content-type").is_some_and(|kind| kind.contains("form")) && !request.body.is_empty()
}

/// Query text in one spelling: as it is meant, but for what would change its sense.
fn spelled(text: &str) -> String {
    let mut made = String::new();
    for letter in text.chars() {
        if "%&=+# ".contains(letter) {
            made.push_str(&format!("%{:02X}", u32::from(letter)));
        } else {
            made.push(letter);
        }
    }
    made
}

/// Whether a rule is about this request.
fn holds(rule: &Value, request: &Request, run: u64) -> bool {
    let when = &rule["when"];
    let body = request.json().unwrap_or_default();
    let form = if is_form(request) { request.form() } else { Vec::new() };
    rule["path"] == request.path.as_str()
        && when["method"].as_str().is_none_or(|method| method == request.method)
        && when["run"].as_u64().is_none_or(|wanted| wanted == run)
        && each(&when["query"]).all(|(name, wanted)| only(&request.query, name) == text(wanted))
        && each(&when["headers"])
            .all(|(name, wanted)| request.header(name).map(str::to_owned) == text(wanted))
        && each(&when["json"]).all(|(name, wanted)| dig(&body, name) == *wanted)
        && each(&when["form"]).all(|(name, wanted)| only(&form, name) == text(wanted))
}

fn each(conditions: &Value) -> impl Iterator<Item = (&String, &Value)> {
    conditions.as_object().into_iter().flatten()
}

/// The value of the only pair of this name; several are like none.
fn only(pairs: &[(String, String)], name: &str) -> Option<String> {
    let mut found = pairs.iter().filter(|(key, _)| key == name).map(|(_, value)| value.clone());
    let value = found.next();
    found.next().is_none().then_some(value).flatten()
}

fn dig(value: &Value, path: &str) -> Value {
    path.split('.').try_fold(value, |value, name| value.get(name)).cloned().unwrap_or_default()
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

fn filled(value: &Value, words: &Map<String, Value>) -> Value {
    match value {
        Value::Object(map) => {
            Value::Object(map.iter().map(|(key, item)| (key.clone(), filled(item, words))).collect())
        }
        Value::Array(items) => items.iter().map(|item| filled(item, words)).collect(),
        Value::String(text) => words.get(text).cloned().unwrap_or_else(|| value.clone()),
        other => other.clone(),
    }
}

/// What stands for `$records` and the others in the reply of a `list`: `{records, size, by, param, first, in, size_param}`.
fn words(list: &Value, rule: &Value, request: &Request) -> Map<String, Value> {
    let records = match &list["records"] {
        Value::Array(records) => records.clone(),
        count => (1..=count.as_u64().unwrap()).map(|id| json!({ "id": id })).collect(),
    };
    let body = request.json().unwrap_or_default();
    let asked = |name: &str| {
        if list["in"] == "json" { text(&dig(&body, name)) } else { request.param(name).map(str::to_owned) }
    };
    let number = |text: &str| text.parse::<usize>().unwrap_or_default();
    let by = list["by"].as_str().unwrap();
    let param = list["param"].as_str().unwrap_or(by);
    let size = number(&list["size"].to_string());
    let size = list["size_param"].as_str().and_then(asked).map_or(size, |asked| number(&asked));
    let first = list["first"].as_u64().map_or(0, |first| number(&first.to_string()));
    // Nothing stands before the first page.
    let start = match (by, asked(param)) {
        ("cursor", token) => Some(token.map_or(0, |token| number(token.trim_start_matches('c')))),
        ("page", page) => page
            .map_or(Some(first), |page| Some(number(&page)))
            .and_then(|page| page.checked_sub(first))
            .map(|page| page * size),
        (_, offset) => Some(offset.map_or(first, |offset| number(&offset))),
    };
    let after = start.map_or(0, |start| start + size);
    let page: Vec<Value> =
        start.map(|start| records.iter().skip(start).take(size).cloned().collect()).unwrap_or_default();
    let more = after < records.len();
    let following = match by {
        "cursor" => json!(format!("c{after}")),
        "page" => json!(after / size + first),
        _ => json!(after),
    };
    let path = rule["path"].as_str().unwrap();
    let link = format!("{path}?{param}={}", text(&following).unwrap_or_default());
    let if_more = |value: Value| if more { value } else { Value::Null };
    let words = json!({
        "$records": page,
        "$count": records.len(),
        "$pages": records.len().div_ceil(size),
        "$more": more,
        "$next": if_more(following),
        "$path": if_more(link.as_str().into()),
        "$url": if_more(format!("$ORIGIN{link}").into()),
        "$link": if_more(format!("<$ORIGIN{link}>; rel=\"next\"").into()),
    });
    words.as_object().cloned().unwrap_or_default()
}
