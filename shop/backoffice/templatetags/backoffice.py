"""What only operators' pages need: codes of banks, Stripe and the matcher in the reader's words."""

from __future__ import annotations

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from shop.backoffice import looks
from shop.payments.bank import reasons
from shop.payments.bank.reasons import reason_text
from shop.reconciliation import wording

register = template.Library()


@register.filter
def held_because(said: str) -> SafeString:
    """``{{ hold.reason|held_because }}``: why it is held; a bank's code as a sentence, with the code in small print."""
    means = reasons.meaning(said or "")
    if means:
        return format_html('<bdi>{}</bdi> <span class="small" dir="ltr">{}</span>', means, said.strip())
    return format_html("<bdi>{}</bdi>", looks.in_words(said))


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
#: ``{{ hold.reason|hold_reason }}``: the same for the middle of a sentence.
register.filter("hold_reason", looks.hold_reason)
#: ``{{ message|mail_title }}`` and ``{{ message.topic|mail_kind }}``: mails in words, sent or not.
register.filter("mail_title", looks.mail_title)
register.filter("mail_kind", looks.mail_kind)
#: ``{{ reference|about_what }}``: what an exception is about, an account in words.
register.filter("about_what", looks.about_what)
