use super::*;
use crate::config::diagnostics::listed;

fn good(text: &str) -> Node {
    let mut diagnostics = Diagnostics::new();
    let node = parse(text, false, &mut diagnostics);
    assert!(diagnostics.is_empty(), "{diagnostics}");
    node.unwrap()
}

/// What is read of a text that is right, and what is said of it.
fn noted(text: &str) -> (Node, String) {
    let mut diagnostics = Diagnostics::new();
    let node = parse(text, false, &mut diagnostics).unwrap_or_else(|| panic!("{diagnostics}"));
    let notes = diagnostics.notes().map(ToString::to_string).collect();
    (node, notes)
}

fn bad(text: &str) -> String {
    let mut diagnostics = Diagnostics::new();
    assert_eq!(parse(text, false, &mut diagnostics), None);
    listed(&diagnostics)
}

/// A node as one line of Python-like text.
fn show(node: &Node) -> String {
    match &node.value {
        Value::Null => "None".to_owned(),
        Value::Bool(flag) => flag.to_string(),
        Value::Int(number) => number.to_string(),
        Value::Float(number) => format!("{number:?}"),
        Value::Text(text) => format!("'{text}'"),
        Value::Secret(_) => "***".to_owned(),
        Value::List(items) => format!("[{}]", items.iter().map(show).collect::<Vec<_>>().join(", ")),
        Value::Map(map) => {
            let entries: Vec<String> =
                map.entries.iter().map(|entry| format!("{}: {}", entry.key, show(&entry.value))).collect();
            format!("{{{}}}", entries.join(", "))
        }
    }
}

/// The value of an expression.
fn value(expression: &str) -> String {
    let node = good(&format!("config = {{\"x\": {expression}}}"));
    show(node.as_map().unwrap().get("x").unwrap())
}

#[test]
fn literals() {
    for (expression, expected) in [
        ("None", "None"),
        ("True", "true"),
        ("-5", "-5"),
        ("1.5", "1.5"),
        ("60 * 60 * 24", "86400"),
        ("2 ** 10 - 24", "1000"),
        ("'a' \"b\"", "'ab'"),
        ("'a' + 'b'", "'ab'"),
        ("('a', 1)", "['a', 1]"),
        ("[*[1, 2], 3]", "[1, 2, 3]"),
        ("{**{'a': 1, 'b': 2}, 'a': 3}", "{a: 3, b: 2}"),
        ("{'a': 1} | {'b': 2}", "{a: 1, b: 2}"),
        ("dict(a=1, **{'b': 2})", "{a: 1, b: 2}"),
        ("dict({'a': 1}, b=2)", "{a: 1, b: 2}"),
        ("'a/{resources.x.id}/b'", "'a/{resources.x.id}/b'"),
        ("'${secrets.x}'", "'${secrets.x}'"),
        ("f'a/{{resources.x.id}}/{1 + 1}'", "'a/{resources.x.id}/2'"),
        ("','.join(['a', 'b'])", "'a,b'"),
        ("str(5)", "'5'"),
        ("'a' if True else 'b'", "'a'"),
        ("None or 'b'", "'b'"),
        ("not None", "true"),
        ("{'a': [1, {'b': 2}]}['a'][-1]['b']", "2"),
        ("r'\\d' '\\u00e9'", "'\\dé'"),
        ("\"\"\"\na\n\"\"\"", "'\na\n'"),
        ("{200: 'ok'}", "{200: 'ok'}"),
    ] {
        assert_eq!(value(expression), expected, "{expression}");
    }
}

#[test]
fn lookups_become_templates() {
    for (expression, expected) in [
        ("dlt.secrets['x']", "'${secrets.x}'"),
        ("dlt.secrets['a.b']", "'${secrets.a.b}'"),
        ("dlt.secrets['a']['b']", "'${secrets.a.b}'"),
        ("dlt.secrets.get('x')", "'${secrets.x}'"),
        ("dlt.secrets.get('x', str)", "'${secrets.x}'"),
        ("dlt.config['x']", "'${config.x}'"),
        ("os.environ['X']", "'${env.X}'"),
        ("os.environ.get('X', 'd')", "'${env.X:-d}'"),
        ("os.getenv('X')", "'${env.X}'"),
        ("os.getenv('X', default='d')", "'${env.X:-d}'"),
        ("os.getenv('X') or 'd'", "'${env.X:-d}'"),
        ("f\"Bearer {dlt.secrets['x']}\"", "'Bearer ${secrets.x}'"),
        ("'Bearer ' + os.environ['X']", "'Bearer ${env.X}'"),
    ] {
        assert_eq!(value(expression), expected, "{expression}");
    }
}

#[test]
fn dates_become_templates() {
    for (expression, expected) in [
        ("pendulum.today().subtract(days=30).to_iso8601_string()", "'${today - 30d:%Y-%m-%dT%H:%M:%SZ}'"),
        ("(datetime.now() - timedelta(days=30)).strftime('%Y-%m-%d')", "'${now - 30d:%Y-%m-%d}'"),
        ("datetime.now(timezone.utc).strftime('%Y-%m-%dT%H:%M:%SZ')", "'${now}'"),
        ("pendulum.now('UTC').subtract(hours=36).to_iso8601_string()", "'${now - 36h}'"),
        ("(date.today() - timedelta(1)).isoformat()", "'${today - 1d}'"),
        ("pendulum.now().to_date_string()", "'${now:%Y-%m-%d}'"),
        ("datetime.utcnow().isoformat() + 'Z'", "'${now:%Y-%m-%dT%H:%M:%S}Z'"),
        ("datetime.now(timezone.utc).isoformat().replace('+00:00', 'Z')", "'${now}'"),
        (
            "pendulum.today().subtract(days=30).format('YYYY-MM-DD[T]HH:mm')",
            "'${today - 30d:%Y-%m-%dT%H:%M}'",
        ),
        ("pendulum.yesterday().to_date_string()", "'${today - 1d}'"),
        ("datetime.now().date().isoformat()", "'${now:%Y-%m-%d}'"),
        ("str(date.today() - timedelta(days=1))", "'${today - 1d}'"),
        ("f'{date.today() - timedelta(weeks=2)}'", "'${today - 14d}'"),
        ("f'on {datetime.now():%d.%m.%Y}'", "'on ${now:%d.%m.%Y}'"),
        ("int(time.time()) - 24 * 3600", "'${now - 1d:%s}'"),
        ("int(datetime.now().timestamp() * 1000)", "'${now:%s}000'"),
        ("pendulum.now('UTC').start_of('day').int_timestamp", "'${today:%s}'"),
        ("datetime.now().replace(hour=23, minute=59, second=59)", "'${today + 86399s:%Y-%m-%dT%H:%M:%S}'"),
        ("datetime(2024, 1, 31).isoformat()", "'2024-01-31T00:00:00'"),
        ("datetime(2024, 1, 31, tzinfo=timezone.utc)", "'2024-01-31T00:00:00Z'"),
        ("(pendulum.datetime(2024, 3, 1) - timedelta(days=1)).to_date_string()", "'2024-02-29'"),
        ("pendulum.parse('2024-01-01').int_timestamp", "1704067200"),
    ] {
        assert_eq!(value(expression), expected, "{expression}");
    }
    let named = "DAYS = 7\nFORMAT = '%Y'\nstart = datetime.now() - timedelta(days=DAYS)\nconfig = {'x': start.strftime(FORMAT)}";
    assert_eq!(show(&good(named)), "{x: '${now - 7d:%Y}'}");
}

#[test]
fn dates_that_no_template_can_hold_are_refused() {
    for expression in [
        "pendulum.now().subtract(months=1).to_date_string()",
        "pendulum.today('Europe/Berlin').to_date_string()",
        "datetime.now(ZoneInfo('Asia/Tokyo')).isoformat()",
        "(datetime.now() - timedelta(hours=5)).replace(hour=0, minute=0, second=0)",
        "datetime.now().replace(day=1).isoformat()",
        "pendulum.now().format('MMMM Do')",
        "datetime(2024, 13, 1)",
    ] {
        let problems = bad(&format!("config = {{'x': {expression}}}"));
        assert!(problems.starts_with("line 1: x: "), "{expression}: {problems}");
    }
}

#[test]
fn methods_of_constants_have_their_results() {
    for (expression, expected) in [
        ("'AB'.lower()", "'ab'"),
        ("'https://a/'.rstrip('/') + '/v1'", "'https://a/v1'"),
        ("'a-b'.replace('-', '_')", "'a_b'"),
        ("'a{}{{}}{n}'.format(1, n='x')", "'a1{}x'"),
        ("'%s/%d%%' % ('a', 5)", "'a/5%'"),
        ("{'k': 1}.get('k')", "1"),
        ("{'k': 1}.get('l', 2)", "2"),
        ("int('7')", "7"),
        ("int(os.getenv('N', '5'))", "'${env.N:-5}'"),
        ("userdata.get('KEY')", "'${secrets.KEY}'"),
        ("dbutils.secrets.get(scope='s', key='KEY')", "'${secrets.KEY}'"),
        ("st.secrets['KEY']", "'${secrets.KEY}'"),
    ] {
        assert_eq!(value(expression), expected, "{expression}");
    }
    // What a secret holds is not known here.
    assert!(
        bad("T = dlt.secrets['t']\nconfig = {'x': T.lower()}").contains("`.lower(...)` cannot be read here")
    );
}

#[test]
fn comprehensions_over_constants_are_written_out() {
    for (expression, expected) in [
        (
            "[{'name': n, 'path': f'{n}/list'} for n in ('a', 'b')]",
            "[{name: 'a', path: 'a/list'}, {name: 'b', path: 'b/list'}]",
        ),
        ("[f'{k}={v}' for k, v in {'a': 1, 'b': 2}.items()]", "['a=1', 'b=2']"),
        ("{k: v for k, v in {'a': 1, 'b': None}.items() if v}", "{a: 1}"),
        ("[n for n in ['a', 'b', 'c'] if n != 'a' if n not in ['c']]", "['b']"),
        ("'x' if None is not None else 'y'", "'y'"),
        ("[[a, b] for a in range(2) for b in ['x']]", "[[0, 'x'], [1, 'x']]"),
        ("','.join(str(c) for c in [1, 2])", "'1,2'"),
        ("[f'{i}{n}' for i, n in enumerate(['a', 'b'])]", "['0a', '1b']"),
    ] {
        assert_eq!(value(expression), expected, "{expression}");
    }
    let named = "n = 'out'\nNAMES = ['a']\nconfig = {'x': [n for n in NAMES], 'y': n}";
    assert_eq!(show(&good(named)), "{x: ['a'], y: 'out'}");
    assert!(bad("config = {'x': [n for n in fetch()]}").contains("`fetch(...)` cannot be read"));
    assert!(bad("T = dlt.secrets['t']\nconfig = {'x': T == 'a'}").contains("this comparison cannot be read"));
    assert!(bad("config = {'x': [a for a, b in [[1]]]}").contains("these names do not fit the items"));
}

#[test]
fn loops_that_only_append_are_written_out() {
    let text = "NAMES = {'a': 1, 'b': 2}\nresources = ['first']\nfor name, size in NAMES.items():\n    path = f'{name}/list'\n    \
                resources.append({'name': name, 'path': path, 'size': size})\nresources.append('last')\n\
                config = {'resources': resources}";
    assert_eq!(
        show(&good(text)),
        "{resources: ['first', {name: 'a', path: 'a/list', size: 1}, {name: 'b', path: 'b/list', size: 2}, 'last']}"
    );
    for body in ["if n:\n        r.append(n)", "print(n)\n    r.append(n)", "r.append(n)\n    s.append(n)"] {
        let problems = bad(&format!("r = []\ns = []\nfor n in ['a']:\n    {body}\nconfig = {{'x': r}}"));
        assert!(problems.contains("`r` is changed here in a way that cannot be followed"), "{problems}");
    }
    let text = "p = 'x'\nr = []\nfor n in ['a']:\n    p = n\n    r.append(p)\nconfig = {'x': p}";
    assert!(bad(text).contains("`p` is set in a loop"));
    let problems = bad("r = []\nfor n in fetch():\n    r.append(n)\nconfig = {'x': r}");
    assert!(problems.contains("`fetch(...)` cannot be read"), "{problems}");
}

#[test]
fn functions_that_only_return_data_have_their_results() {
    let text = "def paged(param='page', size=10):\n    'Pages.'\n    name = param.lower()\n    return {'param': name, 'size': size}\n\
                def make(token=dlt.secrets.value):\n    config = {'a': paged(), 'b': paged('P', size=5)}\n    config['t'] = token\n    return config\n\
                rest_api_source(make())";
    assert_eq!(
        show(&good(text)),
        "{a: {param: 'page', size: 10}, b: {param: 'p', size: 5}, t: '${secrets.token}'}"
    );
    let text = "def ago(days, how='%Y'):\n    return (datetime.now() - timedelta(days=days)).strftime(how)\nconfig = {'x': ago(7)}";
    assert_eq!(show(&good(text)), "{x: '${now - 7d:%Y}'}");
    for (function, words) in [
        ("def f():\n    if x:\n        return 1\n    return 2", "`f(...)` cannot be read"),
        ("def f():\n    yield 1", "`f(...)` cannot be read"),
        ("@dlt.resource\ndef f():\n    return 1", "`f(...)` cannot be read"),
        ("def f():\n    return requests.get('u').json()", "line 2: x: the result of a call cannot be read"),
        ("def f():\n    return f()", "too large or too deep"),
        ("def f(a):\n    return a", "the parameter `a` has no value"),
    ] {
        let problems = bad(&format!("{function}\nconfig = {{'x': f()}}"));
        assert!(problems.contains(words), "{problems}");
    }
}

#[test]
fn a_convert_that_only_writes_a_moment_is_a_format() {
    for (function, expected) in [
        ("lambda e: int(e)", "{cursor_path: 'u'}"),
        ("lambda x: pendulum.parse(x).int_timestamp", "{cursor_path: 'u', format: 'unix'}"),
        (
            "lambda x: parser.parse(x).timestamp() if not isinstance(x, datetime) else x",
            "{cursor_path: 'u', format: 'unix'}",
        ),
        (
            "lambda x: int(datetime.fromisoformat(x.replace('Z', '+00:00')).timestamp() * 1000)",
            "{cursor_path: 'u', format: 'unix_milliseconds'}",
        ),
        ("lambda e: pendulum.from_timestamp(int(e)).to_date_string()", "{cursor_path: 'u', format: 'date'}"),
        ("lambda d: d.strftime('%d.%m.%Y') if d else None", "{cursor_path: 'u', format: '%d.%m.%Y'}"),
        ("named", "{cursor_path: 'u', format: 'iso'}"),
    ] {
        let text = format!(
            "def named(v):\n    'Text.'\n    return v.isoformat()\nconfig = {{'cursor_path': 'u', 'convert': {function}}}"
        );
        assert_eq!(show(&good(&text)), expected, "{function}");
    }
    for function in
        ["lambda x: x + 1", "lambda x: min(x, now)", "lambda x: int(x) * 60", "lambda x, y: x", "other"]
    {
        let problems = bad(&format!("config = {{'convert': {function}}}"));
        assert!(problems.starts_with("line 1: convert: "), "{problems}");
    }
}

#[test]
fn what_grows_with_every_step_is_refused() {
    let twice = "def f(a):\n    return [a, a]\n";
    let deep = format!("{}'x'{}", "f(".repeat(40), ")".repeat(40));
    let problems = bad(&format!("{twice}config = {{'x': {deep}}}"));
    assert!(problems.contains("too large") || problems.contains("too deep"), "{problems}");
    let long = "a".repeat(3_000);
    let problems = bad(&format!("L = '{long}'\nconfig = {{'x': L.replace('a', L)}}"));
    assert!(problems.contains("`.replace(...)` cannot be read here"), "{problems}");
    let problems = bad("config = {'x': [a for a in range(200) for b in range(200)]}");
    assert!(problems.contains("more than 10000 items"), "{problems}");
}

#[test]
fn code_in_place_of_data_is_refused_with_what_to_write() {
    for (config, hint) in [
        ("{'resources': [{'processing_steps': [{'map': fn}]}]}", "write a program in jq as text"),
        (
            "{'resources': [{'endpoint': {'incremental': {'convert': lambda x: x + 1}}}]}",
            "use `format` instead",
        ),
        ("{'resources': [{'endpoint': {'response_actions': [fn]}}]}", "action: ignore"),
        ("{'client': {'session': requests.Session()}}", "leave it out: `client.headers`"),
        ("{'client': {'paginator': Mine()}}", "header_cursor or single_page"),
        ("{'client': {'auth': {'token': get_token()}}}", "oauth2_client_credentials"),
        ("{'client': {'headers': {'Authorization': base64.b64encode(b'x').decode()}}}", "`type: http_basic`"),
    ] {
        let problems = bad(&format!("def fn(x): return open(x)\nconfig = {config}"));
        assert!(problems.contains(hint), "{problems}");
    }
}

#[test]
fn stock_classes_become_their_dict_forms() {
    for (expression, expected) in [
        ("OffsetPaginator(limit=100)", "{type: 'offset', limit: 100}"),
        (
            "rest_client.paginators.OffsetPaginator(100, total_path=None)",
            "{type: 'offset', limit: 100, total_path: None}",
        ),
        (
            "PageNumberPaginator(base_page=1, page_param='p')",
            "{type: 'page_number', base_page: 1, page_param: 'p'}",
        ),
        (
            "JSONResponseCursorPaginator('a.b', 'c')",
            "{type: 'cursor', cursor_path: 'a.b', cursor_param: 'c'}",
        ),
        ("JSONLinkPaginator(next_url_path='n')", "{type: 'json_link', next_url_path: 'n'}"),
        ("HeaderLinkPaginator()", "{type: 'header_link'}"),
        ("HeaderCursorPaginator(cursor_key='k')", "{type: 'header_cursor', cursor_key: 'k'}"),
        ("SinglePagePaginator()", "{type: 'single_page'}"),
        ("BearerTokenAuth(dlt.secrets['t'])", "{type: 'bearer', token: '${secrets.t}'}"),
        ("HttpBasicAuth('u', 'p')", "{type: 'http_basic', username: 'u', password: 'p'}"),
        ("APIKeyAuth(name='k', api_key='v')", "{type: 'api_key', name: 'k', api_key: 'v'}"),
        (
            "dlt.sources.incremental('created', initial_value=0, last_value_func=max)",
            "{type: 'incremental', cursor_path: 'created', initial_value: 0, last_value_func: 'max'}",
        ),
        ("dlt.sources.incremental[str]('id')", "{type: 'incremental', cursor_path: 'id'}"),
        ("{'incremental': dlt.sources.incremental('id')}", "{incremental: {cursor_path: 'id'}}"),
    ] {
        assert_eq!(value(expression), expected, "{expression}");
    }
}

#[test]
fn names_are_followed() {
    let node = good(
        "import dlt\nfrom x import y\nHOST = 'h'\nHOST = f'https://{HOST}'\nAUTH = {'type': 'bearer'}\n\
         @dlt.source\n\
         def shop(token=dlt.secrets.value, region: str = dlt.config.value, limit: int = 5):\n\
         \x20   config: RESTAPIConfig = {\n\
         \x20       'client': {'base_url': HOST + '/' + region, 'auth': {**AUTH, 'token': token}},\n\
         \x20       'resources': [{'name': 'a', 'endpoint': {'params': {'limit': limit}}}],\n\
         \x20   }\n\
         \x20   [...]\n\
         \x20   yield from rest_api_resources(config)\n\
         def load():\n    pipeline = dlt.pipeline(x=y())\n    print(pipeline.run(shop()))\n",
    );
    assert_eq!(
        show(&node),
        "{client: {base_url: 'https://h/${config.region}', auth: {type: 'bearer', token: '${secrets.token}'}}, \
         resources: [{name: 'a', endpoint: {params: {limit: 5}}}]}"
    );
    let base_url = node.as_map().unwrap().get("client").unwrap().as_map().unwrap().entry("base_url").unwrap();
    assert_eq!(base_url.place, Place::new(9, 20));
}

#[test]
fn changes_are_followed() {
    let node = good(
        "config = {'client': {}, 'resources': []}\nconfig['client']['auth'] = {'token': 'x'}\n\
         config['resources'].append('a')\nconfig['resources'] += ['b']\nconfig.update({'z': 1})\n\
         source = rest_api_source(config)\nconfig['late'] = 1\n",
    );
    assert_eq!(show(&node), "{client: {auth: {token: 'x'}}, resources: ['a', 'b'], z: 1}");
}

#[test]
fn the_configuration_is_found() {
    for (text, expected) in [
        ("source = rest_api_source({'a': 1}, name='x')", "{a: 1}"),
        ("pipeline.run(rest_api.rest_api_source(config={'a': 1}))", "{a: 1}"),
        ("s = rest_api(client={'b': 1}, resources=['c'])", "{client: {b: 1}, resources: ['c']}"),
        ("my: RESTAPIConfig = {'a': 1}\nconfig = {'b': 1}", "{a: 1}"),
        ("config = {'b': 1}", "{b: 1}"),
        ("config = RESTAPIConfig(client={'b': 1})", "{client: {b: 1}}"),
        ("def f():\n    config = {'b': 1}\n", "{b: 1}"),
        ("BASE_CONFIG = {'a': 1}\nENDPOINTS = []", "{BASE_CONFIG: {a: 1}, ENDPOINTS: []}"),
        ("'''doc'''\n{'a': 1}\n", "{a: 1}"),
        ("def f(config):\n    return rest_api_source(config)\nf({})\nrest_api_source({'a': 1})", "{a: 1}"),
    ] {
        assert_eq!(show(&good(text)), expected, "{text}");
    }
    let mut diagnostics = Diagnostics::new();
    let node =
        parse("rest_api_source({'a': 1})\nrest_api_source({'b': 1})", false, &mut diagnostics).unwrap();
    assert_eq!(show(&node), "{a: 1}");
    let notes: Vec<String> = diagnostics.notes().map(ToString::to_string).collect();
    assert_eq!(notes, ["line 2: another configuration in this file, which is not read"]);
}

#[test]
fn a_condition_on_a_secret_is_taken_as_given_and_noted() {
    let text = "def f(token=dlt.secrets.value):\n    config = {'auth': {'token': token} if token else None}";
    let mut diagnostics = Diagnostics::new();
    let node = parse(text, false, &mut diagnostics).unwrap();
    assert_eq!(show(&node), "{auth: {token: '${secrets.token}'}}");
    let notes: Vec<String> = diagnostics.notes().map(ToString::to_string).collect();
    assert_eq!(notes, ["line 1: auth: the condition takes ${secrets.token} as given"]);
}

#[test]
fn problems_name_the_construct_and_the_place() {
    let problems = bad(
        "import z\nbase = 'x'\nfor n in []:\n    looped = 1\nif z:\n    maybe = 1\ndef fn(): pass\n\
         config = {\n'a': lambda x: x,\n'b': {i for i in y},\n'c': compute('sk_live'),\n'd': bse,\n'e': looped,\n\
         'f': maybe,\n'g': z,\n'h': fn,\n'i': '%5s' % base,\n'j': '{:>3}'.format(base),\n'k': MyPaginator(1),\n\
         'l': f'{base:>5}',\n'm': self.x,\n'n': 'a' + 1,\n'n': 2,\n'o': OffsetPaginator(1,2,3,4,5,6,7,8,9,10,11),\n\
         'p': {1, 2},\n'q': base['x'],\n'r': dlt.secrets['a b'],\n's': 99999999999999999999,\n}",
    );
    assert!(!problems.contains("sk_live"));
    insta::assert_snapshot!(problems, @r##"
    line 9: a: a lambda cannot be read, expected a literal: nothing in the file is executed | leave it out; a function can only be given through the library
    line 10: b: a set cannot be read, expected a literal: nothing in the file is executed | write the value itself, or ${secrets.NAME}, ${env.NAME} or ${vars.NAME} in a text
    line 11: c: `compute(...)` cannot be read, expected a literal: nothing in the file is executed | write its result itself, or ${secrets.NAME}, ${env.NAME}, ${vars.NAME} or ${now - 30d} in a text
    line 12: d: `bse` has no value in this file | did you mean `base`?
    line 13: e: `looped` is set in a loop | write the value itself where it is used
    line 14: f: `maybe` is set under a condition | write the value itself where it is used
    line 15: g: `z` is imported from another file, which is not read | write the value itself where it is used
    line 16: h: `fn` is a function | write the value itself where it is used
    line 17: i: `%` between text and text cannot be read without running it | use an f-string
    line 18: j: `.format(...)` cannot be read here, expected a literal | use an f-string
    line 19: k: `MyPaginator(...)` cannot be read, expected a literal: nothing in the file is executed | write it as a dict with a `type`
    line 20: l: a format in an f-string cannot be read, expected a literal: nothing in the file is executed | write the value itself, or ${secrets.NAME}, ${env.NAME} or ${vars.NAME} in a text
    line 21: m: `self.x` cannot be read, expected a literal | write the value itself where it is used
    line 22: n: `+` between text and a number cannot be read without running it | write the result itself
    line 23: n: key `n` is here twice, first on line 22
    line 24: o: too many arguments, expected at most 10
    line 25: p: a set cannot be read, expected a literal: nothing in the file is executed | write the value itself, or ${secrets.NAME}, ${env.NAME} or ${vars.NAME} in a text
    line 26: q: there is no `x` in text
    line 27: r: this is no name of a secret or variable | letters, digits, `_`, `-` and `.` make a name
    line 28: s: 99999999999999999999 does not fit into 64 bits
    "##);
}

#[test]
fn digests_are_functions_of_templates() {
    let before =
        "import base64, hashlib, hmac\ndef source(key=dlt.secrets.value, stamp=dlt.config.value):\n    ";
    for (code, function) in [
        ("hashlib.md5((stamp + key + 'x').encode()).hexdigest()", "${md5(config.stamp, secrets.key, 'x')}"),
        ("hashlib.sha256(f'{key}\\'s'.encode('utf-8')).hexdigest()", "${sha256(secrets.key, \"'s\")}"),
        ("hashlib.sha1(''.encode()).hexdigest()", "${sha1('')}"),
        (
            "hmac.new(key.encode(), stamp.encode(), hashlib.sha256).hexdigest()",
            "${hmac_sha256(secrets.key, config.stamp)}",
        ),
        (
            "hmac.new(bytes(key, 'utf-8'), 'x'.encode(), digestmod='sha512').hexdigest()",
            "${hmac_sha512(secrets.key, 'x')}",
        ),
        (
            "base64.b64encode(f'{stamp}:{key}'.encode()).decode('ascii')",
            "${base64(config.stamp, ':', secrets.key)}",
        ),
        (
            "base64.b64encode(hashlib.sha512(key.encode()).digest()).decode()",
            "${base64(sha512(secrets.key))}",
        ),
        // Not the same, or not known.
        ("hmac.new((key + stamp).encode(), 'x'.encode(), hashlib.sha1).hexdigest()", ""),
        ("hmac.new(key.encode(), 'x'.encode(), hashlib.md5).hexdigest()", ""),
        ("hashlib.md5(key.encode('utf-16')).hexdigest()", ""),
        ("hashlib.md5(key.encode()).hexdigest().upper()", ""),
        ("hashlib.md5(open('f').read().encode()).hexdigest()", ""),
        ("base64.urlsafe_b64encode(key.encode()).decode()", ""),
    ] {
        let text = format!("{before}return rest_api_source({{'a': {code}}})");
        if function.is_empty() {
            assert!(bad(&text).contains("a: "), "{code}");
        } else {
            let (node, notes) = noted(&text);
            assert_eq!(show(&node), format!("{{a: '{function}'}}"), "{code}");
            assert!(notes.contains("of templates"), "{notes}");
        }
    }
}

#[test]
fn broken_files_are_explained() {
    insta::assert_snapshot!(bad("config = {'a': 1\nx = 2"), @"line 2: this is not Python: expected `,`, found name");
    insta::assert_snapshot!(bad("x = 1"), @"line 1: no configuration in this Python code, expected rest_api_source({...}), a variable `config` or one annotated RESTAPIConfig, BASE_CONFIG and ENDPOINTS, or a file that is one dict");
    insta::assert_snapshot!(bad("def f(config):\n    return rest_api_source(config)"), @r#"line 2: the parameter `config` has no value | give it a default: config=dlt.secrets.value or config="...""#);
    insta::assert_snapshot!(bad("config = {'a': 1}\nif x:\n    config['a'] = 2\nrest_api_source(config)"), @"line 3: `config` is changed here in a way that cannot be followed | write the value into the literal");
}

#[test]
fn large_expressions_are_refused() {
    let mut text = "a0 = ['x'] * 1\na0 = ['x']\n".to_owned();
    for level in 1..12 {
        let previous = vec![format!("a{}", level - 1); 10].join(", ");
        text.push_str(&format!("a{level} = [{previous}]\n"));
    }
    text.push_str("config = {'a': a11}");
    insta::assert_snapshot!(bad(&text), @"line 2: a[0][0][0][0][0][0][6][2][0][6][2][0]: this expression is too large or too deep");
}
