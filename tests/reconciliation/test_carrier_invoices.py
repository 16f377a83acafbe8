"""What carriage costs is booked when the carrier invoices it: once for each part, refused parcels too."""

from __future__ import annotations

import pytest
from django.urls import reverse

from shop.core.errors import Refused
from shop.fulfilment import delivering
from shop.ledger.models import JournalEntry
from shop.reconciliation import importing
from shop.reconciliation.actions import Action
from shop.reconciliation.errors import AlreadyImported, InvoiceKnown, InvoiceOfAnotherTime, ParcelNotOurs
from shop.reconciliation.models import StatementFile
from shop.reconciliation.readers.errors import (
    CarriersCellUnreadable,
    ColumnMissing,
    FileEmpty,
    InvoiceSumsWrong,
    ParcelTwice,
    RowCut,
    StatementIncomplete,
)
from tests.factories import ListingFactory, placed
from tests.reconciliation.test_resolving import settle
from tests.reconciliation.world import L, World, mad, stands, the

HEAD = "Facture;Date de la facture;N° de suivi;Référence;Montant HT;TVA;Montant TTC;Devise"


def invoice_of(
    *parcels: tuple[str, str, str, str, str], total: str, number: str = "F-2026-17", on: str = "24/11/2026"
) -> bytes:
    rows = [
        f"{number};{on};{tracking};{part};{net};{vat};{gross};MAD"
        for tracking, part, net, vat, gross in parcels
    ]
    return "\r\n".join([HEAD, *rows, f"TOTAL;;;;{total};MAD", ""]).encode("utf-8-sig")


def take(world: World, content: bytes, carrier):
    return importing.import_carrier_invoice(
        content=content, name="facture.csv", carrier=carrier, by=world.maker, at=world.at
    )


def test_the_carriage_of_a_parcel_and_of_a_refused_one_is_owed_to_the_carrier_until_the_bank_pays(
    world: World,
):
    kept = world.cash_parcel("1000.00")
    (part,) = placed((ListingFactory(), 1), at=world.at, to="dispatched", method="cash")
    (refused,) = part.shipments.all()
    delivering.record_refusal(shipment=refused, reason="absent", at=world.at)
    content = invoice_of(
        (kept.tracking_number, kept.supplier_order.reference, "37,50", "7,50", "45,00"),
        (refused.tracking_number, "", "30,00", "6,00", "36,00"),
        total="67,50;13,50;81,00",
    )

    invoice = take(world, content, kept.carrier)

    assert (invoice.reference, invoice.gross) == ("F-2026-17", mad("81.00"))
    assert stands("carrier_payable", "rihla") == mad("81.00")
    assert (stands("carrier_cost"), stands("vat_input")) == (mad("67.50"), mad("13.50"))
    entry = JournalEntry.objects.get(event=f"supplier-order:{part.reference}:carriage:rihla/F-2026-17")
    assert entry.effective_on.isoformat() == "2026-11-24"
    assert {each.ext_ref for each in entry.postings.all()} == {"rihla/F-2026-17"}

    world.import_csv(L("-81.00", "PRLV RIHLA F-2026-17"))
    world.match()
    settle(
        world,
        the("unmatched_debit"),
        Action.ADJUST,
        debit="carrier_payable:rihla:MAD",
        credit="bank:main:MAD",
    )
    assert stands("carrier_payable", "rihla") == mad(0)
    assert world.proof("bank:main:MAD").is_exact


def test_a_part_carried_twice_is_invoiced_twice_and_named(world: World):
    parcel, other = world.cash_parcel("1000.00"), world.cash_parcel("500.00")
    first = (parcel.tracking_number, "", "37,50", "7,50", "45,00")
    content = invoice_of(first, total="37,50;7,50;45,00")
    assert take(world, content, parcel.carrier).again == ()
    second = (other.tracking_number, "", "30,00", "6,00", "36,00")

    again = take(
        world, invoice_of(first, second, total="67,50;13,50;81,00", number="F-2026-18"), parcel.carrier
    )

    part = parcel.supplier_order.reference
    assert again.again == (part,)
    assert stands("carrier_payable", "rihla") == mad("126.00")
    assert sorted(
        JournalEntry.objects.filter(supplier_order=part, kind="carrier_cost").values_list("event", flat=True)
    ) == [f"supplier-order:{part}:carriage:rihla/F-2026-{number}" for number in (17, 18)]


def test_an_invoice_is_booked_once_whatever_file_it_comes_in(world: World):
    parcel = world.cash_parcel("1000.00")
    row = (parcel.tracking_number, "", "37,50", "7,50", "45,00")
    content = invoice_of(row, total="37,50;7,50;45,00")
    take(world, content, parcel.carrier)

    with pytest.raises(AlreadyImported):
        take(world, content, parcel.carrier)
    with pytest.raises(InvoiceKnown):
        take(world, content + b"\r\n", parcel.carrier)

    assert stands("carrier_payable", "rihla") == mad("45.00")
    assert StatementFile.objects.filter(kind="invoice").count() == 1


@pytest.mark.parametrize("on", ["24/11/2020", "24/11/2062"])
def test_an_invoice_of_another_time_is_refused(world: World, on):
    parcel = world.cash_parcel("1000.00")
    row = (parcel.tracking_number, "", "37,50", "7,50", "45,00")

    with pytest.raises(InvoiceOfAnotherTime) as said:
        take(world, invoice_of(row, total="37,50;7,50;45,00", on=on), parcel.carrier)

    assert on in str(said.value)
    assert not StatementFile.objects.exists()


def test_a_cell_that_cannot_be_read_is_told_without_a_mapping_that_an_invoice_has_not(world: World):
    parcel = world.cash_parcel("1000.00")
    row = (parcel.tracking_number, "", "37.5x", "7,50", "45,00")

    with pytest.raises(CarriersCellUnreadable) as said:
        take(world, invoice_of(row, total="37,50;7,50;45,00"), parcel.carrier)

    assert "mapping" not in str(said.value) and "37.5x" in str(said.value)


def test_a_reference_with_signs_of_its_own_still_names_an_entry_that_can_be_opened(world: World):
    parcel = world.cash_parcel("1000.00")
    row = (parcel.tracking_number, "", "37,50", "7,50", "45,00")

    take(world, invoice_of(row, total="37,50;7,50;45,00", number="N° 17 é"), parcel.carrier)

    entry = JournalEntry.objects.get(kind="carrier_cost")
    assert reverse("backoffice:entry", args=[entry.event])


ONE = ("{tracking}", "", "37,50", "7,50", "45,00")


@pytest.mark.parametrize(
    ("content", "refusal"),
    [
        (b"", FileEmpty),
        (b"Date;Libelle;Montant\r\n", ColumnMissing),
        (invoice_of(("NOT-OURS", "", "1,00", "0,20", "1,20"), total="1,00;0,20;1,20"), ParcelNotOurs),
        (invoice_of(ONE, total="37,50;7,50;45,01"), InvoiceSumsWrong),
        (invoice_of(ONE, total="37,60;7,50;45,10"), InvoiceSumsWrong),
        (
            invoice_of(("{tracking}", "", "37,50", "7,50", "44,00"), total="37,50;7,50;45,00"),
            InvoiceSumsWrong,
        ),
        (invoice_of(("{tracking}", "", "-1,00", "1,00", "0,00"), total="-1,00;1,00;0,00"), InvoiceSumsWrong),
        (invoice_of(ONE, ONE, total="75,00;15,00;90,00"), ParcelTwice),
        (invoice_of(ONE, total="37,50;7,50;45,00").replace(b"TOTAL", b"X"), StatementIncomplete),
        (invoice_of(ONE, total="37,50;7,50"), RowCut),
        (invoice_of(total="0,00;0,00;0,00"), StatementIncomplete),
    ],
)
def test_an_invoice_that_cannot_be_believed_is_refused_whole(world: World, content, refusal):
    parcel = world.cash_parcel("1000.00")

    with pytest.raises(refusal) as said:
        take(world, content.replace(b"{tracking}", parcel.tracking_number.encode()), parcel.carrier)

    assert isinstance(said.value, Refused) and str(said.value)
    assert stands("carrier_payable", "rihla") == mad(0)
    assert not StatementFile.objects.exists()
