"""A small HTTP server on the loopback interface: an API that takes its time, or files where nginx is not installed.

    python server.py slow MILLISECONDS       answers made here, each sent so long after its request
    python server.py files FOLDER            pages that generate.py made

Prints its port on the first line. `/stats` says how many requests came and how many were under way at once. It ends
when its standard input is closed, so with its parent.
"""

import asyncio
import functools
import json
import pathlib
import re
import sys
import threading
import urllib.parse

# What the slow API holds.
LIST_PAGES, LIST_LIMIT = 200, 100
PARENTS, PARENTS_LIMIT, CHILDREN = 1_000, 100, 5
DAYS, EVENTS_A_DAY = 60, 100
FIRST_DAY = 1_704_067_200  # 2024-01-01T00:00:00Z
DAY = 86_400

# The argument of the query that names a page's file.
ARGUMENTS = {"charges": "starting_after", "rows": "offset", "growth": "offset", "invoices": "cursor", "one": ""}


def item(number):
    return {"id": number, "name": f"Item {number}", "amount": number % 997, "active": number % 2 == 0}


def offset_list(query, total, limit):
    first = int(query.get("offset", 0))
    return {"total": total, "data": [item(number) for number in range(first, min(first + limit, total))]}


def events(query):
    """Events from `created[gte]` up to `created[lt]`; event i of a day happens at its i-th 864th second."""
    start = int(query.get("created[gte]", FIRST_DAY))
    end = int(query.get("created[lt]", FIRST_DAY + DAYS * DAY))
    step = DAY // EVENTS_A_DAY
    first = max(0, -(-(start - FIRST_DAY) // step))
    last = min(DAYS * EVENTS_A_DAY, -(-(end - FIRST_DAY) // step))
    offset = int(query.get("offset", 0))
    numbers = range(first, last)
    page = [item(number) | {"created": FIRST_DAY + number * step} for number in numbers[offset : offset + EVENTS_A_DAY]]
    return {"total": len(numbers), "data": page}


def slow_answer(path, query):
    if path == "/list":
        return offset_list(query, LIST_PAGES * LIST_LIMIT, LIST_LIMIT)
    if path == "/parents":
        return offset_list(query, PARENTS, PARENTS_LIMIT)
    if path == "/events":
        return events(query)
    children = re.fullmatch(r"/parents/(\d+)/children", path)
    if children:
        first = int(children[1]) * CHILDREN
        return {"data": [item(number) for number in range(first, first + CHILDREN)]}
    return None


def slow_body(path, query):
    answer = slow_answer(path, query)
    return None if answer is None else json.dumps(answer, separators=(",", ":")).encode()


def file_body(folder, path, query):
    found = re.fullmatch(r"/(full|tenth)/(\w+)", path)
    if not found or found[2] not in ARGUMENTS:
        return None
    token = query.get(ARGUMENTS[found[2]], "")
    file = folder / found[1] / found[2] / f"p_{token}.json"
    return file.read_bytes() if re.fullmatch(r"\w*", token) and file.is_file() else None


class Api:
    """Answers requests of any number of connections, one after another on each."""

    def __init__(self, body, delay):
        self.body = body
        self.delay = delay
        self.requests = 0
        self.under_way = 0
        self.most = 0

    def stats(self):
        """Counted from the beginning, but the most at once only since the last question."""
        most, self.most = self.most, 0
        return json.dumps({"requests": self.requests, "most": most}).encode()

    async def serve(self, reader, writer):
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                target = head.split(b" ", 2)[1].decode("ascii")
                path, _, query = target.partition("?")
                if path == "/stats":
                    self.requests += 1
                    body = self.stats()
                else:
                    body = await self.answer(path, dict(urllib.parse.parse_qsl(query)))
                status = "404 Not Found" if body is None else "200 OK"
                body = body or b"{}"
                head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
                writer.write(head.encode() + body)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # The client has gone.
        finally:
            writer.close()

    async def answer(self, path, query):
        self.requests += 1
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        try:
            if self.delay:
                await asyncio.sleep(self.delay)
            return self.body(path, query)
        finally:
            self.under_way -= 1


async def run(api):
    server = await asyncio.start_server(api.serve, "127.0.0.1", 0, backlog=256)
    print(server.sockets[0].getsockname()[1], flush=True)
    gone = asyncio.Event()
    loop = asyncio.get_running_loop()

    def watch():
        sys.stdin.read()
        loop.call_soon_threadsafe(gone.set)

    threading.Thread(target=watch, daemon=True).start()
    await gone.wait()


def main():
    kind, argument = sys.argv[1:]
    if kind == "slow":
        api = Api(slow_body, int(argument) / 1000)
    else:
        api = Api(functools.partial(file_body, pathlib.Path(argument)), 0)
    asyncio.run(run(api))


if __name__ == "__main__":
    main()
