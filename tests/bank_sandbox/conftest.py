"""A sandbox on a Monday morning, and a small client that speaks to it as the shop and its people do."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import HTTPConnection
from urllib.parse import urlencode

import pytest

from fixtures.bank_sandbox import Running, running

MONDAY = datetime(2026, 1, 5, 10, 0, tzinfo=UTC)
DAY = 86400


@dataclass
class Client:
    sandbox: Running

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str):
        """Status, headers, body."""
        connection = HTTPConnection(self.sandbox.url.removeprefix("http://"), timeout=10)
        named = {"Accept-Language": "en"} | {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            connection.request(method, path, body, named)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def get(self, path: str, **query) -> bytes:
        status, _, body = self.ask("GET", f"{path}?{urlencode(query)}" if query else path)
        assert status == 200, body.decode()
        return body

    def json(self, path: str, **query):
        return json.loads(self.get(path, **query))

    def post(self, path: str, *, expect: int | None = None, **values):
        status, _, body = self.ask("POST", path, json.dumps(values).encode(), Content_Type="application/json")
        assert status == expect if expect else status < 300, (status, body.decode())
        return json.loads(body)

    def give(self, content: bytes, *, expect: int = 201):
        status, _, body = self.ask("POST", "/batches", content, Content_Type="application/xml")
        assert status == expect, (status, body.decode())
        return json.loads(body)

    def form(self, path: str, **values) -> str:
        """Press a button; where the browser is sent."""
        status, headers, _ = self.ask(
            "POST", path, urlencode(values).encode(), Content_Type="application/x-www-form-urlencoded"
        )
        assert status == 303
        return headers["Location"]

    def lines(self) -> list[tuple[str, int, str]]:
        """Every line so far: (day, centimes, text)."""
        with self.sandbox.world() as world:
            return [
                tuple(each)
                for each in world.all("SELECT booked_on, amount, text FROM bank_lines ORDER BY id")
            ]

    def days_pass(self, days: int) -> None:
        offset = self.json("/health")["clock_offset"]
        self.post("/_sandbox/clock", offset_seconds=offset + days * DAY)


@pytest.fixture
def client(tmp_path):
    with running(tmp_path / "bank.sqlite3", seed=1, system_now=lambda: MONDAY) as sandbox:
        yield Client(sandbox)
