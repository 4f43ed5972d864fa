//! Configurations in every format: read, overridden, planned, explained; or their problems, rendered.

use dray::config::connectors::shipped_all;
use dray::config::load::{LoadError, read_text_as};
use dray::config::parse::Format;
use dray::config::secrets::Sources;
use dray::plan::{explain, prepare};

use super::{Target, as_it_is, text};
use crate::fuzz::{joined, parts};

/// The target.
pub(super) const TARGET: Target = Target {
    name: "config",
    seeds,
    words: &[
        "&a",
        "*a",
        "<<: *a",
        "!!binary",
        "!!python/object:os.system",
        "---\n",
        "|2-\n ",
        ">+\n",
        "? ",
        "- ",
        "\n  ",
        "{resources.a.id}",
        "{incremental.start_value}",
        "${secrets.key}",
        "{{ secrets.key }}",
        "{{ now | date('%Y') }}",
        "${env.X|Y}",
        "${base64(secrets.key, ':')}",
        "${replace(vars.x, 'a', 'aa')}",
        "${start_of(month) - 1d:%Y}",
        "when: ",
        "\"\"\"",
        "'''",
        "[[resources]]\n",
        "[client.auth]\n",
        "paginator:",
        "type: cursor",
        "lambda x: x",
        "dlt.secrets[\"key\"]",
        "datetime(2024, 1, 1)",
        "timedelta(days=10**9)",
        "pendulum.now().replace(hour=23, minute=59, second=59).int_timestamp * 1000",
        "[[a, a] for a in [x for x in range(9)] if a != 1]",
        "f(f(f('x')))",
        "'{0}{0}'.format(L).replace('a', L)",
        "pendulum.today().format('YYYY-MM-DD[T]HH')",
        "2 ** 64",
        "\"a\" * 10**9",
        "[0] * 10**9",
        "f\"{x!r:>{1000000000}}\"",
        "base_url: http://[::1]:99999/",
        "incremental: {cursor_path: \"$..[?@.a]\"}",
    ],
    finish: as_it_is,
    start: || Ok(Box::new(check)),
};

const FORMATS: [Format; 5] = [Format::Yaml, Format::Json, Format::Toml, Format::Python, Format::Document];

const YAML: &[&str] = &[
    "a: &a [x, x, x, x, x, x, x, x, x]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a]\nc: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b]\nd: &d [*c, *c, *c, *c, *c, *c, *c, *c, *c]\ne: &e [*d, *d, *d, *d, *d, *d, *d, *d, *d]\nclient: *e\nresources: *e\n",
    "client: &c\n  base_url: https://a.example\n  <<: {headers: {x: y}}\nresources:\n  - &r {name: a, endpoint: {path: a}}\n  - {<<: *r, name: b}\n",
    "client: {base_url: \"https://a.example\", auth: {type: oauth2_client_credentials, access_token_url: \"https://a.example/t\", client_id: x, client_secret: \"${secrets.s}\"}}\nresource_defaults: {write_disposition: merge, primary_key: id}\nresources:\n- name: a\n  endpoint: {path: \"a/{b}\", params: {b: {type: resolve, resource: c, field: id}, since: {type: incremental, cursor_path: t, initial_value: '2024-01-01'}}}\n- c\n",
    "a: *a\n? [complex, key]\n: &x !!set {a, b}\n...\n---\nb: |+\n  x\n",
];
const JSON: &[&str] = &[
    r#"{"client": {"base_url": "https://a.example", "paginator": {"type": "page_number", "total_path": null}}, "resources": ["a", {"name": "b", "endpoint": "b?x=1"}]}"#,
    r#"{"client": {"base_url": "https://a.example"}, "resources": [{"name": "a", "endpoint": {"method": "POST", "path": "a", "json": {"q": {"since": "{incremental.start_value}"}}, "data_selector": "$..x"}}]}"#,
];
const TOML: &[&str] = &[
    "[client]\nbase_url = \"https://a.example\"\nheaders.x = 1\n[[resources]]\nname = \"a\"\n[resources.endpoint]\npath = \"a\"\nparams = { d = 2024-01-01T00:00:00Z, f = 1e5, i = 0x_ff, n = inf }\n",
    "a.b.c = [{x = 1}, {x = [[[[]]]]}]\n[a.b]\n\"q\\u0000\" = '''\nx'''\n",
];
const PYTHON: &[&str] = &[
    "def f(a, b='x'):\n  a = a.lower()\n  return [a, b]\nL = 'aaaa'\nr = []\nfor n, m in {'a': 1}.items():\n  p = f'{n}/{m}'\n  r.append({'name': p, 'endpoint': {'path': '%s' % p, 'incremental': {'cursor_path': 'u', 'convert': lambda v: int(pendulum.parse(v).timestamp())}}})\nconfig = {'client': {'base_url': 'https://a.example', 'headers': {'x': f(L)[0]}}, 'resources': r}\n",
    "import dlt\nfrom datetime import datetime, timedelta\nBASE = 'https://a.example'\nconfig: RESTAPIConfig = {\n  'client': {'base_url': BASE + '/v1', 'auth': {'type': 'bearer', 'token': dlt.secrets['token']}},\n  'resource_defaults': {'endpoint': {'params': {'limit': 100}}},\n  'resources': [{'name': n, 'endpoint': {'path': f'{n}/list'}} for n in ('a', 'b')],\n}\n",
    "def source(key=dlt.secrets.value):\n    start = (datetime.now() - timedelta(days=7)).isoformat()\n    config = dict(client=dict(base_url='https://a.example'), resources=['x', {**D, 'name': 'y'}])\n    yield from rest_api_resources(config)\nD = {'endpoint': {'params': {'since': {'type': 'incremental', 'cursor_path': 'u', 'initial_value': 2 ** 10 - 1}}}}\n",
    "x = 'a' 'b' if True else None\nconfig = {'client': {'base_url': 'https://a.example', **({'headers': {'x': x}} if x else {})}, 'resources': [*['a'] * 3, *[{'name': str(i)} for i in range(3)]]}\n",
];
const OVERRIDES: &[&str] = &[
    "",
    "client.base_url=https://b.example",
    "resources[0].endpoint.params.x={a: [1, 2]}",
    "resources.a.selected=false",
];

fn seeds() -> Vec<Vec<u8>> {
    let shipped: Vec<&str> = shipped_all().iter().map(|(_, text)| *text).collect();
    let document = format!("# Notes\n\n```python\n{}```\n", PYTHON.first().copied().unwrap_or_default());
    let all = [&shipped[..], YAML, JSON, TOML, PYTHON, &[&document]];
    let formats = [b"0", b"0", b"1", b"2", b"3", b"4"];
    let texts =
        all.iter().zip(formats).flat_map(|(texts, format)| texts.iter().map(move |text| (format, text)));
    let overrides = OVERRIDES.iter().cycle();
    texts
        .zip(overrides)
        .map(|((format, text), over)| joined(&[format, over.as_bytes(), text.as_bytes()]))
        .collect()
}

fn check(input: &[u8]) -> Result<(), String> {
    let [format, over, source] = parts(input);
    let format = FORMATS[usize::from(format.first().copied().unwrap_or_default()) % FORMATS.len()];
    let loaded = match read_text_as("fuzz".to_owned(), text(source), format) {
        Ok(loaded) => loaded,
        Err(error) => {
            if let LoadError::Invalid { file, source_text, diagnostics } = &error {
                drop(diagnostics.render(file, source_text));
            }
            return Ok(());
        }
    };
    let (name, source_text) = (loaded.file.clone(), loaded.source_text.clone());
    let overrides: Vec<String> = if over.is_empty() { Vec::new() } else { vec![text(over)] };
    let mut sources = Sources::new(jiff::Timestamp::UNIX_EPOCH);
    sources.environment = ["KEY", "TOKEN", "X"].map(|name| (name.to_owned(), "swordfish".to_owned())).into();
    let prepared = prepare(loaded, &overrides, &sources);
    if prepared.plan.is_none() && prepared.diagnostics.is_empty() {
        return Err("neither a plan nor a problem".to_owned());
    }
    drop(prepared.diagnostics.render(&name, &source_text));
    if let Some(plan) = &prepared.plan {
        drop(explain(plan));
    }
    Ok(())
}
