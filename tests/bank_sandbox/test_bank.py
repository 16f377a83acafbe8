"""The bank of the sandbox: strict about orders, executing on business days, wrong only when asked to be."""

from __future__ import annotations

import sqlite3

import pytest

from fixtures.bank_sandbox import TADAMON_RIB, running
from fixtures.bank_sandbox.orders import is_rib
from shop.payments.bank import rib
from shop.payments.bank.pain001 import AccountForm
from tests.bank_sandbox.conftest import MONDAY, Client
from tests.bank_sandbox.orders import batch_file

A = ("VIREMENT EMIS B-20260105-1/A Coopérative Démo Jbel Nahla", -534_00)
B = ("VIREMENT EMIS B-20260105-1/B تعاونية منديل الريف (تجريبية)", -302_60)


def statuses(client, message_id="B-20260105-1"):
    report = client.json(f"/batches/{message_id}")
    return report["status"], [(each["status"], each["reason"]) for each in report["transfers"]]


def test_our_batch_is_acknowledged_and_debited_on_the_next_business_day(client):
    acknowledged = client.give(batch_file())

    assert (acknowledged["status"], acknowledged["count"], acknowledged["total"]) == ("ACCP", 2, 836_60)
    assert acknowledged["execute_on"] == "2026-01-06"
    assert client.lines() == []

    client.days_pass(1)

    assert statuses(client) == ("ACSC", [("ACSC", ""), ("ACSC", "")])
    assert client.lines() == [("2026-01-06", A[1], A[0]), ("2026-01-06", B[1], B[0])]


def test_a_batch_of_friday_is_executed_on_monday(client):
    client.days_pass(4)

    assert client.give(batch_file())["execute_on"] == "2026-01-12"  # Sunday the 11th is a holiday besides

    client.days_pass(2)
    assert client.lines() == []
    client.days_pass(1)
    client.get("/")
    assert [day for day, _, _ in client.lines()] == ["2026-01-12", "2026-01-12"]


def test_an_operator_need_not_wait(client):
    client.give(batch_file())

    assert client.post("/_sandbox/settle") == {"booked": 2}
    assert client.post("/_sandbox/settle") == {"booked": 0}

    assert [(text, amount) for _, amount, text in client.lines()] == [A, B]


def test_an_order_with_ibans_is_taken_too(client):
    assert client.give(batch_file(account_form=AccountForm.IBAN))["total"] == 836_60


def test_the_same_message_twice_is_refused(client):
    client.give(batch_file())

    refusal = client.give(batch_file(), expect=409)

    assert refusal["error"]["code"] == "DU01"
    client.post("/_sandbox/settle")
    assert len(client.lines()) == 2


@pytest.mark.parametrize(
    ("before", "after", "code"),
    [
        ("999780000000000000000105", "999780000000000000000106", "AC01"),
        ("999780000000000000000105", "99978000000000000000010", "AC01"),
        (">534.00<", ">535.00<", "AM10"),
        (">534.00<", ">534.0<", "AM12"),
        (">534.00<", ">-534.00<", "AM12"),
        (">534.00<", ">0.00<", "AM01"),
        ("<NbOfTxs>2", "<NbOfTxs>3", "AM18"),
        ("<CtrlSum>836.60", "<CtrlSum>836.61", "AM10"),
        ("<EndToEndId>B-20260105-1/B", "<EndToEndId>B-20260105-1/A", "DU04"),
        ("<EndToEndId>B-20260105-1/B", "<EndToEndId>B*", "FF01"),
        ("<MsgId>B-20260105-1", "<MsgId>", "FF01"),
        ("<PmtMtd>TRF", "<PmtMtd>CHK", "FF05"),
        ("<ReqdExctnDt>2026-01-05", "<ReqdExctnDt>2026-02-30", "DT01"),
        (TADAMON_RIB, "310810101402900442310133", "AC02"),
        ('Ccy="MAD">534', 'Ccy="EUR">534', "AM03"),
        ("pain.001.001.03", "pain.001.001.09", "not_pain001"),
        ("</Document>", "", "not_pain001"),
        ("<Document", "<!DOCTYPE a [<!ENTITY b 'c'>]><Document", "unsafe"),
    ],
)
def test_an_order_with_anything_wrong_is_refused_whole(client, before, after, code):
    content = batch_file().decode()
    assert before in content

    refusal = client.give(content.replace(before, after, 1).encode(), expect=422)

    assert refusal["error"]["code"] == code
    assert client.json("/batches") == {"batches": []}
    assert client.post("/_sandbox/settle") == {"booked": 0}


def test_the_sandbox_and_the_shop_agree_about_account_numbers():
    assert is_rib(TADAMON_RIB)
    assert rib.check(TADAMON_RIB) == TADAMON_RIB
    assert not is_rib("999780000000000000202642")


def test_a_rejected_transfer_is_never_debited(client):
    client.post("/_sandbox/faults", kind="rejection", reference="B-20260105-1/B", reason="AC04")
    client.give(batch_file())

    client.post("/_sandbox/settle")

    assert statuses(client) == ("PART", [("ACSC", ""), ("RJCT", "AC04")])
    assert [(text, amount) for _, amount, text in client.lines()] == [A]


def test_a_returned_transfer_comes_back_a_business_day_later(client):
    client.post("/_sandbox/faults", kind="return", reference="B-20260105-1/A", reason="AC04")
    client.give(batch_file())

    client.post("/_sandbox/settle")
    assert statuses(client) == ("ACSC", [("ACSC", ""), ("ACSC", "")])
    client.days_pass(1)
    assert statuses(client) == ("ACSC", [("RTRN", "AC04"), ("ACSC", "")])

    assert client.lines() == [
        ("2026-01-05", A[1], A[0]),
        ("2026-01-05", B[1], B[0]),
        ("2026-01-06", 534_00, "RETOUR VIREMENT B-20260105-1/A MOTIF AC04"),
    ]
    (line,) = [each for each in client.json("/statement", format="json")["lines"] if each["is_reversal"]]
    assert (line["end_to_end_id"], line["counterparty_rib"]) == ("B-20260105-1/A", "999780000000000000000105")


def test_a_fee_is_debited_at_once(client):
    fault = client.post("/_sandbox/faults", kind="fee")

    assert client.lines() == [("2026-01-05", -25_00, "FRAIS DE TENUE DE COMPTE")]
    assert fault["struck"]


def test_a_twin_is_a_second_true_line(client):
    client.post("/_sandbox/faults", kind="twin")
    client.give(batch_file())

    client.post("/_sandbox/settle")

    assert [(text, amount) for _, amount, text in client.lines()] == [A, A, B]
    lines = client.json("/statement", format="json")["lines"]
    assert len({each["bank_reference"] for each in lines}) == 3


def test_a_line_already_booked_can_get_its_twin(client):
    client.post("/_sandbox/faults", kind="fee", amount=10_00)
    (fee,) = client.json("/statement", format="json")["lines"]

    client.post("/_sandbox/faults", kind="twin", bank_reference=fee["bank_reference"])

    assert [amount for _, amount, _ in client.lines()] == [-10_00, -10_00]
    assert client.post("/_sandbox/faults", kind="twin", bank_reference="BK-none", expect=404)
    assert len(client.json("/_sandbox/faults")["faults"]) == 2


def test_a_late_movement_waits_some_business_days(client):
    client.post("/_sandbox/faults", kind="late", days=2)
    client.post("/deposits", id="po_1", trace_id="TRACE42", amount=968_25, currency="MAD")

    client.days_pass(1)
    client.get("/")
    client.post("/_sandbox/settle")
    assert client.lines() == []
    client.days_pass(2)
    client.get("/")

    assert client.lines() == [("2026-01-08", 968_25, "VIREMENT RECU STRIPE TRACE42")]


def test_what_is_late_can_be_hurried(client):
    client.post("/_sandbox/faults", kind="late", reference="po_1")
    client.post("/deposits", id="po_1", trace_id="TRACE42", amount=968_25, currency="MAD")
    client.post("/_sandbox/settle")

    assert client.post("/_sandbox/settle", late=True) == {"booked": 1}


def test_a_fault_strikes_once(client):
    client.post("/_sandbox/faults", kind="rejection")
    client.give(batch_file())
    client.post("/_sandbox/settle")
    client.give(batch_file("B-20260105-2"))
    client.post("/_sandbox/settle")

    assert [status for status, _ in statuses(client)[1]] == ["RJCT", "ACSC"]
    assert [status for status, _ in statuses(client, "B-20260105-2")[1]] == ["ACSC", "ACSC"]


@pytest.mark.parametrize(
    ("deposit", "rate", "credited"),
    [
        ({"amount": 89_24, "currency": "eur"}, "10.7958", 963_42),
        ({"amount": 89_24, "currency": "EUR", "rate": "10.85"}, "10.8500", 968_25),
        ({"amount": 89_24, "currency": "EUR", "rate": "10.90", "spread": "0.01"}, "10.7910", 962_99),
        ({"amount": 836_60, "currency": "MAD"}, "1", 836_60),
    ],
)
def test_a_deposit_is_changed_into_dirhams_at_the_banks_own_rate(client, deposit, rate, credited):
    taken = client.post("/deposits", id="po_1", trace_id="TRACE42", **deposit)

    assert (taken["rate"], taken["credited"]) == (rate, credited)
    client.post("/_sandbox/settle")
    ((_, amount, text),) = client.lines()
    assert amount == credited
    assert "TRACE42" in text


def test_the_same_deposit_again_changes_nothing(client):
    first = client.post("/deposits", id="po_1", trace_id="TRACE42", amount=89_24, currency="EUR")

    assert client.post("/deposits", id="po_1", trace_id="TRACE42", amount=89_24, currency="EUR") == first
    client.post("/deposits", id="po_1", trace_id="TRACE42", amount=89_25, currency="EUR", expect=409)
    client.post("/_sandbox/settle")
    assert [amount for _, amount, _ in client.lines()] == [963_42]


@pytest.mark.parametrize(
    "values",
    [
        {"id": "", "trace_id": "T", "amount": 1, "currency": "MAD"},
        {"id": "po", "trace_id": "", "amount": 1, "currency": "MAD"},
        {"id": "po", "trace_id": "T", "amount": 0, "currency": "MAD"},
        {"id": "po", "trace_id": "T", "amount": -1, "currency": "MAD"},
        {"id": "po", "trace_id": "T", "amount": 1.5, "currency": "MAD"},
        {"id": "po", "trace_id": "T", "amount": True, "currency": "MAD"},
        {"id": "po", "trace_id": "T", "amount": 1, "currency": "USD"},
        {"id": "po", "trace_id": "T", "amount": 1, "currency": "EUR", "rate": "x"},
        {"id": "po", "trace_id": "T", "amount": 1, "currency": "EUR", "rate": "NaN"},
        {"id": "po", "trace_id": "T", "amount": 1, "currency": "EUR", "spread": "2"},
        {"id": 7, "trace_id": "T", "amount": 1, "currency": "EUR"},
    ],
)
def test_a_deposit_that_makes_no_sense_is_refused(client, values):
    client.post("/deposits", expect=422, **values)

    assert client.post("/_sandbox/settle") == {"booked": 0}


def test_what_it_knows_survives_a_restart(tmp_path):
    state = tmp_path / "bank.sqlite3"
    with running(state, seed=7, system_now=lambda: MONDAY) as sandbox:
        client = Client(sandbox)
        client.give(batch_file())
        client.post("/_sandbox/faults", kind="fee")
        client.post("/_sandbox/clock", offset_seconds=86400)
        before = client.get("/statement", format="csv")

    with running(state, seed=99, system_now=lambda: MONDAY) as sandbox:
        client = Client(sandbox)

        assert client.json("/health")["clock_offset"] == 86400
        assert client.get("/statement", format="csv", number=1) == before
        assert len(client.lines()) == 3
        assert client.give(batch_file(), expect=409)["error"]["code"] == "DU01"


def test_the_same_seed_plays_the_same_run(tmp_path):
    def play(name: str, seed: int) -> bytes:
        with running(tmp_path / name, seed=seed, system_now=lambda: MONDAY) as sandbox:
            client = Client(sandbox)
            client.post("/_sandbox/faults", kind="return")
            client.give(batch_file())
            client.post("/_sandbox/settle")
            client.post("/_sandbox/settle")
            return client.get("/statement", format="camt053")

    assert play("a", 1) == play("b", 1)
    assert play("a2", 1) != play("c", 2)


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE bank_lines SET amount = 1",
        "DELETE FROM bank_lines",
        "INSERT OR REPLACE INTO bank_lines SELECT id, 'x', booked_on, value_on, 1, kind, text, '', '', '', 0 FROM bank_lines",
        "INSERT INTO bank_lines SELECT id + 2, 'x', booked_on, value_on, 1, kind, text, '', '', '', 0 FROM bank_lines",
        "INSERT INTO bank_lines SELECT id + 1, 'x', '2020-01-01', value_on, 1, kind, text, '', '', '', 0 FROM bank_lines",
        "INSERT INTO bank_lines SELECT id + 1, 'x', booked_on, value_on, 0, kind, text, '', '', '', 0 FROM bank_lines",
    ],
)
def test_bank_lines_can_only_be_added(client, sql):
    client.post("/_sandbox/faults", kind="fee")
    before = client.lines()

    with pytest.raises(sqlite3.IntegrityError), client.sandbox.world() as world:
        world.db.execute(sql)

    assert client.lines() == before


def test_without_the_triggers_a_line_could_be_changed(client):
    client.post("/_sandbox/faults", kind="fee")

    with client.sandbox.world() as world:
        world.db.execute("DROP TRIGGER bank_lines_are_never_changed")
        world.db.execute("UPDATE bank_lines SET amount = 1")

    assert client.lines()[0][1] == 1
