"""Files that people bring, good and bad, and a CSV on its way through its columns."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.conf import settings as conf
from django.core.files.storage import storages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from fixtures import bank_sandbox as bank
from shop.backoffice.views import importing as importing_views
from shop.core import clock
from shop.reconciliation import watching
from shop.reconciliation.models import ColumnMap, Remittance, StatementFile, StatementLine
from tests.backoffice.statements import HEADINGS, PLAIN, csv, imported
from tests.factories import CarrierFactory, mad
from tests.reconciliation.world import World, exceptions

pytestmark = pytest.mark.django_db

STATEMENT = "backoffice:import_statement"
COLUMNS = "backoffice:import_columns"


def upload(client, content, name="releve.csv", door=STATEMENT, **more):
    return client.post(reverse(door), {"file": SimpleUploadedFile(name, content), **more})


def chosen(client, **changes):
    """What the page of columns suggests, sent back with changes."""
    form = client.get(reverse(COLUMNS)).context["form"]
    given = {name: form[name].value() for name in form.fields}
    given = {name: "" if value is None else value for name, value in given.items() if value is not False}
    return client.post(reverse(COLUMNS), given | {"opening": "0", "closing": "475,00"} | changes)


def pending_files():
    try:
        return storages["private"].listdir("pending")[1]
    except FileNotFoundError:
        return []


@pytest.fixture(autouse=True)
def _nothing_pending():
    for name in pending_files():
        storages["private"].delete(f"pending/{name}")


@pytest.fixture
def maker(as_):
    return as_("finance_maker")


def test_a_csv_goes_through_its_columns(maker):
    assert upload(maker, PLAIN)["Location"] == reverse(COLUMNS)
    page = maker.get(reverse(COLUMNS))
    assert page.context["head"] == HEADINGS.split(";")
    assert page.context["form"]["booked_on"].value() == "Date"

    response = chosen(maker)

    assert response["Location"] == reverse("backoffice:reconciliation")
    file = StatementFile.objects.get()
    assert (file.name, file.opening, file.closing) == ("releve.csv", mad("0.00"), mad("475.00"))
    assert file.imported_by == maker.person
    assert sorted(StatementLine.objects.values_list("amount_minor", flat=True)) == [-2500, 50000]
    assert pending_files() == []


def test_columns_are_remembered_and_the_next_file_is_understood_by_itself(maker):
    odd = "Quand;Quoi;Combien;Signe"
    upload(maker, csv("23/11/2026;A;500,00;x", headings=odd))
    first = chosen(
        maker, booked_on="Quand", text="Quoi", amount="Combien", closing="500", remember_as="Banque Démo"
    )
    assert first.status_code == 302
    assert ColumnMap.objects.get().name == "Banque Démo"

    upload(maker, csv("24/11/2026;B;100,00;x", headings=odd), name="next.csv")
    page = maker.get(reverse(COLUMNS))

    assert page.context["known"] == "Banque Démo"
    assert [page.context["form"][name].value() for name in ("booked_on", "text", "amount")] == [
        "Quand",
        "Quoi",
        "Combien",
    ]


@pytest.mark.parametrize(
    "changes",
    [
        {"closing": "476,00"},
        {"closing": "abc"},
        {"opening": ""},
        {"debit": ""},
        {"text": "Nowhere"},
        {"booked_on": "Libellé"},
        {"date_format": "%Y%m%d"},
        {"delimiter": "§§"},
        {"encoding": "rot13"},
        {"decimal_mark": ";"},
    ],
)
def test_columns_or_balances_that_cannot_be_are_a_422_and_leave_nothing(maker, changes):
    upload(maker, PLAIN)

    response = chosen(maker, **changes)

    assert response.status_code == 422
    assert StatementFile.objects.count() == StatementLine.objects.count() == 0


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty.csv", b""),
        ("spaces.csv", b"   \r\n"),
        ("book.xlsx", b"PK\x03\x04" + b"x" * 100),
        ("paper.pdf", b"%PDF-1.7 ..."),
        ("picture.png", b"\x89PNG\r\n\x1a\n"),
        ("page.html", b"<html><body>not a statement</body></html>"),
        ("bomb.xml", b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>'),
        ("cut.xml", b"<?xml version='1.0'?><Document xmlns='urn:iso"),
        ("words.csv", "Bonjour, voici le relevé\n".encode()),
        ("binary.csv", bytes(range(256)) * 4),
    ],
)
def test_a_file_that_is_no_statement_is_a_422_with_a_sentence_and_leaves_nothing(maker, name, content):
    response = upload(maker, content, name=name)

    assert response.status_code == 422
    assert response.context["form"].errors["file"]
    assert StatementFile.objects.count() == 0
    assert pending_files() == []


def test_no_file_at_all_is_a_422(maker):
    assert maker.post(reverse(STATEMENT), {}).status_code == 422


def test_a_file_too_large_is_a_422(maker, monkeypatch):
    monkeypatch.setattr("shop.backoffice.forms.LARGEST_FILE", 10)

    assert upload(maker, PLAIN).status_code == 422


def test_the_same_file_again_says_so_and_adds_nothing(maker):
    upload(maker, PLAIN)
    chosen(maker)

    response = upload(maker, PLAIN, name="again.csv")

    assert response.status_code == 422
    (said,) = response.context["form"].errors["file"]
    assert "was imported before, as “releve.csv”" in said
    assert StatementFile.objects.count() == 1
    assert pending_files() == []


def test_a_file_that_somebody_else_imported_meanwhile_is_a_422_and_adds_nothing(maker):
    upload(maker, PLAIN)
    imported(at=clock.now())

    response = chosen(maker)

    assert response.status_code == 422
    assert StatementFile.objects.count() == 1
    assert StatementLine.objects.count() == 2


def test_balances_that_do_not_agree_are_told_as_the_reader_writes_amounts(maker):
    upload(maker, PLAIN)
    maker.person.language = "fr"
    maker.person.save()

    response = chosen(maker, closing="476,00")

    (said,) = response.context["form"].non_field_errors()
    assert "475,00\xa0MAD" in said and "476,00\xa0MAD" in said


def test_a_statement_in_the_encoding_of_arabic_windows_is_read(maker):
    content = "التاريخ;البيان;مدين;دائن\r\n23/11/2026;تحويل وارد;;475,00\r\n".encode("windows-1256")
    upload(maker, content)
    page = maker.get(reverse(COLUMNS))
    assert page.context["head"] == ["التاريخ", "البيان", "مدين", "دائن"]

    assert chosen(maker).status_code == 302

    assert StatementLine.objects.get().text == "تحويل وارد"


def test_a_camt053_of_the_bank_is_taken_at_once(maker, tmp_path):
    with bank.running(tmp_path / "bank.sqlite3") as sandbox:
        from urllib.request import urlopen

        with urlopen(sandbox.url + "/statement?format=camt053") as answer:
            content = answer.read()

    response = upload(maker, content, name="releve.xml")

    assert response["Location"] == reverse("backoffice:reconciliation")
    file = StatementFile.objects.get()
    assert (file.kind, file.account) == ("camt053", conf.SHOP_LEGAL["rib"])


def test_without_an_upload_there_are_no_columns_to_choose(maker):
    response = maker.get(reverse(COLUMNS))

    assert response["Location"] == reverse(STATEMENT)


def test_an_upload_that_is_given_up_leaves_nothing(maker):
    upload(maker, PLAIN)

    maker.post(reverse(COLUMNS), {"give_up": "1"})

    assert pending_files() == []
    assert maker.get(reverse(COLUMNS)).status_code == 302


def test_a_second_upload_takes_the_place_of_the_first(maker):
    upload(maker, PLAIN)
    upload(maker, csv("23/11/2026;SEUL;;475,00;B1"))

    assert len(pending_files()) == 1
    (row,) = maker.get(reverse(COLUMNS)).context["rows"]
    assert row[1] == ("Libellé", "SEUL")


def test_a_remittance_that_is_none_is_a_422_and_leaves_nothing(maker):
    carrier = CarrierFactory()

    response = upload(maker, PLAIN, door="backoffice:import_remittance", carrier=carrier.code)
    foreign = upload(maker, PLAIN, door="backoffice:import_remittance", carrier="nobody")

    assert (response.status_code, foreign.status_code) == (422, 422)
    assert Remittance.objects.count() == StatementFile.objects.count() == 0


def test_the_original_is_given_back_byte_for_byte_and_the_log_says_who_took_it(maker, caplog):
    upload(maker, PLAIN, name="../../rele vé\r\n.csv")
    chosen(maker)
    file = StatementFile.objects.get()

    with caplog.at_level("INFO"):
        response = maker.get(reverse("backoffice:statement_file", args=[file.sha256]))

    assert response.content == PLAIN
    assert "\n" not in response["Content-Disposition"] and "/" not in response["Content-Disposition"]
    record = next(each for each in caplog.records if each.message == "statement file downloaded")
    assert (record.file, record.operator) == (file.sha256[:12], maker.person.pk)


def test_what_a_statement_settles_is_closed_by_importing_it(maker):
    world = World()
    world.at = clock.now() - timedelta(days=20)
    world.deposit(mad("475.00"))
    world.at = clock.now()
    world.import_silence()
    watching.watch(at=world.at)
    assert exceptions() == ["deposit_late"]

    upload(maker, csv(f"{clock.today():%d/%m/%Y};STRIPE TRC4N9K2M7Q81X;;475,00;B1"))
    chosen(maker)

    assert exceptions() == []


def test_the_invoice_of_a_carrier_is_booked_and_one_that_is_none_is_a_422(maker):
    world = World()
    parcel = world.cash_parcel("1000.00")
    content = (
        "Facture;Date de la facture;N° de suivi;Référence;Montant HT;TVA;Montant TTC;Devise\r\n"
        f"F-17;24/11/2026;{parcel.tracking_number};;37,50;7,50;45,00;MAD\r\n"
        "TOTAL;;;;37,50;7,50;45,00;MAD\r\n"
    ).encode()
    door = "backoffice:import_carrier_invoice"

    refused = upload(maker, PLAIN, door=door, carrier=parcel.carrier.code)
    taken = upload(maker, content, door=door, carrier=parcel.carrier.code)

    assert refused.status_code == 422 and refused.context["invoice"].errors["file"]
    assert taken["Location"] == reverse("backoffice:files")
    assert StatementFile.objects.get().kind == "invoice"
    assert maker.get(taken["Location"]).status_code == 200


@pytest.mark.parametrize(("said", "shown"), [("279.54", "279,54"), ("0", "0,00"), (None, "")])
def test_a_balance_the_file_says_is_suggested_with_a_comma(said, shown):
    assert importing_views._written(None if said is None else Decimal(said)) == shown
