"""The batch as the bank takes it: valid by the standard's own schema, and believed only unchanged."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
import sepaxml
import xmlschema
from hypothesis import HealthCheck, given, settings
from moneyed import Money

from shop.payments.bank import errors, pain001
from shop.payments.bank.pain001 import AccountForm, ChargeBearer, CreditTransfer, Debtor
from shop.payments.bank.rib import RibKeyWrong
from tests.payments.bank.batches import TADAMON, A, B, batches, example

PAIN = "{urn:iso:std:iso:20022:tech:xsd:pain.001.001.03}"


@pytest.fixture(scope="module")
def schema():
    return xmlschema.XMLSchema(Path(sepaxml.__file__).parent / "schemas" / "pain.001.001.03.xsd")


def test_the_worked_example_is_written_to_the_centime(schema):
    content = pain001.write(batch=example())

    schema.validate(content)
    document = schema.to_dict(content)["CstmrCdtTrfInitn"]
    header, (payment,) = document["GrpHdr"], document["PmtInf"]
    assert header["MsgId"] == "B-20260105-1"
    assert header["CreDtTm"] == "2026-01-05T10:00:00Z"
    assert (header["NbOfTxs"], header["CtrlSum"]) == ("2", Decimal("836.60"))
    assert (payment["NbOfTxs"], payment["CtrlSum"]) == ("2", Decimal("836.60"))
    assert payment["PmtMtd"] == "TRF"
    assert payment["BtchBookg"] is False
    assert payment["ReqdExctnDt"] == "2026-01-06"
    assert payment["DbtrAcct"] == {"Id": {"Othr": {"Id": "310810101402900442310133"}}, "Ccy": "MAD"}
    assert payment["DbtrAgt"] == {"FinInstnId": {"Othr": {"Id": "310"}}}
    assert payment["ChrgBr"] == "SHAR"
    assert "PmtTpInf" not in payment
    assert payment["CdtTrfTxInf"] == [
        {
            "PmtId": {"InstrId": "P-20260105-01", "EndToEndId": "P-20260105-01"},
            "Amt": {"InstdAmt": {"@Ccy": "MAD", "$": Decimal("534.00")}},
            "Cdtr": {"Nm": "Coopérative Démo Jbel Nahla"},
            "CdtrAcct": {"Id": {"Othr": {"Id": "999780000000000000000105"}}},
            "RmtInf": {"Ustrd": ["Décompte P-20260105-01"]},
        },
        {
            "PmtId": {"InstrId": "P-20260105-02", "EndToEndId": "P-20260105-02"},
            "Amt": {"InstdAmt": {"@Ccy": "MAD", "$": Decimal("302.60")}},
            "Cdtr": {"Nm": "تعاونية منديل الريف (تجريبية)"},
            "CdtrAcct": {"Id": {"Othr": {"Id": "999780000000000000000202"}}},
        },
    ]


def test_iban_charges_and_bic_are_as_the_bank_wants_them(schema):
    batch = example(
        account_form=AccountForm.IBAN,
        charge_bearer=ChargeBearer.UNSAID,
        debtor=Debtor(name="Tadamon", rib=TADAMON.rib, bic="BCMAMAMC"),
    )

    content = pain001.write(batch=batch)

    schema.validate(content)
    assert b"<IBAN>MA64310810101402900442310133</IBAN>" in content
    assert b"<BIC>BCMAMAMC</BIC>" in content
    assert b"ChrgBr" not in content
    assert b"Othr" not in content


def test_a_bank_that_reads_latin_only_gets_a_transliteration():
    content = pain001.write(batch=example(), latin_only=True)

    content.decode("ascii")
    assert "<Nm>taaounia mndil alrif (tjribia)</Nm>" in content.decode()
    assert pain001.read(content).transfers[1].name == "taaounia mndil alrif (tjribia)"


def test_writing_twice_gives_the_same_bytes():
    assert pain001.write(batch=example()) == pain001.write(batch=example())


def test_count_and_sum_come_from_the_file():
    batch = pain001.read(pain001.write(batch=example()))

    assert batch.count == 2
    assert batch.total == Money("836.60", "MAD")
    assert batch.created_at == datetime(2026, 1, 5, 10, 0, tzinfo=UTC)
    assert batch.execute_on == date(2026, 1, 6)
    assert batch.transfers == (A, B)
    assert batch.debtor == replace(TADAMON, rib="310810101402900442310133")


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"transfers": ()}, errors.BatchEmpty),
        ({"transfers": (A, A)}, errors.ReferenceTwice),
        ({"transfers": (replace(A, rib="999780000000000000000106"),)}, RibKeyWrong),
        ({"transfers": (replace(A, name="***"),)}, errors.NameRefused),
        ({"transfers": (replace(A, amount=Money(0, "MAD")),)}, errors.AmountRefused),
        ({"transfers": (replace(A, amount=Money("-1.00", "MAD")),)}, errors.AmountRefused),
        ({"transfers": (replace(A, amount=Money("1.005", "MAD")),)}, errors.AmountRefused),
        ({"transfers": (replace(A, amount=Money("1000000000.00", "MAD")),)}, errors.AmountRefused),
        ({"transfers": (replace(A, amount=Money("NaN", "MAD")),)}, errors.AmountRefused),
        ({"transfers": (A, replace(B, amount=Money("302.60", "EUR")))}, errors.AmountRefused),
        ({"transfers": (replace(A, reference="P" * 36),)}, errors.ReferenceRefused),
        ({"transfers": (replace(A, reference="P é"),)}, errors.ReferenceRefused),
        ({"transfers": (replace(A, reference="/P"),)}, errors.ReferenceRefused),
        ({"transfers": (replace(A, reference="P//1"),)}, errors.ReferenceRefused),
        ({"reference": ""}, errors.ReferenceRefused),
        ({"debtor": replace(TADAMON, rib="123")}, errors.Refused),
        ({"debtor": replace(TADAMON, bic="nonsense")}, errors.ReferenceRefused),
    ],
)
def test_an_order_no_bank_could_carry_out_is_not_written(changes, refusal):
    with pytest.raises(refusal):
        pain001.write(batch=example(**changes))


@pytest.mark.parametrize(
    ("before", "after", "refusal"),
    [
        (b'<InstdAmt Ccy="MAD">534.00', b'<InstdAmt Ccy="MAD">535.00', errors.BatchSumsWrong),
        (b"<NbOfTxs>2", b"<NbOfTxs>3", errors.BatchSumsWrong),
        (b'Ccy="MAD">534.00', b'Ccy="EUR">534.00', errors.BatchSumsWrong),
        (b"Jbel Nahla", b"Jbel Nahle", None),
        (b"999780000000000000000105", b"999780000000000000000106", errors.BatchFileUnreadable),
        (b"<Ustrd>", b"<Ustrd> ", errors.BatchFileAltered),
        (b"534.00", b"534.0", errors.BatchFileAltered),
        (b"</Document>\n", b"</Document>", errors.BatchFileAltered),
        (b"<BtchBookg>false", b"<BtchBookg>true", errors.BatchFileAltered),
        (b"<PmtMtd>TRF</PmtMtd>", b"<PmtMtd>CHK</PmtMtd>", errors.BatchFileAltered),
        (b"pain.001.001.03", b"pain.001.001.09", errors.BatchFileUnreadable),
        (b"<EndToEndId>P-20260105-01", b"<EndToEndId>P-20260105-02", errors.BatchFileAltered),
    ],
)
def test_a_file_changed_since_is_not_believed(before, after, refusal):
    content = pain001.write(batch=example())
    assert before in content

    changed = content.replace(before, after, 1)

    if refusal is None:  # a whole name exchanged for another is only seen by the stored hash
        assert pain001.read(changed).transfers[0].name == "Coopérative Démo Jbel Nahle"
    else:
        with pytest.raises(refusal):
            pain001.read(changed)


BOMB = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "bbbbbbbb"><!ENTITY c "&b;&b;&b;">]><a>&c;</a>'


@pytest.mark.parametrize(
    "content", [b"", b"not xml", b"<a/>", BOMB, b"\xff\xfe", b"<Document" + b" " * 100, b"PK\x03\x04"]
)
def test_what_is_no_batch_file_is_refused(content):
    with pytest.raises(errors.BatchFileUnreadable):
        pain001.read(content)


def test_a_file_too_large_is_refused_unread(monkeypatch):
    monkeypatch.setattr(pain001, "LARGEST_FILE", 100)

    with pytest.raises(errors.BatchFileUnreadable):
        pain001.read(pain001.write(batch=example()))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(batches)
def test_every_batch_is_valid_and_comes_back_as_it_was_written(schema, batch):
    content = pain001.write(batch=batch)

    schema.validate(content)
    back = pain001.read(content)
    assert back == pain001.clean(batch=batch)
    assert back.total == sum((each.amount for each in batch.transfers), Money(0, "MAD"))


def test_transfers_need_no_text():
    only = CreditTransfer(reference="P-1", name="A", rib=A.rib, amount=Money("0.01", "MAD"))

    assert pain001.read(pain001.write(batch=example(transfers=(only,)))).transfers == (only,)
