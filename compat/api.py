"""The scripted API of a case, with a ledger of what it was asked. `crates/dray-cli/tests/it/compat/api.rs` is its twin."""

import http.server
import json
import threading
import urllib.parse

# A chain that asks for more than any case has is taken for endless, and refused from there on.
ENDLESS = 60
# Headers that are written down, beside those that begin with `x-`.
KEPT = ("authorization", "cookie", "content-type")


def dig(value, path):
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


class Listing:
    """A list that answers page by page: `list: {records, size, by, param, first, in, size_param}`."""

    def __init__(self, written, path):
        self.written = written
        self.path = path
        records = written["records"]
        self.records = records if isinstance(records, list) else [{"id": n + 1} for n in range(records)]

    def asked(self, request, name):
        if self.written.get("in") == "json":
            return dig(request["json"], name)
        return next((value for key, value in request["query"] if key == name), None)

    def words(self, request):
        """What stands for `$records` and the others in the reply."""
        by = self.written["by"]
        param = self.written.get("param", by)
        size = self.written["size"]
        if "size_param" in self.written:
            size = int(self.asked(request, self.written["size_param"]) or size)
        first = self.written.get("first", 0)
        asked = self.asked(request, param)
        if by == "cursor":
            start = int(str(asked).removeprefix("c")) if asked else 0
        else:
            place = first if asked is None else int(asked)
            start = (place - first) * size if by == "page" else place
        after = start + size
        more = after < len(self.records)
        following = {"cursor": f"c{after}", "page": after // size + first, "offset": after}[by] if more else None
        link = f"{self.path}?{param}={following}" if more else None
        return {
            "$records": self.records[start:after] if start >= 0 else [],
            "$count": len(self.records),
            "$pages": -(-len(self.records) // size),
            "$more": more,
            "$next": following,
            "$path": link,
            "$url": f"$ORIGIN{link}" if more else None,
            "$link": f'<$ORIGIN{link}>; rel="next"' if more else None,
        }


def filled(value, words):
    if isinstance(value, dict):
        return {key: filled(item, words) for key, item in value.items()}
    if isinstance(value, list):
        return [filled(item, words) for item in value]
    return words.get(value, value) if isinstance(value, str) else value


def holds(rule, request, run):
    """Whether a rule is about this request."""
    when = rule.get("when", {})
    pairs = {}
    for key, value in request["query"]:
        pairs.setdefault(key, []).append(value)
    form = dict(request["form"])
    return (
        rule["path"] == request["path"]
        and when.get("method", request["method"]) == request["method"]
        and when.get("run", run) == run
        and all(pairs.get(key, [None]) == [value] for key, value in when.get("query", {}).items())
        and all(request["headers"].get(key) == value for key, value in when.get("headers", {}).items())
        and all(dig(request["json"], key) == value for key, value in when.get("json", {}).items())
        and all(form.get(key) == value for key, value in when.get("form", {}).items())
    )


def spelled(text):
    """Query text in one spelling: as it is meant, but for what would change its sense."""
    return "".join(f"%{ord(letter):02X}" if letter in "%&=+# " else letter for letter in text)


class Api:
    """Serves the rules of a case from two origins until it is closed; the second one is `$OTHER` in the case."""

    def __init__(self, rules):
        self.rules = rules
        self.ledger = []
        self.run = 1
        self.servers = [self.listen(), self.listen()]
        self.origins = [f"http://127.0.0.1:{server.server_port}" for server in self.servers]

    def listen(self):
        server = Server(("127.0.0.1", 0), Handler)
        server.api = self
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        return server

    def close(self):
        for server in self.servers:
            server.shutdown()
            server.server_close()

    def placed(self, text):
        """Text of the case, with the origins as they are now."""
        return text.replace("$ORIGIN", self.origins[0]).replace("$OTHER", self.origins[1])

    def unplaced(self, text):
        return text.replace(self.origins[0], "$ORIGIN").replace(self.origins[1], "$OTHER")

    def answer(self, request, origin):
        self.ledger.append(self.entry(request, origin))
        if len(self.ledger) > ENDLESS:
            return 400, {}, b"this does not end"
        for rule in self.rules:
            if holds(rule, request, self.run):
                reply = rule["reply"]
                words = Listing(rule["list"], rule["path"]).words(request) if "list" in rule else {}
                headers = filled(reply.get("headers", {}), words)
                body = reply["text"] if "text" in reply else json.dumps(filled(reply.get("json"), words))
                headers = {key: self.placed(str(value)) for key, value in headers.items() if value is not None}
                return reply.get("status", 200), headers, self.placed(body).encode()
        return 404, {}, b'{"error": "no rule of this case is about that"}'

    def entry(self, request, origin):
        """A line of the ledger: a text, and more only where there is more."""
        query = "&".join(sorted(f"{spelled(key)}={spelled(value)}" for key, value in request["query"]))
        line = f"{request['method']} {'' if origin == 0 else '$OTHER'}{request['path']}"
        line = self.unplaced(line + (f"?{query}" if query else ""))
        headers = {
            name: self.unplaced(value)
            for name, value in sorted(request["headers"].items())
            if name in KEPT or name.startswith("x-")
        }
        more = {"headers": headers} if headers else {}
        if request["form"]:
            more["form"] = sorted([key, self.unplaced(value)] for key, value in request["form"])
        elif request["json"] is not None:
            more["json"] = json.loads(self.unplaced(json.dumps(request["json"])))
        elif request["body"]:
            more["text"] = self.unplaced(request["body"])
        return {"request": line, **more} if more else line


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """Clients that stop in the middle are no news."""


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format, *args):
        pass

    def handle_one(self):
        path, _, query = self.path.partition("?")
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(int(headers.get("content-length", 0))).decode()
        kind = headers.get("content-type", "")
        request = {
            "method": self.command,
            "path": path,
            "query": urllib.parse.parse_qsl(query, keep_blank_values=True),
            "headers": headers,
            "body": body,
            "json": json.loads(body) if body and "json" in kind else None,
            "form": urllib.parse.parse_qsl(body, keep_blank_values=True) if "form" in kind else [],
        }
        api = self.server.api
        status, more, sent = api.answer(request, api.servers.index(self.server))
        self.send_response(status)
        for name, value in {"content-type": "application/json", **more}.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(sent)))
        self.end_headers()
        self.wfile.write(sent)

    do_GET = do_POST = handle_one
