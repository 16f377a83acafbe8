"""One function for each account of the chart (docs/bookkeeping.md). ``currency`` is Money's or its code.

A name costs no query and makes no row; the journal makes the row when something is first posted to it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from moneyed import Currency

from shop.ledger.chart import CHART, Nature, Side
from shop.ledger.models import Account

#: The bank account that deposits reach and batches leave.
MAIN_BANK_ACCOUNT = "main"


#: Kinds that show what stands outside: only statements of the bank and rows of Stripe's move them.
MIRRORS = frozenset(["bank", "stripe_balance", "stripe_reserved"])


def mirrors(code: str) -> bool:
    """Whether the account of this code shows what stands outside."""
    return code.partition(":")[0] in MIRRORS


@dataclass(frozen=True)
class AccountName:
    """Which account, as a value: a kind of the chart, whose it is, its currency code."""

    kind: str
    owner: str
    currency: str

    def __post_init__(self) -> None:
        if CHART[self.kind].has_owner != bool(self.owner):
            raise ValueError(f"{self.kind} {'needs' if not self.owner else 'has no'} owner")
        if ":" in self.owner:
            raise ValueError(f"the owner {self.owner!r} would blur the code of its account")

    @property
    def code(self) -> str:
        """Such as ``stripe_balance:EUR`` or ``producer_held:TIZ:MAD``."""
        return ":".join(each for each in (self.kind, self.owner, self.currency) if each)

    @property
    def nature(self) -> Nature:
        """Whether a balance is ours, owed, earned or spent."""
        return CHART[self.kind].nature

    @property
    def normal_side(self) -> Side:
        """The side on which it grows, so that its balance reads as a positive amount."""
        return self.nature.normal_side

    def __str__(self) -> str:
        return self.code


def named(account: Account) -> AccountName:
    """The name of an account's row."""
    return AccountName(account.kind, account.owner, account.currency)


def rows(names: Collection[AccountName]) -> dict[AccountName, Account]:
    """The accounts of these names, made where missing; one query when they all exist.

    Read anew each time instead of remembered: an id remembered from a transaction that was rolled back
    could be another account's by now.
    """
    wanted = {each.code: each for each in names}
    found = Account.objects.in_bulk(list(wanted), field_name="code")
    missing = sorted(set(wanted) - set(found))
    if missing:
        # Somebody else may be making the same ones: whoever comes second waits and takes the first's.
        Account.objects.bulk_create(
            [
                Account(
                    code=code,
                    kind=wanted[code].kind,
                    owner=wanted[code].owner,
                    currency=wanted[code].currency,
                    normal_side=wanted[code].normal_side,
                )
                for code in missing
            ],
            ignore_conflicts=True,
        )
        found |= Account.objects.in_bulk(missing, field_name="code")
    return {wanted[code]: row for code, row in found.items()}


def _account(kind: str, currency: Currency | str, owner: str = "") -> AccountName:
    code = currency.code if isinstance(currency, Currency) else currency.upper()
    return AccountName(kind, owner, code)


# What we have or are owed


def stripe_balance(currency: Currency | str) -> AccountName:
    """What Stripe holds for us, pending or available."""
    return _account("stripe_balance", currency)


def stripe_reserved(currency: Currency | str) -> AccountName:
    """What Stripe keeps back as a reserve."""
    return _account("stripe_reserved", currency)


def deposit_transit(currency: Currency | str) -> AccountName:
    """Deposits that left Stripe and are not yet on a bank statement."""
    return _account("deposit_transit", currency)


def bank(currency: Currency | str, account: str = MAIN_BANK_ACCOUNT) -> AccountName:
    """A bank account, as its statements show it."""
    return _account("bank", currency, account)


def cod_receivable(carrier: str, currency: Currency | str) -> AccountName:
    """Cash the carrier collected at doors and has not handed over."""
    return _account("cod_receivable", currency, carrier)


def producer_receivable(cooperative: str, currency: Currency | str) -> AccountName:
    """What a cooperative owes us: refunds of goods it was already paid for."""
    return _account("producer_receivable", currency, cooperative)


def dispute_receivable(currency: Currency | str) -> AccountName:
    """Payments a cardholder disputes, until the dispute is decided."""
    return _account("dispute_receivable", currency)


def vat_input(currency: Currency | str) -> AccountName:
    """VAT on what we bought, to be recovered."""
    return _account("vat_input", currency)


def suspense(source: str, currency: Currency | str) -> AccountName:
    """Money whose reason is not known yet; each is an exception somebody must settle."""
    return _account("suspense", currency, source)


# What we owe


def customer_funds(currency: Currency | str) -> AccountName:
    """Customers' payments not yet split among cooperatives. Below zero: confirmed, money not yet imported."""
    return _account("customer_funds", currency)


def bank_unapplied(currency: Currency | str) -> AccountName:
    """Bank credits not yet assigned to an order."""
    return _account("bank_unapplied", currency)


def refund_payable(currency: Currency | str) -> AccountName:
    """Refunds promised to customers and not yet paid."""
    return _account("refund_payable", currency)


def producer_held(cooperative: str, currency: Currency | str) -> AccountName:
    """A cooperative's, but may still go back to the customer."""
    return _account("producer_held", currency, cooperative)


def producer_payable(cooperative: str, currency: Currency | str) -> AccountName:
    """Due to a cooperative now."""
    return _account("producer_payable", currency, cooperative)


def payout_in_flight(cooperative: str, currency: Currency | str) -> AccountName:
    """In a batch the bank was given, not yet debited."""
    return _account("payout_in_flight", currency, cooperative)


def commission_held(currency: Currency | str) -> AccountName:
    """Our commission with its VAT on goods that may still come back: not yet earned."""
    return _account("commission_held", currency)


def carrier_payable(carrier: str, currency: Currency | str) -> AccountName:
    """What we owe a carrier."""
    return _account("carrier_payable", currency, carrier)


def solidarity_fund(currency: Currency | str) -> AccountName:
    """The cooperatives' contributions, kept for the fund."""
    return _account("solidarity_fund", currency)


def vat_output(currency: Currency | str) -> AccountName:
    """VAT on commission and delivery, to be paid over."""
    return _account("vat_output", currency)


# What we earned and what it cost us


def commission(currency: Currency | str) -> AccountName:
    """Commission earned, without VAT."""
    return _account("commission", currency)


def shipping_income(currency: Currency | str) -> AccountName:
    """Delivery sold, without VAT."""
    return _account("shipping_income", currency)


def voucher_cost(currency: Currency | str) -> AccountName:
    """What customers did not pay because the shop gave them a voucher, and the shop paid in their place."""
    return _account("voucher_cost", currency)


def psp_fee(currency: Currency | str) -> AccountName:
    """What Stripe keeps of payments."""
    return _account("psp_fee", currency)


def chargeback_fee(currency: Currency | str) -> AccountName:
    """What a dispute costs, whoever wins it."""
    return _account("chargeback_fee", currency)


def chargeback_loss(currency: Currency | str) -> AccountName:
    """Our part of lost disputes."""
    return _account("chargeback_loss", currency)


def carrier_fee(currency: Currency | str) -> AccountName:
    """What a carrier keeps for collecting cash, without VAT."""
    return _account("carrier_fee", currency)


def carrier_cost(currency: Currency | str) -> AccountName:
    """What carriage costs us, without VAT."""
    return _account("carrier_cost", currency)


def bank_fee(currency: Currency | str) -> AccountName:
    """What the bank charges."""
    return _account("bank_fee", currency)


def fx_gain_loss(currency: Currency | str) -> AccountName:
    """Exchange differences: a cost on the debit side, a gain on the credit side."""
    return _account("fx_gain_loss", currency)


def rounding(currency: Currency | str) -> AccountName:
    """Centimes of cash and banks; never of a split, which is exact."""
    return _account("rounding", currency)


# Between two currencies


def fx_position(currency: Currency | str) -> AccountName:
    """What an exchange gave in this currency for what it took in another."""
    return _account("fx_position", currency)
