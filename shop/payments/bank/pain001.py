"""A batch of payouts as the bank takes it: ISO 20022 ``pain.001.001.03``, and our own file read back.

One ``PmtInf``, one transaction for each payout. It is a domestic order in dirhams, so there is no
service level (SEPA's does not apply), accounts stand as RIB under ``Othr/Id`` or as IBAN, and every
transfer is booked as a line of its own (``BtchBookg`` false) carrying the payout's reference.

The same batch always gives the same bytes, so a second download is the same file and its hash proves
it. The reader believes a file only if writing what it read gives the same bytes again: what the
approver is shown is what the bank will be given.

Source: ISO 20022 message definition CustomerCreditTransferInitiationV03.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from xml.etree.ElementTree import Element, SubElement, indent, tostring  # nosec B405 - builds, never parses

import defusedxml.ElementTree
from defusedxml import DefusedXmlException
from moneyed import CurrencyDoesNotExist, Money, get_currency

from shop.core.errors import Refused
from shop.core.money import half_up
from shop.payments.bank import rib
from shop.payments.bank.characters import LATIN, permitted
from shop.payments.bank.errors import (
    AmountRefused,
    BatchEmpty,
    BatchFileAltered,
    BatchFileUnreadable,
    BatchSumsWrong,
    NameRefused,
    ReferenceRefused,
    ReferenceTwice,
)

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.03"
LONGEST_NAME = 70
LONGEST_TEXT = 140
LONGEST_REFERENCE = 35
LARGEST_AMOUNT = Decimal("999999999.99")
LARGEST_FILE = 10 * 1024 * 1024
_BIC = re.compile(r"[A-Z]{6}[A-Z2-9][A-NP-Z0-9](?:[A-Z0-9]{3})?")


class AccountForm(StrEnum):
    """How accounts stand in the file: which one, the bank decides."""

    RIB = "rib"
    IBAN = "iban"


class ChargeBearer(StrEnum):
    """Who pays the banks. ``UNSAID`` leaves it to the contract with the bank."""

    SHARED = "SHAR"
    DEBTOR = "DEBT"
    CREDITOR = "CRED"
    SERVICE_LEVEL = "SLEV"
    UNSAID = ""


@dataclass(frozen=True, kw_only=True)
class Debtor:
    """Who pays: the shop and its bank account. Without ``bic`` the bank is named by its code in the RIB."""

    name: str
    rib: str
    bic: str = ""


@dataclass(frozen=True, kw_only=True)
class CreditTransfer:
    """One payout: ``reference`` is the payout's and comes back on the statement as EndToEndId."""

    reference: str
    name: str
    rib: str
    amount: Money
    text: str = ""


@dataclass(frozen=True, kw_only=True)
class Batch:
    """What one file orders. ``reference`` becomes the MsgId, so it must never be used again."""

    reference: str
    created_at: datetime
    execute_on: date
    debtor: Debtor
    transfers: tuple[CreditTransfer, ...]
    account_form: AccountForm = AccountForm.RIB
    charge_bearer: ChargeBearer = ChargeBearer.SHARED

    @property
    def count(self) -> int:
        return len(self.transfers)

    @property
    def total(self) -> Money:
        if not self.transfers:
            raise BatchEmpty
        return sum((each.amount for each in self.transfers[1:]), self.transfers[0].amount)


def write(*, batch: Batch, latin_only: bool = False) -> bytes:
    """The batch as a pain.001.001.03 file. Raises a ``BatchRefused`` or ``RibRefused``, and then writes nothing.

    Names and texts are cleaned to what banks accept; ``latin_only`` also transliterates them.
    """
    batch = clean(batch=batch, latin_only=latin_only)
    count, total = str(batch.count), decimal_text(batch.total)

    document = Element("Document", xmlns=NAMESPACE)
    order = SubElement(document, "CstmrCdtTrfInitn")

    header = SubElement(order, "GrpHdr")
    _text(header, "MsgId", batch.reference)
    _text(
        header,
        "CreDtTm",
        batch.created_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    )
    _text(header, "NbOfTxs", count)
    _text(header, "CtrlSum", total)
    _text(header, "InitgPty/Nm", batch.debtor.name)

    payment = SubElement(order, "PmtInf")
    _text(payment, "PmtInfId", batch.reference)
    _text(payment, "PmtMtd", "TRF")
    _text(payment, "BtchBookg", "false")
    _text(payment, "NbOfTxs", count)
    _text(payment, "CtrlSum", total)
    _text(payment, "ReqdExctnDt", batch.execute_on.isoformat())
    _text(payment, "Dbtr/Nm", batch.debtor.name)
    account = SubElement(payment, "DbtrAcct")
    _account(account, batch.debtor.rib, batch.account_form)
    _text(account, "Ccy", batch.total.currency.code)
    if batch.debtor.bic:
        _text(payment, "DbtrAgt/FinInstnId/BIC", batch.debtor.bic)
    else:
        _text(payment, "DbtrAgt/FinInstnId/Othr/Id", rib.bank_code(batch.debtor.rib))
    if batch.charge_bearer:
        _text(payment, "ChrgBr", batch.charge_bearer.value)

    for each in batch.transfers:
        transfer = SubElement(payment, "CdtTrfTxInf")
        identification = SubElement(transfer, "PmtId")
        _text(identification, "InstrId", each.reference)
        _text(identification, "EndToEndId", each.reference)
        amount = _text(transfer, "Amt/InstdAmt", decimal_text(each.amount))
        amount.set("Ccy", each.amount.currency.code)
        _text(transfer, "Cdtr/Nm", each.name)
        _account(SubElement(transfer, "CdtrAcct"), each.rib, batch.account_form)
        if each.text:
            _text(transfer, "RmtInf/Ustrd", each.text)

    indent(document)
    body: bytes = tostring(document, encoding="utf-8")
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + body + b"\n"


def read(content: bytes) -> Batch:
    """The batch in a file that ``write`` made: the approver's count and amounts come from here.

    Raises a ``NotABatchFile`` for anything else, also for a file of ours that was changed by one byte.
    """
    if len(content) > LARGEST_FILE:
        raise BatchFileUnreadable
    try:
        document = defusedxml.ElementTree.fromstring(content, forbid_dtd=True)
        batch, count, total = _batch(document)
    except (
        DefusedXmlException,
        defusedxml.ElementTree.ParseError,
        CurrencyDoesNotExist,
        LookupError,
        ValueError,
        InvalidOperation,
        Refused,
    ) as error:
        raise BatchFileUnreadable from error

    if not batch.transfers or len({each.amount.currency for each in batch.transfers}) != 1:
        raise BatchSumsWrong
    if count != batch.count or total != batch.total.amount:
        raise BatchSumsWrong
    try:
        written = write(batch=batch)
    except Refused as error:
        raise BatchFileAltered from error
    if written != content:
        raise BatchFileAltered
    return batch


def clean(*, batch: Batch, latin_only: bool = False) -> Batch:
    """The batch as it will be written, every rule of a bank order checked. Raises ``BatchRefused``, ``RibRefused``."""
    if not batch.transfers:
        raise BatchEmpty
    if batch.debtor.bic and not _BIC.fullmatch(batch.debtor.bic):
        raise ReferenceRefused(batch.debtor.bic)
    _check_reference(batch.reference)
    currency = batch.transfers[0].amount.currency

    seen: set[str] = set()
    transfers = []
    for each in batch.transfers:
        _check_reference(each.reference)
        if each.reference in seen:
            raise ReferenceTwice(each.reference)
        seen.add(each.reference)
        if each.amount.currency != currency or not _payable(each.amount):
            raise AmountRefused(each.amount, each.reference)
        transfers.append(
            CreditTransfer(
                reference=each.reference,
                name=_name(each.name, each.reference, latin_only),
                rib=rib.check(each.rib),
                amount=each.amount,
                text=permitted(each.text, limit=LONGEST_TEXT, latin_only=latin_only),
            )
        )
    return Batch(
        reference=batch.reference,
        created_at=batch.created_at.astimezone(UTC).replace(microsecond=0),
        execute_on=batch.execute_on,
        debtor=Debtor(
            name=_name(batch.debtor.name, batch.reference, latin_only),
            rib=rib.check(batch.debtor.rib),
            bic=batch.debtor.bic,
        ),
        transfers=tuple(transfers),
        account_form=batch.account_form,
        charge_bearer=batch.charge_bearer,
    )


def decimal_text(amount: Money) -> str:
    """The amount with a point and all the decimals of its currency: ``534.00``."""
    return f"{half_up(amount).amount:f}"


def _payable(amount: Money) -> bool:
    """More than nothing, not more than a bank takes, and in whole centimes."""
    number = amount.amount
    return number.is_finite() and 0 < number <= LARGEST_AMOUNT and half_up(amount) == amount


def _check_reference(reference: str) -> None:
    fits = 0 < len(reference) <= LONGEST_REFERENCE and LATIN.issuperset(reference)
    if not fits or reference != reference.strip(" /") or "//" in reference or "  " in reference:
        raise ReferenceRefused(reference)


def _name(name: str, reference: str, latin_only: bool) -> str:
    cleaned = permitted(name, limit=LONGEST_NAME, latin_only=latin_only)
    if not any(character.isalnum() for character in cleaned):
        raise NameRefused(name, reference)
    return cleaned


def _text(parent: Element, path: str, text: str) -> Element:
    """Write a text at a path below the parent, making every element on the way."""
    element = parent
    for tag in path.split("/"):
        element = SubElement(element, tag)
    element.text = text
    return element


def _account(parent: Element, number: str, form: AccountForm) -> None:
    if form is AccountForm.IBAN:
        _text(parent, "Id/IBAN", rib.to_iban(number))
    else:
        _text(parent, "Id/Othr/Id", number)


def _batch(document: Element) -> tuple[Batch, int, Decimal]:
    """The batch, and the count and sum its heading claims. Fails in many ways on a file that is not ours."""
    if document.tag != f"{{{NAMESPACE}}}Document":
        raise ValueError(document.tag)
    inside = _reader(document)
    payment = _one(document, "CstmrCdtTrfInitn/PmtInf")
    of_payment = _reader(payment)

    transfers = []
    for element in payment.findall(f"{{{NAMESPACE}}}CdtTrfTxInf"):
        of_transfer = _reader(element)
        amount = _one(element, "Amt/InstdAmt")
        transfers.append(
            CreditTransfer(
                reference=of_transfer("PmtId/EndToEndId", None),
                name=of_transfer("Cdtr/Nm", None),
                rib=_number(_one(element, "CdtrAcct")),
                amount=Money(Decimal(amount.text or ""), get_currency(amount.attrib["Ccy"])),
                text=of_transfer("RmtInf/Ustrd", ""),
            )
        )
    account = _one(payment, "DbtrAcct")
    batch = Batch(
        reference=inside("CstmrCdtTrfInitn/GrpHdr/MsgId", None),
        created_at=datetime.fromisoformat(inside("CstmrCdtTrfInitn/GrpHdr/CreDtTm", None)),
        execute_on=date.fromisoformat(of_payment("ReqdExctnDt", None)),
        debtor=Debtor(
            name=of_payment("Dbtr/Nm", None),
            rib=_number(account),
            bic=of_payment("DbtrAgt/FinInstnId/BIC", ""),
        ),
        transfers=tuple(transfers),
        account_form=AccountForm.IBAN
        if account.find(f"{{{NAMESPACE}}}Id/{{{NAMESPACE}}}IBAN") is not None
        else AccountForm.RIB,
        charge_bearer=ChargeBearer(of_payment("ChrgBr", "")),
    )
    count = int(inside("CstmrCdtTrfInitn/GrpHdr/NbOfTxs", None))
    total = Decimal(inside("CstmrCdtTrfInitn/GrpHdr/CtrlSum", None))
    return batch, count, total


def _path(path: str) -> str:
    return "/".join(f"{{{NAMESPACE}}}{tag}" for tag in path.split("/"))


def _one(parent: Element, path: str) -> Element:
    found = parent.findall(_path(path))
    if len(found) != 1:
        raise LookupError(path)
    return found[0]


def _reader(parent: Element) -> Callable[[str, str | None], str]:
    """Ask for the text at a path below the parent; a default of None means that it must be there."""

    def text(path: str, default: str | None) -> str:
        if default is not None and parent.find(_path(path)) is None:
            return default
        return _one(parent, path).text or ""

    return text


def _number(account: Element) -> str:
    """The RIB of an account element, from either form."""
    if (iban := account.find(_path("Id/IBAN"))) is not None:
        return rib.from_iban(iban.text or "")
    return rib.check(_one(account, "Id/Othr/Id").text or "")
