"""What only operators' pages need: codes of banks, Stripe and the matcher in the reader's words."""

from __future__ import annotations

from django import template

from shop.backoffice import looks
from shop.payments.bank.reasons import reason_text
from shop.reconciliation import wording

register = template.Library()

#: ``{{ payout.failure|bank_reason }}``: why a bank did not carry out a transfer.
register.filter("bank_reason", reason_text)
#: ``{{ match|why_matched }}``: the rule that found a match.
register.filter("why_matched", wording.rule_text)
#: ``{{ entry.actor|who }}``: who did it.
register.filter("who", looks.who)
#: ``{{ row.category|stripe_kind }}``: what Stripe calls a row of its balance.
register.filter("stripe_kind", wording.category_text)
#: ``{{ row.quarantine|not_booked }}``: why a row of Stripe's balance is not booked.
register.filter("not_booked", wording.quarantine_text)
