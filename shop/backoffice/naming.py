"""Accounts and people as operators read them, and the accounts an adjustment may choose from."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.translation import gettext as _

from cooperatives.models import Cooperative
from shop.fulfilment.models import Carrier
from shop.ledger import accounts
from shop.ledger.chart import CHART
from shop.ledger.models import Account
from shop.reconciliation.resolving import BANK


def owners() -> dict[str, str]:
    """``{code: name}`` of every cooperative and carrier, so that accounts show names."""
    carriers = Carrier.objects.values_list("code", "name")
    bank = {BANK: str(_("the bank"))}
    return {**bank, **dict(carriers), **dict(Cooperative.objects.values_list("code", "name"))}


def in_words(code: str, names: dict[str, str] | None = None) -> str:
    """An account's code in words: ``producer_held:C13:MAD`` as its kind with its owner."""
    kind, _sep, rest = code.partition(":")
    if kind not in CHART:
        return code
    owner, _sep, _currency = rest.rpartition(":")
    title = str(CHART[kind].title)
    if not owner or owner == accounts.MAIN_BANK_ACCOUNT:
        return title
    return f"{title} ({(names or {}).get(owner, owner)})"


def choices(currency: str, besides: Iterable[str] = ()) -> list[tuple[str, str]]:
    """Accounts of one currency that money may be booked between: those of the chart without an owner, those in
    use, and the claim against the bank. ``[(code, in words)]``."""
    named = owners()
    codes = {f"{kind}:{currency}" for kind, each in CHART.items() if not each.has_owner}
    codes |= {accounts.bank(currency).code, accounts.suspense("bank", currency).code}
    codes |= set(Account.objects.filter(currency=currency).values_list("code", flat=True))
    codes |= set(besides)
    found = [(code, f"{in_words(code, named)} · {code}") for code in codes]
    return sorted(found, key=lambda each: each[1])
