"""The door of the sandbox: forms for people, JSON for programs, shut to the rest of the world."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path

import pytest

from fixtures.bank_sandbox.texts import LANGUAGES, TEXTS
from tests.bank_sandbox.orders import batch_file

ROOT = Path(__file__).resolve().parents[2]


def page(client) -> str:
    return client.get("/").decode()


def test_the_page_says_that_it_is_a_sandbox_and_needs_no_script(client):
    status, headers, body = client.ask("GET", "/")

    assert status == 200
    assert "Sandbox: no bank, no carrier, no real money." in body.decode()
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert not re.search(r"<script|style=|onclick|https?://", body.decode())
    assert client.ask("GET", "/style.css")[1]["Content-Type"].startswith("text/css")


@pytest.mark.parametrize(
    ("locale", "direction", "said"),
    [
        ("fr", "ltr", "La banque rejette le prochain virement ; rien n&#x27;est débité."),
        ("ar", "rtl", "يرفض البنك التحويل المقبل؛ ولا يُقتطع شيء."),
        ("en", "ltr", "The bank rejects the next credit transfer; nothing is debited."),
    ],
)
def test_the_page_speaks_three_languages_and_keeps_to_the_one_chosen(client, locale, direction, said):
    found = client.get("/", locale=locale).decode()
    assert f'<html lang="{locale}" dir="{direction}">' in found
    assert said in found
    assert "rejection –" not in found

    location = client.form(f"/_sandbox/faults?locale={locale}", kind="rejection")
    assert location.endswith(f"&locale={locale}")
    assert f'lang="{locale}"' in client.get(location).decode()


def test_every_text_is_there_in_each_language():
    for name, texts in TEXTS.items():
        assert set(texts) == set(LANGUAGES), name


def test_how_far_the_clock_is_off_is_a_sentence(client):
    client.post("/_sandbox/clock", offset_seconds=8 * 86400 + 3600)

    assert "That is ahead of the machine&#x27;s clock (days: 8, hours: 1)." in page(client)


def test_the_carrier_has_the_name_the_shop_gives_it(client):
    assert "Rihla Messagerie (démo)" in page(client)


def test_every_fault_and_the_settling_have_a_button(client):
    found = page(client)

    kinds = ("rejection", "return", "fee", "twin", "late", "short_remittance", "unknown_parcel")
    for kind in kinds:
        assert f'name="kind" value="{kind}"' in found
    assert 'action="/_sandbox/settle?locale=en"' in found
    for link in ('value="csv"', 'value="camt053"', 'action="/remittance"', 'action="/tracking.csv"'):
        assert link in found


def test_an_operator_plays_the_whole_chain_with_buttons(client):
    boundary = "frontier"
    upload = (
        (
            f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="b.xml"\r\n'
            "Content-Type: application/xml\r\n\r\n"
        ).encode()
        + batch_file()
        + f"\r\n--{boundary}--\r\n".encode()
    )
    status, headers, _ = client.ask(
        "POST", "/batches", upload, Content_Type=f"multipart/form-data; boundary={boundary}"
    )
    assert (status, headers["Location"]) == (303, "/?said=The%20bank%20took%20batch%20B-20260105-1.")

    client.form("/_sandbox/faults", kind="fee", money="1 250,50")
    client.form("/deposits", id="po_1", trace_id="TRACE42", money="89,24", currency="EUR")
    client.form("/parcels", tracking="AM 1/é", reference="T-1-1", money="1000")
    client.form("/parcels/AM%201%2F%C3%A9/delivered")
    client.get("/remittance", format="csv")
    client.form("/_sandbox/settle")

    assert sorted(amount for _, amount, _ in client.lines()) == [-1250_50, -534_00, -302_60, 963_42, 970_00]
    assert "B-20260105-1/A" in page(client)


def test_a_refusal_comes_back_to_the_page_as_a_sentence(client):
    location = client.form("/deposits", id="po_1", trace_id="T", money="douze", currency="EUR")

    assert location == "/?refused=An%20amount%20is%20written%20like%201%20234%2C56."
    assert "An amount is written like 1 234,56." in client.get(location).decode()


def test_what_people_type_is_shown_and_never_run(client):
    client.post("/parcels", tracking="<script>alert(1)</script>", reference='"><b>', cod_amount=0)

    found = page(client) + client.get("/?said=%3Cscript%3E").decode()

    assert "<script>" not in found
    assert '"><b>' not in found


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "evil.example"}, 403),
        ({"Host": "127.0.0.1.evil.example"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Content_Length": "99999999999"}, 413),
        ({"Transfer_Encoding": "chunked"}, 411),
    ],
)
def test_other_sites_and_endless_bodies_are_turned_away(client, headers, status):
    connection_body = None if "Content_Length" in headers or "Transfer_Encoding" in headers else b"kind=fee"

    assert client.ask("POST", "/_sandbox/faults", connection_body, **headers)[0] == status

    assert client.lines() == []


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/nowhere", None, 404),
        ("DELETE", "/batches", None, 405),
        ("GET", "/_sandbox/settle", None, 405),
        ("POST", "/deposits", b"{", 400),
        ("POST", "/deposits", b"[]", 400),
        ("POST", "/_sandbox/clock", b"{}", 422),
        ("POST", "/_sandbox/clock", b'{"offset_seconds": 1e400}', 422),
        ("POST", "/_sandbox/faults", b'{"kind": "earthquake"}', 422),
        ("POST", "/_sandbox/faults", b'{"kind": "fee", "days": 99}', 422),
        ("POST", "/_sandbox/faults", b'{"kind": "fee", "place": "file"}', 422),
        ("POST", "/_sandbox/faults", b'{"kind": "fee", "bank_reference": "BK1"}', 422),
        ("GET", "/batches/none", None, 404),
        ("GET", "/remittance?reference=none", None, 404),
        ("GET", "/remittance?format=pdf", None, 400),
    ],
)
def test_what_makes_no_sense_is_refused_and_changes_nothing(client, method, path, body, status):
    found, _, answer = client.ask(method, path, body, Content_Type="application/json")

    assert found == status
    assert json.loads(answer)["error"]["message"]
    assert client.lines() == []
    assert client.json("/_sandbox/faults") == {"faults": []}


def test_the_clock_is_the_system_s_plus_the_shared_offset(client):
    client.post("/_sandbox/clock", offset_seconds=3600)

    assert client.json("/health") == {
        "sandbox": "bank",
        "now": "2026-01-05T11:00:00+00:00",
        "clock_offset": 3600,
    }


def test_a_clock_moved_back_does_not_disorder_the_lines(client):
    client.days_pass(3)
    client.post("/_sandbox/faults", kind="fee")
    client.days_pass(-3)
    client.post("/_sandbox/faults", kind="fee")

    assert [day for day, _, _ in client.lines()] == ["2026-01-08", "2026-01-08"]


def test_twenty_at_once_are_all_served_and_none_is_lost(client):
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: client.post("/_sandbox/faults", kind="fee", amount=1), range(20)))

    with client.sandbox.world() as world:
        assert [each["id"] for each in world.all("SELECT id FROM bank_lines ORDER BY id")] == list(
            range(1, 21)
        )


def test_one_batch_given_eight_times_at_once_is_taken_once(client):
    with ThreadPoolExecutor(8) as pool:
        found = list(
            pool.map(
                lambda _: client.ask("POST", "/batches", batch_file(), Content_Type="application/xml")[0],
                range(8),
            )
        )

    assert sorted(found) == [201] + [409] * 7
    assert client.post("/_sandbox/settle") == {"booked": 2}


def test_it_runs_as_a_process_and_ends_when_told(tmp_path):
    command = [
        sys.executable,
        "-m",
        "fixtures.bank_sandbox",
        "--port",
        "0",
        "--seed",
        "1",
        "--clock-offset",
        "7200",
    ]
    command += ["--state", str(tmp_path / "var" / "bank.sqlite3")]
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        said = process.stdout.readline()
        url = re.search(r"http://(127\.0\.0\.1:\d+)/", said)[1]
        connection = HTTPConnection(url, timeout=10)
        connection.request("GET", "/health")
        health = json.loads(connection.getresponse().read())
        connection.close()
    finally:
        process.send_signal(signal.SIGTERM)
        ended = process.wait(timeout=10)
        process.stdout.close()

    assert health["clock_offset"] == 7200
    assert abs((datetime.fromisoformat(health["now"]) - datetime.now(UTC)).total_seconds() - 7200) < 60
    assert ended == 0
