"""One issue of the newsletter: written, sent to all who confirmed, each of them once."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Count
from django.utils.translation import gettext_lazy as _

from shop.core import mailing
from shop.core.crashpoints import crashpoint
from shop.core.errors import CarriedOutMeanwhile, Refused
from shop.core.models import OutboxMessage
from shop.core.sweeping import each_by_itself
from shop.customers import newsletter
from shop.customers.models import Issue, IssueCopy, Subscription

logger = logging.getLogger(__name__)

#: How many copies go into the outbox at one sweep.
AT_ONCE = 500
FIELDS = ("subject_fr", "subject_ar", "subject_en", "text_fr", "text_ar", "text_en")


class SentAlready(CarriedOutMeanwhile):
    message = _("This issue has been sent. What was sent is not changed.")


class NobodyToWriteTo(Refused):
    message = _("Nobody has confirmed a subscription yet, so there is nobody to send it to.")


def write(*, words: dict[str, str], by: Any, at: datetime) -> Issue:
    """A new draft. ``words`` has a subject and a text in each language."""
    return Issue.objects.create(**{name: words[name] for name in FIELDS}, written_by=by, written_at=at)


def change(*, issue: Issue, words: dict[str, str], by: Any, at: datetime) -> None:
    """Write a draft anew. Raises SentAlready."""
    changed = Issue.objects.filter(pk=issue.pk, state=Issue.State.DRAFT).update(
        **{name: words[name] for name in FIELDS}, written_by=by, written_at=at
    )
    if not changed:
        raise SentAlready


@transaction.atomic
def throw_away(*, issue: Issue) -> None:
    """Remove a draft. Raises SentAlready."""
    # Held first: Django deletes by keys it has read before, and somebody may be sending it.
    draft = Issue.objects.select_for_update().filter(pk=issue.pk, state=Issue.State.DRAFT).first()
    if draft is None:
        raise SentAlready
    draft.delete()


@transaction.atomic
def send(*, issue: Issue, by: Any, at: datetime) -> int:
    """Send a draft to everybody who has confirmed; returns to how many.

    Of two who press at once one sends it, the other reads SentAlready. Raises NobodyToWriteTo.
    """
    if not Issue.objects.filter(pk=issue.pk, state=Issue.State.DRAFT).update(
        state=Issue.State.SENDING, sent_by=by, sent_at=at
    ):
        raise SentAlready
    copies = [
        IssueCopy(issue_id=issue.pk, subscription_id=each)
        for each in Subscription.objects.confirmed().values_list("pk", flat=True)
    ]
    if not copies:
        raise NobodyToWriteTo
    IssueCopy.objects.bulk_create(copies, batch_size=AT_ONCE)
    Issue.objects.filter(pk=issue.pk).update(recipients=len(copies))
    logger.info("newsletter sent", extra={"issue": issue.reference, "recipients": len(copies)})
    return len(copies)


def go_on(*, at: datetime) -> int:
    """Put copies that wait into the outbox, and close issues that have none left; returns how many went."""
    waiting = IssueCopy.objects.filter(promised_at=None, issue__state=Issue.State.SENDING)
    rows = waiting.select_related("issue", "subscription").order_by("pk")[:AT_ONCE]
    went = each_by_itself(rows, lambda copy: _promise(copy, at), what="send newsletter")
    for issue in Issue.objects.filter(state=Issue.State.SENDING):
        if not issue.copies.filter(promised_at=None).exists():
            Issue.objects.filter(pk=issue.pk, state=Issue.State.SENDING).update(state=Issue.State.SENT)
    return went


@transaction.atomic
def _promise(copy: IssueCopy, at: datetime) -> bool:
    if not IssueCopy.objects.filter(pk=copy.pk, promised_at=None).update(promised_at=at):
        return False  # unsubscribed meanwhile, or another worker was quicker
    crashpoint("issues.marked_one")
    to = copy.subscription
    mailing.promise(
        topic=newsletter.ISSUE,
        to=to.email,
        language=to.language,
        key=f"{newsletter.ISSUE}:{copy.issue.reference}:{to.person}",
        about=copy.issue.reference,
        at=at,
        context=lambda: {
            "said": copy.issue.subject_in(to.language),
            "text": copy.issue.text_in(to.language),
            "person": to.person,
        },
    )
    return True


def progress(*, of: Sequence[Issue]) -> dict[int, dict[str, int]]:
    """How far issues have come, by key: ``to`` whom one goes, and of those ``waiting``, ``left``, ``failed``,
    ``ended`` (who unsubscribed before it reached her). Two queries, however many issues there are."""
    states = OutboxMessage.State
    mails = {
        (about, state): number
        for about, state, number in OutboxMessage.objects.filter(
            topic=newsletter.ISSUE, about__in=[each.reference for each in of]
        )
        .order_by()
        .values_list("about", "state")
        .annotate(Count("pk"))
    }
    copies = dict(
        IssueCopy.objects.filter(issue__in=of, promised_at=None)
        .order_by()
        .values_list("issue")
        .annotate(Count("pk"))
    )
    found = {}
    for each in of:
        left, failed, waiting = (
            mails.get((each.reference, state), 0)
            for state in (states.DELIVERED, states.FAILED, states.WAITING)
        )
        waiting += copies.get(each.pk, 0)
        ended = max(each.recipients - left - failed - waiting, 0)
        found[each.pk] = {
            "to": each.recipients, "waiting": waiting, "left": left, "failed": failed, "ended": ended,
        }  # fmt: skip
    return found
