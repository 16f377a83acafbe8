"""The demonstration's clock: moved on here, told to both sandboxes, and what fell due is done at once.

A sandbox that is down is told the next time: it is given the whole offset, not the step.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from cooperatives import tasks as cooperatives
from shop.backoffice import demo_outside
from shop.core import clock
from shop.core import tasks as core
from shop.core.errors import Refused, Unavailable
from shop.fulfilment import tasks as fulfilment
from shop.payments import tasks as payments
from shop.reconciliation import tasks as reconciliation

logger = logging.getLogger(__name__)


#: What beat would do by and by, in the order in which one thing leads to the next.
SWEEPS: tuple[Callable[[], Any], ...] = (
    payments.sweep_payments,
    fulfilment.decline_overdue,
    fulfilment.remind,
    fulfilment.deliver_silent,
    fulfilment.release_due,
    fulfilment.forget_expired_quotes,
    cooperatives.close_superseded_accounts,
    payments.refund_ended_parts,
    payments.send_refunds,
    payments.send_approved_payouts,
    payments.sweep_events,
    payments.import_balance,
    reconciliation.talk_to_the_sandbox,
    reconciliation.match_new_lines,
    reconciliation.watch,
    core.sweep_outbox,
)


class NotInTheDemonstration(Refused):
    message = _("The clock of a real shop cannot be moved.")


@dataclass
class Moved:
    """How far the clock is ahead now, which sandboxes did not hear of it, and which sweeps did not finish."""

    offset: timedelta
    unheard: list[str] = field(default_factory=list)
    unfinished: list[str] = field(default_factory=list)


def sandboxes() -> dict[str, str]:
    """The sandboxes that stand in for the outside now: ``{name: address}``."""
    found = {"Stripe": settings.STRIPE_API_BASE, "bank": settings.BANK_SANDBOX_URL}
    return {name: url for name, url in found.items() if url}


def move(*, by: timedelta) -> Moved:
    """Move the clock on, tell the sandboxes, run the sweeps. Raises NotInTheDemonstration."""
    if not settings.DEMO_CLOCK:
        raise NotInTheDemonstration
    moved = Moved(offset=clock.move_forward(by=by))
    told = {"offset_seconds": int(moved.offset.total_seconds())}
    moved.unheard = [
        name
        for name, url in sandboxes().items()
        if not demo_outside.post(f"{url.rstrip('/')}/_sandbox/clock", told)
    ]
    moved.unfinished = sweep()
    logger.info("demo clock moved", extra={"offset_s": int(moved.offset.total_seconds())})
    return moved


def sweep() -> list[str]:
    """Do now what beat would do; returns the names of sweeps that did not finish."""
    unfinished = []
    for each in SWEEPS:
        name = getattr(each, "__name__", "")
        try:
            each()
        except Unavailable:
            unfinished.append(name)
        except Exception:
            # The clock has moved; one broken sweep must not hide what the others did.
            logger.exception("sweep did not finish", extra={"sweep": name})
            unfinished.append(name)
    return unfinished
