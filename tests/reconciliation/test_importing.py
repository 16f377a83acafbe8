"""Files taken in as they came: once, whole, and in any order."""

from __future__ import annotations

from datetime import date

import pytest
from django.conf import settings

from shop.reconciliation import importing
from shop.reconciliation.errors import (
    AlreadyImported,
    BalancesNeeded,
    MappingNeeded,
    OtherAccount,
    OtherBatch,
    RemittanceKnown,
)
from shop.reconciliation.models import ColumnMap, Remittance, StatementFile, StatementLine
from shop.reconciliation.readers.errors import (
    FileIsADocument,
    FileIsASpreadsheet,
    NotAStatement,
    NotCamt053,
    SumsDoNotAgree,
)
from tests.reconciliation.world import MAPPING, L, World, csv_of, exceptions, mad, the

RIB = settings.SHOP_LEGAL["rib"]
LINES = (L("100.00", "UN", ref="A1"), L("-40.00", "DEUX", ref="A2"), L("-1 234.50".replace(" ", ""), "TROIS"))


def nothing_was_kept() -> bool:
    return not StatementFile.objects.exists() and not StatementLine.objects.exists()


def test_a_statement_is_kept_as_it_came_and_its_lines_are_numbered(world: World):
    file = world.import_csv(*LINES)

    lines = list(file.lines.order_by("pk"))
    assert [each.reference for each in lines] == ["L-2026-000001", "L-2026-000002", "L-2026-000003"]
    assert [each.amount for each in lines] == [mad("100.00"), mad("-40.00"), mad("-1234.50")]
    assert {each.state for each in lines} == {"new"}
    assert (file.opening, file.closing) == (mad(0), mad("-1174.50"))
    assert file.file.open("rb").read() == csv_of(LINES)
    assert str(settings.PRIVATE_MEDIA_ROOT) in file.file.path
    assert file.columns["text"] == "Libellé"


def test_the_same_bytes_again_are_refused_and_name_the_first(world: World):
    first = world.import_csv(*LINES)

    with pytest.raises(AlreadyImported) as refusal:
        world.import_csv(*LINES, opening=mad(0))

    assert refusal.value.first == first
    assert first.name in str(refusal.value)
    assert StatementFile.objects.count() == 1
    assert StatementLine.objects.count() == 3


def test_an_overlapping_export_adds_only_what_is_new(world: World):
    monday, tuesday, wednesday = (date(2026, 11, each) for each in (23, 24, 25))
    first = [L("10.00", "A", ref="R1", on=monday), L("20.00", "B", ref="R2", on=tuesday)]
    second = [L("20.00", "B", ref="R2", on=tuesday), L("30.00", "C", ref="R3", on=wednesday)]

    world.import_csv(*first)
    file = world.import_csv(*second, opening=mad("10.00"))

    assert [each.text for each in file.lines.all()] == ["C"]
    assert StatementLine.objects.count() == 3
    assert exceptions() == []


def test_two_true_twins_stay_two_also_when_they_are_exported_again(world: World):
    monday = date(2026, 11, 23)
    twins = [L("-50.00", "VIREMENT", on=monday), L("-50.00", "VIREMENT", on=monday)]

    world.import_csv(*twins)
    world.import_csv(*twins, L("5.00", "X", on=date(2026, 11, 24)), opening=mad(0))

    assert StatementLine.objects.filter(text="VIREMENT").count() == 2
    assert StatementLine.objects.count() == 3


def test_statements_that_do_not_follow_on_open_one_exception_that_closes_when_the_gap_is_filled(world: World):
    days = [date(2026, 11, each) for each in (23, 24, 25)]
    world.import_csv(L("100.00", "A", on=days[0]))

    world.import_csv(L("7.00", "C", on=days[2]), opening=mad("130.00"))

    gap = the("statement_gap")
    assert (gap.amount, gap.suggestion) == (mad("30.00"), "adjust")
    assert world.proof("bank:main:MAD").unexplained == mad(0)

    world.import_csv(L("30.00", "B", on=days[1]), opening=mad("100.00"))

    gap.refresh_from_db()
    assert gap.state == "settled" and gap.detail["cured"]
    assert exceptions() == []


def camt(number: int, day: str, opening: str, closing: str, entry: str = "") -> bytes:
    def balance(code: str, amount: str) -> str:
        return (
            f'<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy="MAD">{amount}</Amt>'
            f"<CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>{day}</Dt></Dt></Bal>"
        )

    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.02"><BkToCstmrStmt><Stmt>'
        f"<Id>S{number}</Id><ElctrncSeqNb>{number}</ElctrncSeqNb>"
        f"<FrToDt><FrDtTm>{day}T00:00:00</FrDtTm><ToDtTm>{day}T23:59:59</ToDtTm></FrToDt>"
        f"<Acct><Id><Othr><Id>{RIB}</Id></Othr></Id><Ccy>MAD</Ccy></Acct>"
        f"{balance('OPBD', opening)}{balance('CLBD', closing)}{entry}</Stmt></BkToCstmrStmt></Document>"
    ).encode()


def credit(day: str, amount: str, reference: str) -> str:
    return (
        f'<Ntry><Amt Ccy="MAD">{amount}</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>BOOK</Sts>'
        f"<BookgDt><Dt>{day}</Dt></BookgDt><AcctSvcrRef>{reference}</AcctSvcrRef></Ntry>"
    )


def take_camt(world: World, content: bytes) -> StatementFile:
    return importing.import_statement(
        content=content, name="releve.xml", kind="camt053", account=RIB, by=world.maker, at=world.at
    )


def test_a_missing_statement_number_is_noticed_even_when_the_balances_agree(world: World):
    take_camt(world, camt(1, "2026-11-23", "0.00", "10.00", credit("2026-11-23", "10.00", "R1")))
    assert exceptions() == []

    take_camt(world, camt(3, "2026-11-25", "10.00", "10.00"))

    assert the("statement_gap").detail["missing_numbers"] == [2, 2]
    assert the("statement_gap").amount == mad(0)

    take_camt(world, camt(2, "2026-11-24", "10.00", "10.00"))

    assert exceptions() == []


def test_a_csv_and_a_camt_export_of_the_same_days_are_one_set_of_lines(world: World):
    take_camt(world, camt(1, "2026-11-23", "0.00", "10.00", credit("2026-11-23", "10.00", "R1")))

    world.import_csv(L("10.00", "", ref="R1", on=date(2026, 11, 23)), opening=mad(0))

    assert StatementLine.objects.count() == 1
    assert StatementFile.objects.count() == 2
    assert exceptions() == []


@pytest.mark.parametrize(
    ("content", "kind", "refusal"),
    [
        (b"%PDF-1.7 releve", "csv", FileIsADocument),
        (b"PK\x03\x04 classeur", "csv", FileIsASpreadsheet),
        (b"<html><body>Session expiree</body></html>", "camt053", NotCamt053),
        (b"not a table at all", "csv", NotAStatement),
        (b"", "csv", NotAStatement),
    ],
)
def test_a_file_that_is_no_statement_leaves_nothing_behind(world: World, content, kind, refusal):
    with pytest.raises(refusal):
        importing.import_statement(
            content=content,
            name="x",
            kind=kind,
            account=RIB,
            mapping=MAPPING if kind == "csv" else None,
            opening=mad(0),
            closing=mad(0),
            by=world.maker,
            at=world.at,
        )

    assert nothing_was_kept()


def test_a_statement_with_a_line_missing_is_refused_whole(world: World):
    with pytest.raises(SumsDoNotAgree):
        importing.import_statement(
            content=csv_of(LINES),
            name="x.csv",
            kind="csv",
            account=RIB,
            mapping=MAPPING,
            opening=mad(0),
            closing=mad(1),
            by=world.maker,
            at=world.at,
        )

    assert nothing_was_kept()


def test_a_csv_needs_its_mapping_and_its_balances(world: World):
    given = {"content": csv_of(LINES), "name": "x.csv", "kind": "csv", "account": RIB, "at": world.at}

    with pytest.raises(MappingNeeded):
        importing.import_statement(**given, opening=mad(0), closing=mad(0), by=world.maker)
    with pytest.raises(BalancesNeeded):
        importing.import_statement(**given, mapping=MAPPING, by=world.maker)

    assert nothing_was_kept()


def test_a_statement_of_another_account_is_refused(world: World):
    with pytest.raises(OtherAccount):
        importing.import_statement(
            content=camt(1, "2026-11-23", "0.00", "0.00"),
            name="x.xml",
            kind="camt053",
            account="310810101402900442310133",
            by=world.maker,
            at=world.at,
        )

    assert nothing_was_kept()


def test_a_column_mapping_is_remembered_under_its_name(world: World):
    importing.remember_columns(name="Banque A", mapping=MAPPING, by=world.maker, at=world.at)
    saved = importing.remember_columns(name="Banque A", mapping=MAPPING, by=world.checker, at=world.at)

    assert ColumnMap.objects.get() == saved
    assert importing.columns_of(saved=saved) == MAPPING


REMITTANCE = (
    "Bordereau;Transporteur;Date du bordereau;N° de suivi;Référence;Date de livraison;Encaissé;Frais HT;"
    "TVA sur frais;Net versé;Devise\r\n"
    "{ref};Rihla;{on};{tracking};{part};22/11/2026;{cash};0,00;0,00;{cash};MAD\r\n"
    "TOTAL;;;;;;{cash};0,00;0,00;{cash};MAD\r\n"
)


def remittance(
    world: World, parcel, *, ref="REM-2026-0001", cash="1000,00", on="23/11/2026", **given
) -> Remittance:
    values = {"tracking": parcel.tracking_number, "part": parcel.supplier_order.reference} | given
    content = REMITTANCE.format(ref=ref, cash=cash, on=on, **values).encode()
    return importing.import_remittance(
        content=content, name="b.csv", carrier=parcel.carrier, by=world.maker, at=world.at
    )


def test_the_rest_of_a_short_parcel_in_a_later_remittance_closes_the_exception(world: World):
    parcel = world.cash_parcel("1000.00")

    remittance(world, parcel, cash="900,00")
    assert (the("cod_short").amount, the("cod_short").subject_reference) == (mad(100), parcel.reference)

    remittance(world, parcel, ref="REM-2026-0002", cash="100,00")
    assert exceptions() == []


def test_a_parcel_remitted_twice_is_not_the_carriers_debt_to_us(world: World):
    parcel = world.cash_parcel("1000.00")
    remittance(world, parcel)

    remittance(world, parcel, ref="REM-2026-0002")

    assert exceptions() == ["amount_differs"]
    assert the("amount_differs").amount == mad("1000.00")


def test_a_tracking_number_and_a_reference_that_disagree_name_no_parcel(world: World):
    mine, other = world.cash_parcel("1000.00"), world.cash_parcel("500.00")

    written = remittance(world, mine, part=other.supplier_order.reference)

    assert written.lines.get().shipment is None
    assert exceptions() == ["cod_unknown"]


def test_the_same_remittance_from_another_file_is_refused(world: World):
    parcel = world.cash_parcel("1000.00")
    remittance(world, parcel)

    with pytest.raises(RemittanceKnown):
        remittance(world, parcel, cash="900,00")

    assert Remittance.objects.get().collected == mad("1000.00")


def test_a_report_about_another_batch_is_refused(world: World):
    (payout,) = world.sent("600.00")
    answer = {"message_id": "BA-OTHER", "transfers": [{"end_to_end_id": payout.reference, "status": "RJCT"}]}

    with pytest.raises(OtherBatch):
        importing.import_batch_status(batch=payout.batch, answer=answer, at=world.at)

    assert nothing_was_kept()
    assert exceptions() == []
