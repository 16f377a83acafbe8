"""What stands on the accounts, now or at the end of any day. Derived from the postings, never stored.

A balance is given on its account's normal side: what we have, are owed or spent is debits less credits,
what we owe or earned is credits less debits. So a healthy balance is positive.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from django.db import connection, transaction
from django.db.models import Max
from moneyed import Money

from shop.core.money import from_minor, to_minor
from shop.ledger import accounts
from shop.ledger.accounts import AccountName
from shop.ledger.chart import Side
from shop.ledger.models import Account, BalanceSnapshot, Posting


@dataclass(frozen=True)
class Balance:
    """What entered and what left one account."""

    account: AccountName
    debits: Money
    credits: Money

    @property
    def amount(self) -> Money:
        """On the account's normal side: positive when healthy."""
        if self.account.normal_side == Side.DEBIT:
            return self.debits - self.credits
        return self.credits - self.debits


def balance(account: AccountName | Account, on: date | None = None) -> Money:
    """What stands on an account at the end of that day, or with everything that is written.

    An account nobody ever posted to stands at nothing.
    """
    name = accounts.named(account) if isinstance(account, Account) else account
    found = statement(code=name.code, on=on)
    return found[0].amount if found else from_minor(0, name.currency)


def balances(
    *, prefix: str = "", owner: str = "", order: str = "", supplier_order: str = "", on: date | None = None
) -> dict[str, Money]:
    """``{account code: balance}``: one query, however many accounts, and one for the last snapshot.

    ``prefix`` is the start of the code (``producer_held:``), ``owner`` the code of a cooperative or carrier.
    With an order only its own entries count. Accounts that nothing touched are left out.
    """
    found = statement(prefix=prefix, owner=owner, order=order, supplier_order=supplier_order, on=on)
    return {each.account.code: each.amount for each in found}


def sums_by_currency(*, on: date | None = None) -> dict[str, int]:
    """``{currency code: all debits less all credits}`` in minor units: zero, or the books are broken."""
    sums: dict[str, int] = {}
    for each in statement(on=on):
        code = each.account.currency
        sums[code] = sums.get(code, 0) + to_minor(each.debits) - to_minor(each.credits)
    return sums


#: A condition in SQL and its values.
_Condition = tuple[str, Sequence[str | int | date]]


def statement(
    *,
    code: str = "",
    prefix: str = "",
    owner: str = "",
    order: str = "",
    supplier_order: str = "",
    on: date | None = None,
) -> list[Balance]:
    """Debits and credits of the accounts asked for, by code. Filters as in ``balances``.

    Starts from the last snapshot where there is one, so that old postings need not be read again.
    """
    whose: list[_Condition] = []
    if code:
        whose.append(("account.code = %s", [code]))
    if prefix:
        # Not LIKE: the underscore of a code would be a wildcard.
        whose.append(("substr(account.code, 1, %s) = %s", [len(prefix), prefix]))
    if owner:
        whose.append(("account.owner = %s", [owner]))
    which: list[_Condition] = []
    if order:
        which.append(('entry."order" = %s', [order]))
    if supplier_order:
        which.append(("entry.supplier_order = %s", [supplier_order]))
    if on is not None:
        which.append(("entry.effective_on <= %s", [on]))

    snapshot = None if order or supplier_order else _last_snapshot(on)
    if snapshot is None:
        parts = list(_both_sides([*whose, *which]))
    else:
        closed_on, through = snapshot
        parts = [
            *_both_sides([*whose, *which, ("posting.id > %s", [through])]),
            *_both_sides(
                [*whose, *which, ("posting.id <= %s", [through]), ("entry.effective_on > %s", [closed_on])]
            ),
            _select(
                "snapshot.debits_minor",
                "snapshot.credits_minor",
                "ledger_balancesnapshot snapshot JOIN ledger_account account ON account.id = snapshot.account_id",
                [*whose, ("snapshot.closed_on = %s", [closed_on])],
            ),
        ]
    union = " UNION ALL ".join(text for text, _ in parts)
    sql = (
        "SELECT account.kind, account.owner, account.currency, sum(moved.debit), sum(moved.credit) "  # noqa: S608
        f"FROM ({union}) moved JOIN ledger_account account ON account.id = moved.account_id "
        "GROUP BY account.id, account.code, account.kind, account.owner, account.currency "
        "ORDER BY account.code"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, [value for _, values in parts for value in values])
        return [
            Balance(
                AccountName(kind, of, currency),
                from_minor(int(debits), currency),
                from_minor(int(credits), currency),
            )
            for kind, of, currency, debits, credits in cursor.fetchall()
        ]


def _both_sides(conditions: Sequence[_Condition]) -> Iterator[_Condition]:
    entries = ""
    if any("entry." in text for text, _ in conditions):
        entries = " JOIN ledger_journalentry entry ON entry.id = posting.entry_id"
    postings = "ledger_posting posting JOIN ledger_account account ON account.id = posting."
    yield _select("posting.amount_minor", "0", f"{postings}debit_id{entries}", conditions)
    yield _select("0", "posting.amount_minor", f"{postings}credit_id{entries}", conditions)


def _select(debit: str, credit: str, source: str, conditions: Sequence[_Condition]) -> _Condition:
    where = " AND ".join(text for text, _ in conditions) or "1 = 1"
    text = (
        f"SELECT account.id AS account_id, {debit} AS debit, {credit} AS credit FROM {source} WHERE {where}"  # noqa: S608
    )
    return text, [value for _, values in conditions for value in values]


# Snapshots


def _last_snapshot(on: date | None) -> tuple[date, int] | None:
    taken = BalanceSnapshot.objects.order_by("-closed_on")
    if on is not None:
        taken = taken.filter(closed_on__lte=on)
    return taken.values_list("closed_on", "through_posting").first()


@transaction.atomic
def take_snapshot(*, on: date) -> int:
    """Remember every account's sums at the end of that day; returns how many accounts.

    Only a cache: balances are the same with and without it, also after an entry for an earlier day was
    written later. Taken again for the same day, it replaces the first.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            # Wait for whoever is writing and keep others out: below the highest id nothing may appear later.
            cursor.execute("LOCK TABLE ledger_posting IN SHARE MODE")
    BalanceSnapshot.objects.filter(closed_on=on).delete()
    through = Posting.objects.aggregate(last=Max("pk"))["last"] or 0
    found = statement(on=on)
    rows = accounts.rows([each.account for each in found])
    BalanceSnapshot.objects.bulk_create(
        BalanceSnapshot(
            account=rows[each.account],
            closed_on=on,
            through_posting=through,
            debits_minor=to_minor(each.debits),
            credits_minor=to_minor(each.credits),
        )
        for each in found
    )
    return len(found)
