"""Writes the pages of the benchmark as files, one a page, so that a server only has to send them.

Three shapes: Stripe's charges (wide, deep, a list that is mostly empty), flat rows, and invoices with lists in lists.
Every page is a function of its list and its first record, so pages are made side by side and are the same everywhere.
`manifest.json` beside them says how many rows each table must have: counted here, never asked of a program that is
measured.
"""

import json
import multiprocessing
import os
import pathlib
import random
import shutil
import signal
import string
import sys

# Another number makes the files anew in folders that older versions of this program have filled.
FORMAT = 2

SIZES = {
    "full": {"charges": 50_000, "rows": 500_000, "invoices": 100_000, "growth": 5_000_000},
    "tenth": {"charges": 5_000, "rows": 50_000, "invoices": 10_000, "growth": 500_000},
}
PER_PAGE = {"charges": 100, "rows": 1_000, "invoices": 50, "growth": 1_000}

LETTERS = string.ascii_letters + string.digits
CITIES = ["Berlin", "São Paulo", "München", "東京", "New York", "Zürich", "Łódź", "Oslo"]
PEOPLE = ["Jenny Rosen", "Zoë Müller", "Ana Díaz"]


class Draw(random.Random):
    """Random values, in the few kinds that records are made of."""

    def word(self, prefix, length=24):
        return prefix + "".join(self.choices(LETTERS, k=length))

    def perhaps(self, value, share=0.5):
        return value if self.random() < share else None

    def money(self, below):
        return f"{self.random() * below:.2f}"


def address(draw):
    return {
        "city": draw.perhaps(draw.choice(CITIES)),
        "country": draw.perhaps(draw.choice(["US", "DE", "JP", "BR"])),
        "line1": draw.perhaps(f'{draw.randint(1, 999)} Main "St"'),
        "line2": None,
        "postal_code": draw.perhaps(f"{draw.randint(0, 99999):05}"),
        "state": draw.perhaps(draw.choice(["CA", "NY", "TX"])),
    }


def refund(draw, charge_id, currency, created):
    return {
        "id": draw.word("re_"),
        "object": "refund",
        "amount": draw.randint(1, 5000),
        "balance_transaction": draw.word("txn_"),
        "charge": charge_id,
        "created": created + draw.randint(1, 10_000),
        "currency": currency,
        "metadata": {},
        "payment_intent": draw.perhaps(draw.word("pi_")),
        "reason": draw.perhaps(draw.choice(["duplicate", "fraudulent"])),
        "receipt_number": None,
        "status": "succeeded",
    }


def card(draw, amount):
    return {
        "amount_authorized": amount,
        "brand": draw.choice(["visa", "mastercard", "amex"]),
        "checks": {
            "address_line1_check": draw.perhaps("pass"),
            "address_postal_code_check": draw.perhaps("pass"),
            "cvc_check": "pass",
        },
        "country": "US",
        "exp_month": draw.randint(1, 12),
        "exp_year": draw.randint(2025, 2032),
        "extended_authorization": {"status": "disabled"},
        "fingerprint": draw.word("", 16),
        "funding": draw.choice(["credit", "debit"]),
        "incremental_authorization": {"status": "unavailable"},
        "installments": None,
        "last4": f"{draw.randint(0, 9999):04}",
        "mandate": None,
        "multicapture": {"status": "unavailable"},
        "network": "visa",
        "network_token": {"used": False},
        "overcapture": {"maximum_amount_capturable": amount, "status": "unavailable"},
        "three_d_secure": None,
        "wallet": None,
    }


def charge(draw, number):
    """A charge as Stripe's reference shows it, with 0 to 2 refunds."""
    charge_id = f"ch_{number:024}"
    created = 1_700_000_000 - number * 7
    currency = draw.choice(["usd", "eur", "jpy"])
    amount = draw.randint(50, 10**7)
    refunds = 0 if draw.random() < 0.8 else draw.randint(1, 2)
    shipping = {
        "address": address(draw),
        "name": "Jenny Rosen",
        "phone": None,
        "carrier": draw.perhaps("DHL", 0.2),
        "tracking_number": draw.perhaps(draw.word("", 12), 0.2),
    }
    return {
        "id": charge_id,
        "object": "charge",
        "amount": amount,
        "amount_captured": amount,
        "amount_refunded": 0,
        "application": None,
        "application_fee": draw.perhaps(draw.word("fee_"), 0.1),
        "application_fee_amount": draw.perhaps(draw.randint(1, 500), 0.1),
        "balance_transaction": draw.word("txn_"),
        "billing_details": {
            "address": address(draw),
            "email": draw.perhaps(f"user{draw.randint(1, 10**6)}@example.com"),
            "name": draw.perhaps(draw.choice(PEOPLE)),
            "phone": draw.perhaps(f"+1555{draw.randint(0, 9_999_999):07}"),
            "tax_id": None,
        },
        "calculated_statement_descriptor": "EXAMPLE",
        "captured": True,
        "created": created,
        "currency": currency,
        "customer": draw.perhaps(draw.word("cus_", 14), 0.9),
        "description": draw.perhaps(f"Order #{draw.randint(1, 10**6)} — thank you"),
        "disputed": draw.random() < 0.01,
        "failure_balance_transaction": None,
        "failure_code": draw.perhaps("card_declined", 0.05),
        "failure_message": None,
        "fraud_details": {},
        "livemode": False,
        "metadata": draw.perhaps({"order_id": str(draw.randint(1, 10**6)), "channel": draw.choice(["web", "app"])})
        or {},
        "on_behalf_of": None,
        "outcome": {
            "advice_code": None,
            "network_advice_code": None,
            "network_decline_code": None,
            "network_status": "approved_by_network",
            "reason": None,
            "risk_level": "normal",
            "risk_score": draw.randint(0, 99),
            "seller_message": "Payment complete.",
            "type": "authorized",
        },
        "paid": True,
        "payment_intent": draw.perhaps(draw.word("pi_"), 0.8),
        "payment_method": draw.word("pm_"),
        "payment_method_details": {"card": card(draw, amount), "type": "card"},
        "receipt_email": draw.perhaps(f"user{draw.randint(1, 10**6)}@example.com"),
        "receipt_number": None,
        "receipt_url": draw.word("https://pay.example.com/receipts/", 90),
        "refunded": refunds > 0,
        "refunds": {
            "data": [refund(draw, charge_id, currency, created) for _ in range(refunds)],
            "has_more": False,
            "object": "list",
            "total_count": refunds,
            "url": f"/v1/charges/{charge_id}/refunds",
        },
        "review": None,
        "shipping": draw.perhaps(shipping, 0.4),
        "source_transfer": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": None,
        "status": "succeeded",
        "transfer_data": None,
        "transfer_group": None,
    }


def row(draw, number):
    """Ten columns and nothing below them."""
    month, day, hour, minute, second = number % 12 + 1, number % 28 + 1, number % 24, number % 60, number % 59
    return {
        "id": number,
        "created_at": f"2024-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z",
        "customer_id": draw.randint(1, 10**6),
        "amount": round(draw.random() * 1000, 2),
        "currency": draw.choice(["usd", "eur"]),
        "status": draw.choice(["open", "paid", "void"]),
        "name": f"Product {number % 5000}",
        "quantity": draw.randint(1, 50),
        "active": draw.random() < 0.5,
        "note": draw.perhaps(f"a note of some length for row {number}", 0.3),
    }


def invoice(draw, number):
    """An invoice with 1 to 4 line items, some of which have a list of taxes."""
    return {
        "id": f"in_{number:08}",
        "created_at": f"2024-01-{number % 28 + 1:02}T10:00:00+00:00",
        "customer": {"id": f"cus_{number % 9999}", "external_customer_id": draw.perhaps(f"ext_{number}")},
        "currency": "USD",
        "total": draw.money(1000),
        "status": draw.choice(["draft", "issued", "paid"]),
        "line_items": [
            {
                "id": draw.word("li_", 12),
                "name": f"Line {index}",
                "quantity": draw.randint(1, 9),
                "amount": draw.money(100),
                "tax_amounts": draw.perhaps([{"rate": 0.19, "amount": draw.money(1)}], 0.3) or [],
                "sub_line_items": [],
            }
            for index in range(draw.randint(1, 4))
        ],
        "metadata": {},
        "memo": None,
    }


def envelope(name, first, end, total, records):
    """The token under which the page is asked for, and the page around the records."""
    more = end < total
    if name == "charges":
        page = {"object": "list", "url": "/v1/charges", "has_more": more, "data": records}
        return f"ch_{first - 1:024}" if first else "", page
    if name == "invoices":
        following = f"c{end}" if more else None
        page = {"data": records, "pagination_metadata": {"has_more": more, "next_cursor": following}}
        return f"c{first}" if first else "", page
    return str(first), {"total": total, "data": records}


def nested_rows(name, records):
    """Rows of the tables below the list's own."""
    if name == "charges":
        return {"charges__refunds__data": sum(len(record["refunds"]["data"]) for record in records)}
    if name == "invoices":
        items = [item for record in records for item in record["line_items"]]
        taxes = sum(len(item["tax_amounts"]) for item in items)
        return {"invoices__line_items": len(items), "invoices__line_items__tax_amounts": taxes}
    return {}


MAKERS = {"charges": charge, "rows": row, "invoices": invoice, "growth": row}


def write_page(job):
    """Writes one page; gives its bytes and the rows below its records."""
    folder, name, first, total = job
    draw = Draw(f"{name} {first}")
    end = min(first + PER_PAGE[name], total)
    records = [MAKERS[name](draw, number) for number in range(first, end)]
    token, page = envelope(name, first, end, total, records)
    body = json.dumps(page, ensure_ascii=False, separators=(",", ":")).encode()
    with open(os.path.join(folder, f"p_{token}.json"), "wb") as file:
        file.write(body)
    return len(body), nested_rows(name, records)


def write_list(folder, name, total, workers):
    folder.mkdir(parents=True)
    jobs = [(str(folder), name, first, total) for first in range(0, total, PER_PAGE[name])]
    size, tables = 0, {name: total}
    for page_size, nested in workers.imap_unordered(write_page, jobs, chunksize=16):
        size += page_size
        for table, count in nested.items():
            tables[table] = tables.get(table, 0) + count
    return {"records": total, "pages": len(jobs), "bytes": size, "tables": tables}


def generate(root, scale):
    """Makes the pages of a scale below `root` where they are not there yet; gives the manifest."""
    folder = pathlib.Path(root) / scale
    manifest = folder / "manifest.json"
    key = {"format": FORMAT, "sizes": SIZES[scale]}
    if manifest.is_file():
        known = json.loads(manifest.read_text())
        if known["key"] == key:
            return known["lists"]
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    lists = {}
    # A pool ends its workers by SIGTERM, which may mean something else in the program that calls this.
    with multiprocessing.Pool(initializer=signal.signal, initargs=(signal.SIGTERM, signal.SIG_DFL)) as workers:
        for name, total in SIZES[scale].items():
            print(f"  pages: {total:,} {name} ({scale})", file=sys.stderr, flush=True)
            lists[name] = write_list(folder / name, name, total, workers)
    one = {"data": [charge(Draw("one"), 1)]}
    (folder / "one").mkdir()
    body = json.dumps(one, ensure_ascii=False).encode()
    (folder / "one" / "p_.json").write_bytes(body)
    lists["one"] = {"records": 1, "pages": 1, "bytes": len(body), "tables": {"one": 1}}
    # Last: a folder without it is made anew.
    manifest.write_text(json.dumps({"key": key, "lists": lists}, indent=1))
    return lists
