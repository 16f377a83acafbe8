"""Statements of the sandbox: numbered, chained, the same for ever, and read by the shop's own readers."""

from __future__ import annotations

from datetime import date

import pytest
from moneyed import Money

from fixtures.bank_sandbox import TADAMON_RIB
from shop.core.money import from_minor
from shop.reconciliation.readers import camt053, statement_csv
from tests.bank_sandbox.orders import batch_file


@pytest.fixture
def busy(client):
    """A Monday and a Tuesday with everything that happens on an account."""
    client.post("/_sandbox/faults", kind="return", reference="B-20260105-1/B", reason="AC04")
    client.post("/deposits", id="po_1", trace_id="TRACE42", amount=89_24, currency="EUR")
    client.give(batch_file())
    client.post("/_sandbox/settle")
    client.post("/_sandbox/faults", kind="fee")
    client.post("/parcels", tracking="AM1", reference="T-1-1", cod_amount=1000_00)
    client.post("/parcels/AM1/delivered")
    client.get("/remittance", format="csv")
    client.days_pass(1)
    return client


AMOUNTS = [963_42, -534_00, -302_60, -25_00, 302_60, 970_00]
MOVED = [from_minor(each, "MAD") for each in AMOUNTS]


@pytest.mark.parametrize("version", ["02", "08"])
def test_our_reader_reads_its_camt053(busy, version):
    statement = camt053.read(busy.get("/statement", format="camt053", version=version))

    assert (statement.account, statement.currency, statement.sequence) == (TADAMON_RIB, "MAD", 1)
    assert (statement.opening, statement.closing) == (Money("0.00", "MAD"), from_minor(sum(AMOUNTS), "MAD"))
    assert (statement.from_on, statement.to_on) == (date(2026, 1, 5), date(2026, 1, 6))
    assert sorted(line.amount for line in statement.lines) == sorted(MOVED)
    by_text = {line.text.split()[0]: line for line in statement.lines}
    returned = by_text["RETOUR"]
    assert (returned.is_reversal, returned.end_to_end_id) == (True, "B-20260105-1/B")
    assert returned.counterparty_name == "تعاونية منديل الريف (تجريبية)"
    assert returned.counterparty_rib == "999780000000000000000202"
    assert by_text["FRAIS"].end_to_end_id == ""


def test_our_reader_reads_its_csv_without_being_told_how(busy):
    content = busy.get("/statement", format="csv")

    suggestion = statement_csv.suggest_mapping(content)
    statement = statement_csv.read(
        content,
        mapping=suggestion.mapping,
        account=suggestion.account,
        opening=Money(suggestion.opening, "MAD"),
        closing=Money(suggestion.closing, "MAD"),
        sequence=suggestion.sequence,
    )

    other = camt053.read(busy.get("/statement", format="camt053", number=1))
    assert (statement.account, statement.sequence) == (TADAMON_RIB, 1)
    assert (statement.opening, statement.closing) == (other.opening, other.closing)
    assert [line.amount for line in statement.lines] == [line.amount for line in other.lines]
    assert [line.end_to_end_id for line in statement.lines] == [line.end_to_end_id for line in other.lines]
    assert [line.identity for line in statement.lines] == [line.identity for line in other.lines]


def test_statements_follow_one_another(client):
    numbers = []
    for _ in range(4):
        client.post("/_sandbox/faults", kind="fee")
        numbers.append(client.json("/statement", format="json"))
        client.days_pass(1)

    assert [each["number"] for each in numbers] == [1, 2, 3, 4]
    assert [each["opening"] for each in numbers] == [0, -25_00, -50_00, -75_00]
    assert [each["closing"] for each in numbers] == [-25_00, -50_00, -75_00, -100_00]
    assert all(len(each["lines"]) == 1 for each in numbers)


def test_a_statement_asked_for_again_is_the_same_file(client):
    client.post("/_sandbox/faults", kind="fee")
    first = client.get("/statement", format="csv")
    client.days_pass(3)

    assert client.get("/statement", format="csv") == first
    assert client.get("/statement", format="csv", number=1) == first
    client.post("/_sandbox/faults", kind="fee")
    assert client.json("/statement", format="json")["number"] == 2
    assert client.get("/statement", format="csv", number=1) == first


def test_days_can_be_asked_for(busy):
    monday = busy.json("/statement", format="json", **{"from": "2026-01-01", "to": "2026-01-05"})
    tuesday = busy.json("/statement", format="json", **{"from": "2026-01-06", "to": "2026-01-31"})
    again = busy.json("/statement", format="json", **{"from": "2026-01-01", "to": "2026-01-05"})

    assert (monday["number"], tuesday["number"], again) == (1, 2, monday)
    assert monday["closing"] == tuesday["opening"] == 963_42 - 534_00 - 302_60 - 25_00
    assert tuesday["closing"] == sum(AMOUNTS)


def test_a_day_without_movement_has_a_statement_too(client):
    statement = camt053.read(client.get("/statement", format="camt053"))

    assert statement.lines == ()
    assert statement.opening == statement.closing == Money("0.00", "MAD")


def test_twins_stay_two_for_the_reader(client):
    client.post("/_sandbox/faults", kind="fee")
    (line,) = client.json("/statement", format="json")["lines"]
    client.post("/_sandbox/faults", kind="twin", bank_reference=line["bank_reference"])

    statement = camt053.read(
        client.get("/statement", format="camt053", **{"from": "2026-01-05", "to": "2026-01-05"})
    )

    assert [each.amount for each in statement.lines] == [Money("-25.00", "MAD")] * 2
    assert len({each.identity for each in statement.lines}) == 2


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("format=pdf", 400),
        ("from=yesterday", 400),
        ("from=2026-01-31&to=2026-01-01", 400),
        ("format=camt053&version=99", 400),
        ("number=7", 404),
        ("number=x", 404),
        ("number=-1", 404),
    ],
)
def test_a_statement_that_cannot_be_is_refused(client, query, status):
    assert client.ask("GET", f"/statement?{query}")[0] == status

    with client.sandbox.world() as world:
        assert world.all("SELECT * FROM statements") == []
