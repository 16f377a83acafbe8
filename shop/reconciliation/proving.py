"""Whether the books agree with what Stripe, the bank, the carriers and the cooperatives' own parts say.

One proof for each account, in its own currency. ``difference`` is books less statement; every item says how
much of it is known and why; what is left is ``unexplained`` and should be nothing. ``drill`` leads from a
proof to its entries, statement lines and balance transactions.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from django.conf import settings
from django.db.models import F, Q, Sum
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from moneyed import Money

from cooperatives.models import Cooperative
from shop.core.clock import day_of
from shop.core.money import from_minor, to_minor
from shop.fulfilment.models import Carrier, Shipment, SupplierOrder
from shop.ledger import accounts, balances
from shop.ledger.models import JournalEntry, Posting
from shop.payments.models import BalanceTransaction, Deposit, Payout, PayoutTransfer, Refund
from shop.reconciliation import chaining, wording
from shop.reconciliation.models import Discrepancy, Match, Remittance, RemittanceLine, StatementLine
from shop.reconciliation.remitted import accounted, settled_by

Kind = Discrepancy.Kind
Text = str | Promise

IN_FLIGHT = "payouts_in_flight"
COOPERATIVE = "cooperative"


@dataclass(frozen=True)
class Item:
    """Something known that makes books and statement differ, and by how much (books less statement)."""

    reference: str
    text: Text
    amount: Money
    on: date | None = None


@dataclass(frozen=True)
class Proof:
    """One account held against the outside. ``statement`` is None when nothing was imported yet."""

    account: str
    title: Text
    currency: str
    books: Money
    statement: Money | None
    items: tuple[Item, ...] = ()
    as_of: date | None = None

    @property
    def difference(self) -> Money:
        """Books less statement; all of the books where there is no statement."""
        return self.books - self.statement if self.statement is not None else self.books

    @property
    def explained(self) -> Money:
        """What of the difference is known: lines not settled yet, exceptions, what has not come in yet."""
        return sum((each.amount for each in self.items), from_minor(0, self.currency))

    @property
    def unexplained(self) -> Money:
        """What nobody can say where it comes from. Nothing, or somebody has to look."""
        return self.difference - self.explained

    @property
    def holds(self) -> bool:
        """No unexplained difference."""
        return not self.unexplained.amount

    @property
    def is_exact(self) -> bool:
        """No difference at all."""
        return not self.difference.amount


@dataclass(frozen=True)
class Row:
    """One line of a drill: what the books have, what the outside has, and where it is written.

    ``files`` are the files that tell of it besides the bank's: ``(name, sha256)``.
    """

    on: date | None
    reference: str
    text: Text
    books: Money | None
    statement: Money | None
    entries: tuple[str, ...] = field(default=())
    line: str = ""
    files: tuple[tuple[str, str], ...] = field(default=())


def proofs() -> list[Proof]:
    """Every proof there is to make, as the tables stand now."""
    return [
        *(_stripe(currency) for currency in _stripe_currencies()),
        *(_transit(currency) for currency in _transit_currencies()),
        _bank(),
        *(_cash(carrier) for carrier in _carriers()),
        _in_flight(),
        *_cooperatives(),
    ]


def prove(*, account: str) -> Proof:
    """The proof of one account, named as ``proofs`` names it. Raises KeyError."""
    kind, _sep, rest = account.partition(":")
    if kind == "stripe_balance":
        return _stripe(rest)
    if kind == "deposit_transit":
        return _transit(rest)
    if kind == "bank":
        return _bank()
    if kind == "cod_receivable":
        return _cash(rest.partition(":")[0])
    if kind == IN_FLIGHT:
        return _in_flight()
    for each in _cooperatives(rest.partition(":")[0]):
        return each
    raise KeyError(account)


def drill(*, account: str) -> list[Row]:
    """What a proof is made of, oldest first: rows of the outside with the entries that book them."""
    kind, _sep, rest = account.partition(":")
    if kind == "stripe_balance":
        return _stripe_rows(rest)
    if kind == "deposit_transit":
        return _transit_rows(rest)
    if kind == "bank":
        return _bank_rows()
    if kind == "cod_receivable":
        return _cash_rows(rest.partition(":")[0])
    if kind == IN_FLIGHT:
        return _in_flight_rows()
    return _ledger_rows(rest.partition(":")[0])


# P1: the balance at Stripe


def _stripe_currencies() -> list[str]:
    mirrored = BalanceTransaction.objects.values_list("currency", flat=True).distinct()
    booked = [code.partition(":")[2] for code in balances.balances(prefix="stripe_balance:")]
    return sorted({*mirrored.order_by(), *booked})


def _stripe(currency: str) -> Proof:
    rows = BalanceTransaction.objects.filter(currency=currency)
    account = accounts.stripe_balance(currency)
    items = [
        Item(each.stripe_id, _("waits in quarantine"), -each.net, each.created_at.date())
        for each in rows.filter(posted_at=None)
    ]
    return Proof(
        account=account.code,
        title=_("Stripe balance"),
        currency=currency,
        books=balances.balance(account),
        statement=from_minor(rows.aggregate(sum=Sum("net_minor"))["sum"] or 0, currency),
        items=(*items, *_agreed([account.code], currency, but=Q(event__startswith="stripe:"))),
        as_of=_day(rows.order_by("-created_at").values_list("created_at", flat=True).first()),
    )


def _stripe_rows(currency: str) -> list[Row]:
    moved = _moved(accounts.stripe_balance(currency).code)
    return [
        Row(
            on=_day(each.created_at),
            reference=each.stripe_id,
            text=wording.quarantine_text(each.quarantine) or wording.category_text(each.category),
            books=from_minor(moved.pop(f"stripe:{each.stripe_id}", 0), currency),
            statement=each.net,
            entries=(f"stripe:{each.stripe_id}",) if each.posted_at else (),
        )
        for each in BalanceTransaction.objects.filter(currency=currency)
    ] + _only_in_books(moved, currency)


# P3: deposits between Stripe and the bank


def _transit_currencies() -> list[str]:
    mirrored = Deposit.objects.values_list("currency", flat=True).distinct()
    booked = [code.partition(":")[2] for code in balances.balances(prefix="deposit_transit:")]
    return sorted({*mirrored.order_by(), *booked})


def _on_the_way(currency: str) -> list[Deposit]:
    arrived = Match.objects.filter(subject=Match.Subject.DEPOSIT, state=Match.State.CONFIRMED)
    return list(
        Deposit.objects.filter(currency=currency)
        .exclude(status__in=["failed", "canceled"])
        .exclude(stripe_id__in=arrived.values("subject_reference"))
        .order_by("created_at")
    )


def _transit(currency: str) -> Proof:
    account = accounts.deposit_transit(currency)
    deposits = _on_the_way(currency)
    booked = set(
        JournalEntry.objects.filter(
            kind=JournalEntry.Kind.DEPOSIT, about__in=[each.stripe_id for each in deposits]
        ).values_list("about", flat=True)
    )
    items = [
        Item(
            each.stripe_id, _("Stripe's own row is not in the books yet"), -each.amount, _day(each.created_at)
        )
        for each in deposits
        if each.stripe_id not in booked
    ]
    total = sum(each.amount_minor for each in deposits)
    return Proof(
        account=account.code,
        title=_("Deposits on their way to the bank"),
        currency=currency,
        books=balances.balance(account),
        statement=from_minor(total, currency),
        items=(*items, *_rests(account.code, currency), *_agreed([account.code], currency)),
        as_of=_day(deposits[-1].created_at) if deposits else None,
    )


def _transit_rows(currency: str) -> list[Row]:
    matches = {
        each.subject_reference: each
        for each in Match.objects.filter(
            subject=Match.Subject.DEPOSIT, state=Match.State.CONFIRMED
        ).select_related("line", "entry")
    }
    left = {each.about: each.event for each in JournalEntry.objects.filter(kind=JournalEntry.Kind.DEPOSIT)}
    rows = []
    for deposit in Deposit.objects.filter(currency=currency).order_by("created_at"):
        match = matches.get(deposit.stripe_id)
        known = [left.get(deposit.stripe_id, ""), match.entry.event if match else ""]
        rows.append(
            Row(
                on=_day(deposit.created_at),
                reference=deposit.stripe_id,
                text=wording.deposit_text(deposit.status),
                books=deposit.amount if deposit.stripe_id in left else None,
                statement=match.line.amount if match else None,
                entries=tuple(each for each in known if each),
                line=match.line.reference if match else "",
            )
        )
    return rows


# P4: the bank


def _bank() -> Proof:
    currency = settings.SHOP_CURRENCY
    rib = settings.SHOP_LEGAL["rib"]
    account = accounts.bank(currency)
    last = chaining.last_statement(rib)
    waiting = StatementLine.objects.filter(account=rib).exclude(matches__state=Match.State.CONFIRMED)
    items = [
        Item(each.reference, each.text[:140], -each.amount, each.booked_on)
        for each in waiting.order_by("booked_on", "pk")
        if each.amount_minor
    ]
    gaps = Discrepancy.objects.filter(
        kind=Kind.STATEMENT_GAP, subject_reference__startswith=f"{rib}/"
    ).unsettled()
    items += [
        Item(each.reference, _("statements do not follow on"), -each.amount, each.opened_at.date())
        for each in gaps
        if each.amount_minor
    ]
    return Proof(
        account=account.code,
        title=_("Bank account"),
        currency=currency,
        books=balances.balance(account),
        statement=from_minor(last.closing_minor or 0, currency) if last else None,
        items=tuple(items),
        as_of=last.to_on if last else None,
    )


def _bank_rows() -> list[Row]:
    currency = settings.SHOP_CURRENCY
    moved = _moved(accounts.bank(currency).code)
    rows = []
    lines = StatementLine.objects.filter(account=settings.SHOP_LEGAL["rib"]).order_by("booked_on", "pk")
    for line in lines.prefetch_related("matches__entry", "matches__reversal"):
        events = []
        for match in line.matches.all():
            events += [match.entry.event, *([match.reversal.event] if match.reversal else [])]
        booked = sum(moved.pop(event, 0) for event in events)
        rows.append(
            Row(
                on=line.booked_on,
                reference=line.reference,
                text=line.text,
                books=from_minor(booked, currency) if events else None,
                statement=line.amount,
                entries=tuple(events),
                line=line.reference,
            )
        )
    return rows + _only_in_books(moved, currency)


# P5: cash with the carriers


def _carriers() -> list[str]:
    return list(Carrier.objects.filter(collects_cash=True).order_by("code").values_list("code", flat=True))


def _parcels(carrier: str) -> list[Shipment]:
    """Parcels whose cash the carrier has taken, with what it handed over of each."""
    taken = Shipment.objects.filter(
        carrier__code=carrier, cash_to_collect_minor__gt=0, delivered_at__isnull=False
    )
    return list(taken.select_related("supplier_order").order_by("delivered_at", "pk"))


def _cash(carrier: str) -> Proof:
    currency = settings.SHOP_CURRENCY
    account = accounts.cod_receivable(carrier, currency)
    taken = sum(each.cash_to_collect_minor for each in _parcels(carrier))
    arrived = Remittance.objects.filter(carrier__code=carrier).exclude(arrived_at=None)
    handed_over = settled_by(*arrived)
    last = Remittance.objects.filter(carrier__code=carrier).order_by("-remitted_on").first()
    return Proof(
        account=account.code,
        title=Carrier.objects.get(code=carrier).name,
        currency=currency,
        books=balances.balance(account),
        statement=from_minor(taken - handed_over, currency),
        items=(*_rests(account.code, currency), *_agreed([account.code], currency)),
        as_of=last.remitted_on if last else None,
    )


def _cash_rows(carrier: str) -> list[Row]:
    """What the carrier took at each door, and what each remittance whose money came took off its debt.

    Both columns add up to the proof's own amounts.
    """
    currency = settings.SHOP_CURRENCY
    moved = _moved(accounts.cod_receivable(carrier, currency).code)
    every = RemittanceLine.objects.filter(remittance__carrier__code=carrier)
    settles = accounted(every)
    of_parcel: dict[int, list[RemittanceLine]] = {}
    settled: dict[int, int] = {}
    for line in every.select_related("remittance__file").order_by("pk"):
        settled[line.remittance_id] = settled.get(line.remittance_id, 0) + settles[line.pk]
        if line.shipment_id is not None:
            of_parcel.setdefault(line.shipment_id, []).append(line)
    on_statement: dict[str, list[str]] = {}
    confirmed = Match.objects.filter(
        subject=Match.Subject.REMITTANCE,
        subject_reference__startswith=f"{carrier}/",
        state=Match.State.CONFIRMED,
    )
    for subject, reference in confirmed.values_list("subject_reference", "line__reference"):
        on_statement.setdefault(subject, []).append(reference)
    rows = []
    for parcel in _parcels(carrier):
        lines = of_parcel.get(parcel.pk, [])
        event = f"supplier-order:{parcel.supplier_order.reference}:cash-collected"
        rows.append(
            Row(
                on=_day(parcel.delivered_at),
                reference=parcel.reference,
                text="" if lines else _("not remitted yet"),
                books=from_minor(moved.pop(event), currency) if event in moved else None,
                statement=parcel.cash_to_collect,
                entries=(event,),
                files=tuple((each.remittance.reference, each.remittance.file.sha256) for each in lines),
            )
        )
    for remittance in Remittance.objects.filter(carrier__code=carrier).select_related("file").order_by("pk"):
        known = f"{carrier}/{remittance.reference}"
        event = f"remittance:{known}"
        has_come = remittance.arrived_at is not None
        rows.append(
            Row(
                on=remittance.remitted_on,
                reference=remittance.reference,
                text=_("handed over") if has_come else _("handed over; its money has not come yet"),
                books=from_minor(moved.pop(event), currency) if event in moved else None,
                statement=from_minor(-settled.get(remittance.pk, 0), currency) if has_come else None,
                entries=(event,) if has_come else (),
                line=", ".join(on_statement.get(known, [])),
                files=((remittance.reference, remittance.file.sha256),),
            )
        )
    return rows + _only_in_books(moved, currency)


# Payouts the bank was given


def _in_flight() -> Proof:
    currency = settings.SHOP_CURRENCY
    booked = balances.balances(prefix="payout_in_flight:")
    sent = Payout.objects.filter(rail="bank", state=Payout.State.SENT, currency=currency)
    return Proof(
        account=f"{IN_FLIGHT}:{currency}",
        title=_("Payouts on their way"),
        currency=currency,
        books=sum(
            (amount for code, amount in booked.items() if code.endswith(currency)), from_minor(0, currency)
        ),
        statement=from_minor(sent.aggregate(sum=Sum("amount_minor"))["sum"] or 0, currency),
        items=tuple(_agreed(list(booked), currency)),
        as_of=_day(sent.order_by("-sent_at").values_list("sent_at", flat=True).first()),
    )


def _in_flight_rows() -> list[Row]:
    open_ones = Payout.objects.filter(rail="bank").exclude(sent_at=None).order_by("sent_at", "pk")
    lines = dict(
        Match.objects.filter(subject=Match.Subject.PAYOUT, state=Match.State.CONFIRMED).values_list(
            "subject_reference", "line__reference"
        )
    )
    return [
        Row(
            on=_day(each.sent_at),
            reference=each.reference,
            text=each.get_state_display(),
            books=each.amount,
            statement=each.amount if each.reference in lines else None,
            entries=(f"payout:{each.reference}:sent",),
            line=lines.get(each.reference, ""),
        )
        for each in open_ones
    ]


# P6: the cooperatives


def _cooperatives(code: str = "") -> list[Proof]:
    """What the books owe each, against its sold parts less what was refunded, charged and paid out."""
    currency = settings.SHOP_CURRENCY
    books: dict[str, int] = defaultdict(int)
    codes: list[str] = []
    signs = {"producer_held": 1, "producer_payable": 1, "payout_in_flight": 1, "producer_receivable": -1}
    for kind, sign in signs.items():
        for account, amount in balances.balances(prefix=f"{kind}:", owner=code).items():
            _kind, owner, of = account.split(":")
            if of == currency:
                books[owner] += sign * to_minor(amount)
                codes.append(account)
    facts, unlisted = _facts(code, currency)
    agreed = _agreed_by_owner(codes, currency)
    found = []
    names = Cooperative.objects.filter(code__in={*books, *facts}).order_by("code")
    for owner, name in names.values_list("code", "name"):
        items = [
            Item(each.stripe_transfer_id, _("Stripe has not listed this transfer yet"), each.amount)
            for each in unlisted.get(owner, ())
        ]
        found.append(
            Proof(
                account=f"{COOPERATIVE}:{owner}:{currency}",
                title=name,
                currency=currency,
                books=from_minor(books[owner], currency),
                statement=from_minor(facts[owner], currency),
                items=(*items, *agreed[owner]),
            )
        )
    return found


def _facts(code: str, currency: str) -> tuple[dict[str, int], dict[str, list[PayoutTransfer]]]:
    """({cooperative: minor units}, {cooperative: transfers Stripe has not listed}) from parts and payouts."""
    facts: dict[str, int] = defaultdict(int)
    one = {"cooperative__code": code} if code else {}
    sold = SupplierOrder.objects.filter(
        Q(order__payment_method="card")
        | Q(state__in=[SupplierOrder.State.DELIVERED, SupplierOrder.State.RELEASED]),
        currency=currency,
        **one,
    )
    for owner, amount in _summed(sold, "cooperative__code", Sum("producer_share_minor")):
        facts[owner] += amount
    refunds = Refund.objects.filter(supplier_order__isnull=False, currency=currency)
    refunds = refunds.filter(supplier_order__cooperative__code=code) if code else refunds
    given = Sum(F("goods_minor") - F("commission_minor") - F("solidarity_minor"))
    for owner, amount in _summed(refunds, "supplier_order__cooperative__code", given):
        facts[owner] -= amount
    paid = Payout.objects.filter(rail="bank", state=Payout.State.PAID, currency=currency, **one)
    for owner, amount in _summed(paid, "cooperative__code", Sum("amount_minor")):
        facts[owner] -= amount
    transfers = PayoutTransfer.objects.filter(state=PayoutTransfer.State.MADE, currency=currency)
    if code:
        transfers = transfers.filter(item__payout__cooperative__code=code)
    for owner, amount in _summed(transfers, "item__payout__cooperative__code", Sum("amount_minor")):
        facts[owner] -= amount
    charged = Posting.objects.filter(
        entry__kind=JournalEntry.Kind.DELIVERY_CHARGED, debit__kind__startswith="producer_"
    )
    charged = charged.filter(debit__owner=code) if code else charged
    for owner, amount in _summed(charged, "debit__owner", Sum("amount_minor")):
        facts[owner] -= amount
    listed = BalanceTransaction.objects.filter(category="transfer").exclude(posted_at=None)
    unlisted: dict[str, list[PayoutTransfer]] = defaultdict(list)
    for each in transfers.exclude(stripe_transfer_id__in=listed.values("source_id")).select_related(
        "item__payout__cooperative"
    ):
        unlisted[each.item.payout.cooperative.code].append(each)
    return facts, unlisted


def _summed(rows: object, by: str, what: Sum) -> Iterable[tuple[str, int]]:
    found = rows.order_by().values(by).annotate(minor=what)  # type: ignore[attr-defined]
    return [(each[by], int(each["minor"] or 0)) for each in found]


def _ledger_rows(owner: str) -> list[Row]:
    """Every entry that touched a cooperative's accounts."""
    kinds = ["producer_held", "producer_payable", "payout_in_flight", "producer_receivable"]
    sums: dict[int, int] = defaultdict(int)
    for side, sign in (("credit", 1), ("debit", -1)):
        touched = Posting.objects.filter(**{f"{side}__owner": owner, f"{side}__kind__in": kinds})
        for entry, minor in touched.values_list("entry_id", "amount_minor"):
            sums[entry] += sign * minor
    entries = JournalEntry.objects.in_bulk(list(sums))
    return [
        Row(
            on=entries[key].effective_on,
            reference=entries[key].about or entries[key].supplier_order or entries[key].order,
            text=entries[key].title,
            books=from_minor(minor, settings.SHOP_CURRENCY),
            statement=None,
            entries=(entries[key].event,),
        )
        for key, minor in sorted(sums.items())
    ]


# What they share


def _day(moment: object) -> date | None:
    return day_of(moment) if isinstance(moment, datetime) else None


def _rests(account: str, currency: str) -> list[Item]:
    """What matches by hand left open on an account, until somebody notes it away.

    One that two persons booked stays, beside what they booked: together they come to nothing.
    """
    found = Discrepancy.objects.filter(account=account, detail__reason="rest", currency=currency)
    booked = Q(resolutions__moves_money=True, resolutions__approved_at__isnull=False)
    still = found.filter(~Q(state=Discrepancy.State.SETTLED) | booked).distinct()
    return [
        Item(each.reference, each.get_kind_display(), each.amount, each.opened_at.date()) for each in still
    ]


def _agreed(codes: Sequence[str], currency: str, *, but: Q | None = None) -> list[Item]:
    """What two persons booked on these accounts beside any statement, each entry with its approval.

    ``but`` names the entries that the outside shows too.
    """
    return [each for items in _agreed_by_owner(codes, currency, but=but).values() for each in items]


def _agreed_by_owner(codes: Sequence[str], currency: str, *, but: Q | None = None) -> dict[str, list[Item]]:
    """``{owner of the account: what two persons booked}``. What they matched with a statement is on it, and
    no item."""
    matched = Match.objects.exclude(subject=Match.Subject.ADJUSTMENT)
    adjusting = Q(kind=JournalEntry.Kind.ADJUSTMENT) | Q(reverses__kind=JournalEntry.Kind.ADJUSTMENT)
    entries = (
        JournalEntry.objects.filter(adjusting)
        .exclude(pk__in=matched.values("entry"))
        .exclude(pk__in=matched.exclude(reversal=None).values("reversal"))
    )
    if but is not None:
        entries = entries.exclude(but)
    sums: dict[tuple[str, int], int] = defaultdict(int)
    for side in ("debit", "credit"):
        touched = Posting.objects.filter(
            **{f"{side}__code__in": list(codes)}, entry__in=entries, currency=currency
        ).values_list("entry_id", f"{side}__owner", f"{side}__normal_side", f"{side}__kind", "amount_minor")
        for entry, owner, normal_side, kind, minor in touched:
            grew = minor if normal_side == side else -minor
            sums[owner, entry] += -grew if kind == "producer_receivable" else grew
    found = JournalEntry.objects.in_bulk([entry for _owner, entry in sums]) if sums else {}
    items: dict[str, list[Item]] = defaultdict(list)
    for (owner, entry), minor in sorted(sums.items()):
        if minor:
            each = found[entry]
            items[owner].append(
                Item(each.approval, each.memo, from_minor(minor, currency), each.effective_on)
            )
    return items


def _moved(code: str) -> dict[str, int]:
    """``{event: what it moved on an asset account}`` in minor units."""
    moved: dict[str, int] = defaultdict(int)
    for side, sign in (("debit", 1), ("credit", -1)):
        touched = Posting.objects.filter(**{f"{side}__code": code})
        for event, minor in touched.values_list("entry__event", "amount_minor"):
            moved[event] += sign * minor
    return moved


def _only_in_books(moved: dict[str, int], currency: str) -> list[Row]:
    """Entries on the account that no row of the outside shows."""
    entries = {each.event: each for each in JournalEntry.objects.filter(event__in=list(moved))}
    return [
        Row(
            on=entries[event].effective_on,
            reference=entries[event].about,
            text=entries[event].title,
            books=from_minor(minor, currency),
            statement=None,
            entries=(event,),
        )
        for event, minor in sorted(moved.items())
        if minor
    ]
