"""Bank statements in ISO 20022 ``camt.053.001``, versions 02 to 13: XML in, plain lines out.

Only booked entries count. An entry that sums up several transactions, each with its amount, becomes one
line for each. The reader never resolves entities and refuses files that declare any.

Source: ISO 20022 message definitions BankToCustomerStatementV02 … V13.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from xml.etree.ElementTree import Element, tostring  # nosec B405 - types and writing only

import defusedxml.ElementTree
from defusedxml import DefusedXmlException
from moneyed import CurrencyDoesNotExist, Money, get_currency

from shop.core.errors import Refused
from shop.core.money import half_up
from shop.payments.bank import rib
from shop.reconciliation.readers.errors import (
    NotCamt053,
    SeveralStatements,
    StatementIncomplete,
    TooManyLines,
    UnsafeFile,
)
from shop.reconciliation.readers.statement import Line, Statement, proved
from shop.reconciliation.readers.tables import MOST_LINES, check_kind

_DOCUMENT = re.compile(r"(\{urn:iso:std:iso:20022:tech:xsd:camt\.053\.001\.(?:0[2-9]|1[0-3])\})Document")
_AMOUNT = re.compile(r"\d{1,18}(?:\.\d{0,5})?", re.ASCII)
_NOT_GIVEN = frozenset(["NOTPROVIDED", "NOT PROVIDED", "NONREF"])


def read(content: bytes) -> Statement:
    """The one statement in a camt.053 file. Raises a ``NotAStatement``."""
    statements = read_all(content)
    if len(statements) != 1:
        raise SeveralStatements(len(statements))
    return statements[0]


def read_all(content: bytes) -> tuple[Statement, ...]:
    """Every statement in a camt.053 file, in the file's order. Raises a ``NotAStatement``."""
    check_kind(content)
    try:
        document = defusedxml.ElementTree.fromstring(content, forbid_dtd=True)
    except DefusedXmlException as error:
        raise UnsafeFile from error
    except (defusedxml.ElementTree.ParseError, ValueError, LookupError) as error:
        raise NotCamt053 from error
    kind = _DOCUMENT.fullmatch(document.tag)
    if kind is None:
        raise NotCamt053
    found = _Node(document, kind[1]).all("BkToCstmrStmt/Stmt")
    if not found:
        raise StatementIncomplete("Stmt")
    return tuple(_statement(each) for each in found)


class _Node:
    """An element of the file, asked by paths without the namespace."""

    def __init__(self, element: Element, namespace: str) -> None:
        self.element = element
        self.namespace = namespace

    def all(self, path: str) -> list[_Node]:
        full = "/".join(self.namespace + tag for tag in path.split("/"))
        return [_Node(each, self.namespace) for each in self.element.findall(full)]

    def first(self, *paths: str) -> _Node | None:
        for path in paths:
            if found := self.all(path):
                return found[0]
        return None

    def text(self, *paths: str) -> str:
        """The first text found at one of the paths, spaces evened out; empty if there is none."""
        for path in paths:
            for each in self.all(path):
                if text := " ".join((each.element.text or "").split()):
                    return text
        return ""

    def money(self, path: str) -> Money:
        """The unsigned amount at a path, with the currency it says."""
        found = self.first(path)
        if found is None or not _AMOUNT.fullmatch((found.element.text or "").strip()):
            raise StatementIncomplete(path)
        try:
            money = Money(
                Decimal((found.element.text or "").strip()), get_currency(found.element.get("Ccy", ""))
            )
        except (CurrencyDoesNotExist, InvalidOperation) as error:
            raise StatementIncomplete(f"{path}/@Ccy") from error
        if half_up(money) != money:
            raise StatementIncomplete(path)
        return money

    def signed(self, path: str) -> Money:
        """The amount at a path, negative when the node's indicator says debit."""
        indicator = self.text("CdtDbtInd")
        if indicator not in ("CRDT", "DBIT"):
            raise StatementIncomplete("CdtDbtInd")
        return self.money(path) if indicator == "CRDT" else -self.money(path)

    def day(self, path: str) -> date | None:
        """The day at a path, written as a day or as a moment."""
        text = self.text(f"{path}/Dt", f"{path}/DtTm")
        if not text:
            return None
        try:
            return datetime.fromisoformat(text).date()
        except ValueError as error:
            raise StatementIncomplete(path) from error


def _statement(node: _Node) -> Statement:
    opening, opened_on = _balance(node, "OPBD", "PRCD")
    closing, closed_on = _balance(node, "CLBD")
    lines = list(_lines(node))
    booked = [line.booked_on for line in lines]
    from_on = _moment_day(node, "FrToDt/FrDtTm") or min([opened_on, *booked])
    to_on = _moment_day(node, "FrToDt/ToDtTm") or max([closed_on, *booked])

    entries = node.text("TxsSummry/TtlNtries/NbOfNtries")
    if entries and entries != str(len(node.all("Ntry"))):
        raise StatementIncomplete("TxsSummry/TtlNtries/NbOfNtries")
    sequence = node.text("ElctrncSeqNb", "LglSeqNb")
    account = _account(node, "Acct")
    if not account:
        raise StatementIncomplete("Acct/Id")
    return proved(
        account=account,
        opening=opening,
        closing=closing,
        from_on=from_on,
        to_on=to_on,
        sequence=int(sequence) if re.fullmatch(r"\d{1,18}", sequence, re.ASCII) else None,
        lines=lines,
    )


def _balance(node: _Node, *codes: str) -> tuple[Money, date]:
    """The one balance of the first of these kinds that the statement has, and its day."""
    for code in codes:
        found = [each for each in node.all("Bal") if each.text("Tp/CdOrPrtry/Cd") == code]
        if len(found) == 1:
            on = found[0].day("Dt")
            if on is None:
                raise StatementIncomplete(f"Bal {code} Dt")
            return found[0].signed("Amt"), on
        if found:
            raise StatementIncomplete(f"Bal {code}")
    raise StatementIncomplete(f"Bal {codes[0]}")


def _moment_day(node: _Node, path: str) -> date | None:
    text = node.text(path)
    try:
        return datetime.fromisoformat(text).date() if text else None
    except ValueError as error:
        raise StatementIncomplete(path) from error


def _lines(node: _Node) -> Iterator[Line]:
    number = 0
    for entry in node.all("Ntry"):
        if entry.text("Sts", "Sts/Cd", "Sts/Prtry") != "BOOK":
            continue  # announced or for information: not in the balance yet
        for details, amount in _parts(entry):
            number += 1
            if number > MOST_LINES:
                raise TooManyLines(MOST_LINES)
            yield _line(entry, details, amount, number)


def _parts(entry: _Node) -> list[tuple[_Node | None, Money]]:
    """The transactions an entry sums up, if it says the amount of each and they add up; else the entry itself."""
    whole = entry.signed("Amt")
    details = entry.all("NtryDtls/TxDtls")
    if len(details) < 2:
        return [(details[0] if details else None, whole)]
    parts = []
    for each in details:
        path = next((path for path in ("Amt", "AmtDtls/TxAmt/Amt") if each.first(path)), None)
        if path is None:
            return [(None, whole)]
        amount = each.money(path)
        debit = (each.text("CdtDbtInd") or entry.text("CdtDbtInd")) == "DBIT"
        parts.append((each, -amount if debit else amount))
    if {amount.currency for _, amount in parts} != {whole.currency}:
        return [(None, whole)]
    total = sum((amount for _, amount in parts[1:]), parts[0][1])
    return list(parts) if total == whole else [(None, whole)]


def _line(entry: _Node, details: _Node | None, amount: Money, number: int) -> Line:
    booked_on = entry.day("BookgDt")
    if booked_on is None:
        raise StatementIncomplete("BookgDt")
    inner = details or entry
    is_reversal = entry.text("RvslInd") in ("true", "1")
    # A reversal repeats the parties of what it takes back, so the money comes from where it had gone.
    theirs = "Dbtr" if (amount.amount > 0) != is_reversal else "Cdtr"
    text = [entry.text("AddtlNtryInf")]
    text += [each.element.text or "" for each in inner.all("RmtInf/Ustrd")]
    text += [inner.text("RmtInf/Strd/CdtrRefInf/Ref"), inner.text("AddtlTxInf")]
    # The batch the entry sums up, or the transfer came from: our MsgId.
    text += [entry.text("NtryDtls/Btch/MsgId", "NtryDtls/Btch/PmtInfId")]
    return Line(
        number=number,
        booked_on=booked_on,
        value_on=entry.day("ValDt") or booked_on,
        amount=amount,
        text=" ".join(dict.fromkeys(" ".join(each.split()) for each in text if each.strip())),
        bank_reference=_given(entry.text("AcctSvcrRef") or inner.text("Refs/AcctSvcrRef")),
        end_to_end_id=_given(inner.text("Refs/EndToEndId")),
        counterparty_name=inner.text(f"RltdPties/{theirs}/Nm", f"RltdPties/{theirs}/Pty/Nm"),
        counterparty_rib=_account(inner, f"RltdPties/{theirs}Acct"),
        is_reversal=is_reversal,
        raw=tostring(entry.element, encoding="unicode"),
    )


def _given(reference: str) -> str:
    return "" if reference.upper() in _NOT_GIVEN else reference


def _account(node: _Node, path: str) -> str:
    """The RIB of an account, taken from its IBAN where need be; foreign ones as written, empty if none is."""
    number = node.text(f"{path}/Id/IBAN", f"{path}/Id/Othr/Id")
    if not number:
        return ""
    try:
        return rib.from_iban(number) if number.upper().startswith("MA") else rib.check(number)
    except Refused:
        return rib.compact(number)
