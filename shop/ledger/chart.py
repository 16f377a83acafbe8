"""The chart of accounts: every kind of account there is, and how its balance reads.

Source and worked example: docs/bookkeeping.md. A new kind needs a line here and a function in
``accounts``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _


class Side(models.TextChoices):
    """The side on which an account grows."""

    DEBIT = "debit", _("debit")
    CREDIT = "credit", _("credit")


class Nature(models.TextChoices):
    """What a balance means to the shop."""

    ASSET = "asset", _("what we have or are owed")
    LIABILITY = "liability", _("what we owe")
    INCOME = "income", _("what we earned")
    EXPENSE = "expense", _("what it cost us")
    CLEARING = "clearing", _("between two currencies")

    @property
    def normal_side(self) -> Side:
        """Assets, expenses and clearing grow by debits; what we owe or earned grows by credits."""
        grows_by_credit = self in (Nature.LIABILITY, Nature.INCOME)
        return Side.CREDIT if grows_by_credit else Side.DEBIT


@dataclass(frozen=True)
class AccountKind:
    """One line of the chart. ``title`` is for people, in their language."""

    nature: Nature
    title: Any
    has_owner: bool = False


CHART: dict[str, AccountKind] = {
    # what we have or are owed
    "stripe_balance": AccountKind(Nature.ASSET, _("Stripe balance")),
    "stripe_reserved": AccountKind(Nature.ASSET, _("Kept back by Stripe")),
    "deposit_transit": AccountKind(Nature.ASSET, _("Deposits on their way to the bank")),
    "bank": AccountKind(Nature.ASSET, _("Bank account"), has_owner=True),
    "cod_receivable": AccountKind(Nature.ASSET, _("Cash collected by the carrier"), has_owner=True),
    "producer_receivable": AccountKind(Nature.ASSET, _("Owed by the cooperative"), has_owner=True),
    "dispute_receivable": AccountKind(Nature.ASSET, _("Disputed payments")),
    "vat_input": AccountKind(Nature.ASSET, _("Recoverable VAT")),
    "suspense": AccountKind(Nature.ASSET, _("To be explained"), has_owner=True),
    # what we owe
    "customer_funds": AccountKind(Nature.LIABILITY, _("Customers' money not yet assigned")),
    "bank_unapplied": AccountKind(Nature.LIABILITY, _("Bank credits not yet assigned")),
    "refund_payable": AccountKind(Nature.LIABILITY, _("Refunds owed to customers")),
    "producer_held": AccountKind(Nature.LIABILITY, _("Held for the cooperative"), has_owner=True),
    "producer_payable": AccountKind(Nature.LIABILITY, _("Due to the cooperative"), has_owner=True),
    "payout_in_flight": AccountKind(Nature.LIABILITY, _("Payout on its way"), has_owner=True),
    "commission_held": AccountKind(Nature.LIABILITY, _("Commission not yet earned")),
    "carrier_payable": AccountKind(Nature.LIABILITY, _("Owed to the carrier"), has_owner=True),
    "solidarity_fund": AccountKind(Nature.LIABILITY, _("Solidarity fund")),
    "vat_output": AccountKind(Nature.LIABILITY, _("VAT to be paid over")),
    # what we earned and what it cost us
    "commission": AccountKind(Nature.INCOME, _("Commission")),
    "shipping_income": AccountKind(Nature.INCOME, _("Delivery sold")),
    "voucher_cost": AccountKind(Nature.EXPENSE, _("Vouchers given by the shop")),
    "psp_fee": AccountKind(Nature.EXPENSE, _("Card fees")),
    "chargeback_fee": AccountKind(Nature.EXPENSE, _("Dispute fees")),
    "chargeback_loss": AccountKind(Nature.EXPENSE, _("Lost disputes")),
    "carrier_fee": AccountKind(Nature.EXPENSE, _("Cash collection fees")),
    "carrier_cost": AccountKind(Nature.EXPENSE, _("Carriage")),
    "bank_fee": AccountKind(Nature.EXPENSE, _("Bank fees")),
    "fx_gain_loss": AccountKind(Nature.EXPENSE, _("Exchange differences")),
    "rounding": AccountKind(Nature.EXPENSE, _("Rounding")),
    # between two currencies
    "fx_position": AccountKind(Nature.CLEARING, _("Exchange position")),
}
