"""The settlement statement of one payout: from what customers paid to what the bank was given, by the books.

Every row is a posting on the cooperative's accounts (held, payable), so the statement sums to what the books
say; only commission and its VAT, posted as one amount, are told apart. It stands at nothing at its end once
the payout is on its way.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import override, pgettext
from moneyed import Money

from cooperatives.models import PayoutAccount
from shop.core.clock import day_of
from shop.core.money import total, zero
from shop.design import documents
from shop.design.numbers import date_range_text, day_text, money_text
from shop.fulfilment.models import SupplierOrder
from shop.ledger.models import JournalEntry, Posting
from shop.payments import refunding
from shop.payments.bank import rib as ribs
from shop.payments.bank.batch_csv import guarded
from shop.payments.bank.pain001 import decimal_text
from shop.payments.models import Payout, Refund
from shop.payments.owing import Taken, owing

Kind = JournalEntry.Kind
_OWN = ("producer_held", "producer_payable")


@dataclass(frozen=True)
class Row:
    """One movement. ``what`` is one of goods, commission, commission_vat, solidarity, refund, refund_commission,
    refund_commission_vat, refund_solidarity, voucher, refund_voucher, netting, netting_undone, payout,
    payout_back, other. ``voucher`` is the part of the goods that the shop paid in the customer's place.

    ``refund`` is the one it comes from; with a netting, the one for which so much was taken off. ``whole`` is
    what that one came to when a payout took only a part of it off.
    """

    on: date
    what: str
    reference: str
    amount: Money
    refund: Refund | None = None
    whole: Money | None = None


@dataclass(frozen=True)
class Statement:
    payout: Payout
    rows: tuple[Row, ...]
    opening: Money
    closing: Money

    def sum_of(self, *whats: str) -> Money:
        """What all rows of these kinds come to."""
        return total([each.amount for each in self.rows if each.what in whats], self.payout.currency)


def statement(*, payout: Payout) -> Statement:
    """What the payout is made of, row by row, by the books."""
    parts = SupplierOrder.objects.filter(payout_items__payout=payout).order_by("released_at", "pk")
    by_reference = {each.reference: each for each in parts}
    code, currency = payout.cooperative.code, payout.currency
    ours = Q(debit__kind__in=_OWN, debit__owner=code) | Q(credit__kind__in=_OWN, credit__owner=code)
    of_these = Q(entry__supplier_order__in=list(by_reference)) | Q(entry__about=payout.reference)
    postings = (
        Posting.objects.filter(of_these)
        .filter(ours, currency=currency)
        .select_related("entry", "debit", "credit")
        .order_by("entry__effective_on", "entry__pk", "pk")
    )
    netted = (
        owing(cooperative=code, currency=currency).taken_off.get(payout.reference, [])
        if payout.netted_minor
        else []
    )
    of_parts = Q(supplier_order__in=[*by_reference.values()])
    of_debts = Q(reference__in=[each.debt.about for each in netted])
    refunds = {
        each.reference: each
        for each in Refund.objects.filter(of_parts | of_debts).select_related("supplier_order")
    }
    rows: list[Row] = []
    told: set[int] = set()
    for posting in postings:
        if posting.entry.kind == Kind.NETTING and posting.debit.owner == code and posting.debit.kind in _OWN:
            rows += _netted(posting, netted, refunds)
        else:
            rows += _rows(posting, code, by_reference, refunds, told)
    rows = [each for each in rows if each.amount]
    return Statement(
        payout=payout,
        rows=tuple(rows),
        opening=zero(currency),
        closing=total([each.amount for each in rows], currency),
    )


def _netted(posting: Posting, netted: list[Taken], refunds: dict[str, Refund]) -> list[Row]:
    """What was set off, one row for each thing the cooperative owed. A set-off undone since is one row."""
    on = posting.entry.effective_on
    rows = [
        Row(
            on=on,
            what="netting",
            reference=each.debt.supplier_order or each.debt.about,
            amount=-each.amount,
            refund=refunds.get(each.debt.about),
            whole=each.debt.amount if each.amount != each.debt.amount else None,
        )
        for each in netted
    ]
    rest = -posting.amount - total([each.amount for each in rows], posting.currency)
    return [*rows, Row(on=on, what="netting", reference=posting.entry.about, amount=rest)]


def _rows(
    posting: Posting,
    code: str,
    parts: dict[str, SupplierOrder],
    refunds: dict[str, Refund],
    told: set[int],
) -> list[Row]:
    """What one posting means to the cooperative. ``told``: entries whose commission has its rows already."""
    enters = posting.credit.kind in _OWN and posting.credit.owner == code
    leaves = posting.debit.kind in _OWN and posting.debit.owner == code
    if enters and leaves:
        return []  # held becomes payable: nothing comes or goes
    entry = posting.entry
    other = posting.debit.kind if enters else posting.credit.kind
    amount = posting.amount if enters else -posting.amount
    reference = entry.about or entry.supplier_order

    def row(what: str, part: Money = amount) -> Row:
        return Row(
            on=entry.effective_on,
            what=what,
            reference=reference,
            amount=part,
            refund=refunds.get(entry.about) if what == "refund" else None,
        )

    if entry.kind == Kind.CONFIRMATION:
        if other == "commission_held" and entry.supplier_order in parts:
            vat = parts[entry.supplier_order].commission_vat
            return [row("commission", amount + vat), row("commission_vat", -vat)]
        kinds = {"customer_funds": "goods", "voucher_cost": "voucher", "solidarity_fund": "solidarity"}
        return [row(kinds.get(other, "other"))]
    if entry.kind == Kind.REFUND:
        if other == "commission_held":
            # Before the release net and VAT are two postings alike: the refund says which is which.
            refund = refunds.get(entry.about)
            if refund is None:
                return [row("refund_commission")]
            if entry.pk in told:
                return []
            told.add(entry.pk)
            net = refund.commission - refund.commission_vat
            return [row("refund_commission", net), row("refund_commission_vat", refund.commission_vat)]
        kinds = {
            "refund_payable": "refund",
            "voucher_cost": "refund_voucher",
            "commission": "refund_commission",
            "vat_output": "refund_commission_vat",
            "solidarity_fund": "refund_solidarity",
        }
        return [row(kinds.get(other, "other"))]
    if entry.kind == Kind.NETTING:
        return [row("netting_undone")]
    if entry.kind == Kind.REVERSAL and other == "producer_receivable":
        return [row("netting_undone")]
    if entry.kind in (Kind.PAYOUT_SENT, Kind.TRANSFER):
        return [row("payout")]
    if entry.kind in (Kind.PAYOUT_REJECTED, Kind.PAYOUT_RETURNED, Kind.TRANSFER_REVERSED):
        return [row("payout_back")]
    return [row("other")]


# As paper


def data(*, payout: Payout, language: str) -> dict[str, Any]:
    """The statement as ``documents/README.md`` wants it: text only, in that language."""
    found = statement(payout=payout)
    by_bank = payout.rail == PayoutAccount.Rail.BANK
    days = [each.on for each in found.rows] or [day_of(payout.planned_at)]

    def said(amount: Money) -> str:
        return money_text(amount, language)

    with override(language):
        words = _words()
        cooperative = payout.cooperative
        return {
            "reference": payout.reference,
            "cooperative": {
                "name": cooperative.name,
                "address": cooperative.address or cooperative.place,
                "register": cooperative.register_number,
                "ice": cooperative.ice,
                "phone": str(cooperative.phone),
                "email": cooperative.email,
            },
            "period": date_range_text(min(days), max(days), language, style="span"),
            "opening": said(found.opening),
            "closing": said(found.closing),
            "rows": [
                {
                    "on": day_text(each.on, language, style="short"),
                    "what": _said(each, words, language),
                    "reference": each.reference,
                    "amount": said(each.amount),
                }
                for each in found.rows
            ],
            "sums": _sums(found, language),
            "bank": {
                "rail": str(payout.get_rail_display()),
                "rib": ribs.grouped(payout.account.rib) if by_bank else "",
                "reference": payout.reference if by_bank else payout.stripe_transfer_id,
            },
        }


def statement_pdf(payout: Payout, language: str) -> bytes:
    """The same as PDF."""
    return documents.render("settlement_statement", data(payout=payout, language=language), language)


def statement_csv(payout: Payout, language: str) -> bytes:
    """The same as a table for a spreadsheet: UTF-8 with its mark, one movement a line, plain amounts."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    with override(language):
        words = _words()
        writer.writerow(
            [
                _("Day"),
                _("What"),
                _("Order"),
                pgettext("a thing", "Refund"),
                _("Refunded on"),
                _("Goods"),
                _("Why"),
                _("Amount"),
            ]
        )
        for each in statement(payout=payout).rows:
            refund = each.refund
            part = refund.supplier_order if refund is not None else None
            cells = [
                f"{each.on:%Y-%m-%d}",
                words[each.what],
                part.reference if part is not None else each.reference,
                refund.reference if refund is not None else "",
                f"{day_of(refund.requested_at):%Y-%m-%d}" if refund is not None else "",
                refunding.goods_said(refund) if refund is not None else "",
                str(refund.get_reason_display()) if refund is not None else "",
            ]
            writer.writerow([*map(guarded, cells), decimal_text(each.amount)])
    return text.getvalue().encode("utf-8-sig")


def _said(row: Row, words: dict[str, str], language: str) -> str:
    """What a row is; of a refund also its day, its goods and why."""
    if row.refund is None:
        return words[row.what]
    told = {
        "what": words[row.what],
        "day": day_text(row.refund.requested_at, language, style="short"),
        "goods": refunding.goods_said(row.refund) or _("delivery"),
        "reason": row.refund.get_reason_display(),
    }
    if row.what != "netting":
        return _("%(what)s: %(goods)s (%(reason)s)") % told
    said = _("%(what)s: refund of %(day)s, %(goods)s (%(reason)s)") % told
    if row.whole is None:
        return said
    return _("%(said)s, part of %(sum)s") % {"said": said, "sum": money_text(row.whole, language)}


def _words() -> dict[str, str]:
    return {
        "goods": _("Goods sold"),
        "voucher": _("Goods sold, paid by the shop (voucher)"),
        "commission": _("Commission"),
        "commission_vat": _("VAT on commission"),
        "solidarity": _("Solidarity fund"),
        "refund": _("Refund to the customer"),
        "refund_voucher": _("Refund to the shop (voucher)"),
        "refund_commission": _("Commission given back"),
        "refund_commission_vat": _("VAT on commission given back"),
        "refund_solidarity": _("Solidarity fund given back"),
        "netting": _("Set off against what you owed"),
        "netting_undone": _("Set-off undone"),
        "payout": _("Payout"),
        "payout_back": _("Payout that came back"),
        "other": _("Adjustment"),
    }


def _sums(found: Statement, language: str) -> list[dict[str, str]]:
    lines = [
        (_("Goods sold, refunds taken off"), found.sum_of("goods", "voucher", "refund", "refund_voucher")),
        (_("Commission"), found.sum_of("commission", "refund_commission")),
        (_("VAT on commission"), found.sum_of("commission_vat", "refund_commission_vat")),
        (_("Solidarity fund"), found.sum_of("solidarity", "refund_solidarity")),
        (_("Set off and adjustments"), found.sum_of("netting", "netting_undone", "other")),
    ]
    shown = [(label, amount) for label, amount in lines if amount]
    shown.append((_("Payout"), -found.sum_of("payout", "payout_back") or found.payout.amount))
    return [{"label": label, "amount": money_text(amount, language)} for label, amount in shown]
