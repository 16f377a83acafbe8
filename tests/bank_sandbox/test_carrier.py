"""The carrier of the sandbox: parcels, the cash of them, and its remittance net of fee."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from moneyed import Money

from fixtures.bank_sandbox.carrier import fee_of
from shop.reconciliation.readers import remittance_csv


def mad(amount: str) -> Money:
    return Money(amount, "MAD")


def deliver(client, tracking: str, reference: str, cod_amount: int) -> None:
    client.post("/parcels", tracking=tracking, reference=reference, cod_amount=cod_amount)
    client.post(f"/parcels/{tracking}/delivered")


def test_a_thousand_dirhams_are_handed_over_as_970(client):
    deliver(client, "AM1", "T-7K3M9Q2X-1", 1000_00)

    remittance = remittance_csv.read(client.get("/remittance", format="csv"))

    assert (remittance.reference, remittance.carrier) == ("REM-2026-0001", "Rihla Messagerie (démo)")
    assert (remittance.collected, remittance.fee) == (mad("1000.00"), mad("25.00"))
    assert (remittance.vat, remittance.net) == (mad("5.00"), mad("970.00"))
    (line,) = remittance.lines
    assert (line.tracking, line.reference) == ("AM1", "T-7K3M9Q2X-1")
    assert client.lines() == []

    client.days_pass(1)
    client.get("/")

    assert client.lines() == [
        ("2026-01-06", 970_00, "VIREMENT RECU RIHLA MESSAGERIE (DÉMO) BORDEREAU REM-2026-0001")
    ]


def test_each_parcel_is_remitted_once(client):
    deliver(client, "AM1", "T-1-1", 1000_00)
    first = client.get("/remittance", format="csv")
    assert client.get("/remittance", format="csv") == first

    deliver(client, "AM2", "T-1-2", 200_00)
    second = remittance_csv.read(client.get("/remittance", format="csv"))

    assert (second.reference, [line.tracking for line in second.lines]) == ("REM-2026-0002", ["AM2"])
    assert client.get("/remittance", format="csv", reference="REM-2026-0001") == first


def test_refused_prepaid_and_waiting_parcels_bring_no_cash(client):
    deliver(client, "PAID", "T-1-1", 0)
    client.post("/parcels", tracking="NO", reference="T-1-2", cod_amount=500_00)
    client.post("/parcels/NO/refused")
    client.post("/parcels", tracking="WAITS", reference="T-1-3", cod_amount=500_00)

    status, _, _ = client.ask("GET", "/remittance?format=csv")

    assert status == 404
    assert client.get("/tracking.csv").decode().split("\r\n") == [
        "tracking,reference,status,at",
        "NO,T-1-2,refused,2026-01-05T11:00:00+01:00",
        "PAID,T-1-1,delivered,2026-01-05T11:00:00+01:00",
        "WAITS,T-1-3,registered,2026-01-05T11:00:00+01:00",
        "",
    ]


def test_the_carrier_can_pay_at_once(client):
    deliver(client, "AM1", "T-1-1", 1000_00)
    client.get("/remittance", format="csv")

    paid = client.post("/remittances/paid", reference="REM-2026-0001")

    assert paid["remittances"][0]["net"] == 970_00
    assert [(day, amount) for day, amount, _ in client.lines()] == [("2026-01-05", 970_00)]
    client.post("/remittances/paid", expect=409)
    client.post("/remittances/paid", reference="REM-none", expect=404)
    client.days_pass(5)
    client.get("/")
    assert len(client.lines()) == 1


def test_a_parcel_ends_one_way_only(client):
    deliver(client, "AM1", "T-1-1", 1000_00)

    assert client.post("/parcels/AM1/delivered")["status"] == "delivered"
    client.post("/parcels/AM1/refused", expect=409)
    client.post("/parcels/none/delivered", expect=404)
    assert client.json("/parcels/AM1")["status"] == "delivered"


def test_a_parcel_is_registered_once(client):
    client.post("/parcels", tracking="AM1", reference="T-1-1", cod_amount=1000_00)

    client.post("/parcels", tracking="AM1", reference="T-1-1", cod_amount=1000_00)
    client.post("/parcels", tracking="AM1", reference="T-1-1", cod_amount=1000_01, expect=409)
    client.post("/parcels", tracking="", reference="T-1-1", cod_amount=0, expect=422)
    client.post("/parcels", tracking="X", reference="T", cod_amount=-1, expect=422)
    client.post("/parcels", tracking="X", reference="T", cod_amount="many", expect=422)

    assert [each["cod_amount"] for each in client.json("/parcels")["parcels"]] == [1000_00]


def test_a_short_remittance_reports_less_than_was_collected(client):
    client.post("/_sandbox/faults", kind="short_remittance", amount=100_00)
    deliver(client, "AM1", "T-1-1", 1000_00)

    remittance = remittance_csv.read(client.get("/remittance", format="csv"))
    client.post("/_sandbox/settle")

    assert (remittance.collected, remittance.net) == (mad("900.00"), mad("873.00"))
    assert [amount for _, amount, _ in client.lines()] == [873_00]


def test_a_remittance_can_be_short_at_the_bank(client):
    client.post("/_sandbox/faults", kind="short_remittance", amount=100_00, place="bank")
    deliver(client, "AM1", "T-1-1", 1000_00)

    remittance = remittance_csv.read(client.get("/remittance", format="csv"))
    client.post("/_sandbox/settle")

    assert remittance.net == mad("970.00")
    assert [amount for _, amount, _ in client.lines()] == [870_00]


def test_an_unknown_parcel_is_in_the_remittance_and_its_money_in_the_bank(client):
    client.post("/_sandbox/faults", kind="unknown_parcel", amount=150_00)
    deliver(client, "AM1", "T-1-1", 1000_00)

    remittance = remittance_csv.read(client.get("/remittance", format="csv"))
    client.post("/_sandbox/settle")

    assert [(line.tracking, line.reference, line.net) for line in remittance.lines] == [
        ("AM1", "T-1-1", mad("970.00")),
        ("INCONNU-0001", "", mad("145.50")),
    ]
    assert [amount for _, amount, _ in client.lines()] == [1115_50]


def test_a_late_remittance(client):
    client.post("/_sandbox/faults", kind="late", days=3)
    deliver(client, "AM1", "T-1-1", 1000_00)
    client.get("/remittance", format="csv")

    client.days_pass(1)
    client.get("/")
    assert client.lines() == []
    client.days_pass(3)
    client.get("/")

    assert [(day, amount) for day, amount, _ in client.lines()] == [("2026-01-09", 970_00)]


@pytest.mark.parametrize(
    ("collected", "fee", "vat"),
    [
        (1000_00, 25_00, 5_00),
        (200_00, 5_00, 1_00),
        (0, 0, 0),
        (1, 0, 0),
        (20, 1, 0),
        (19, 0, 0),
        (99_99, 2_50, 50),
    ],
)
def test_the_fee_is_two_and_a_half_per_cent_and_vat_on_it(collected, fee, vat):
    assert fee_of(collected) == (fee, vat)


@given(st.integers(0, 10_000_000_00))
def test_fee_and_vat_are_within_half_a_centime_of_their_rates(collected):
    fee, vat = fee_of(collected)

    assert abs(fee * 1000 - collected * 25) <= 500
    assert abs(vat * 100 - fee * 20) <= 50
    assert fee + vat <= collected
