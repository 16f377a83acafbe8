"""What waits, the audit, and the demonstration's clock."""

from __future__ import annotations

from datetime import timedelta

from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

from shop.backoffice import auditing, demo_clock, waiting
from shop.backoffice.forms import FindForm, MoveClockForm
from shop.backoffice.scope import ENTER, MOVE_CLOCK, READ_MONEY, frame, operator_required, refused, show
from shop.core import clock as clocks
from shop.core.errors import Refused

#: The steps of the clock that have a button of their own, in hours.
STEPS_H = (1, 24, 72, 192)

#: The fields that join two things of a cooperative's, as ``auditing`` names them.
_FIELDS = {
    "catalogue.Product.parent": gettext_noop("variants and their listing"),
    "order.Line.product": gettext_noop("order lines and their listings"),
    "payments.Payout.account": gettext_noop("payouts and their accounts"),
}


@operator_required(ENTER)
def today(request: HttpRequest) -> HttpResponse:
    """Everything that waits for an operator, each row a way to it."""
    may = frame(request, "today")["may"]
    found = waiting.everything(at=clocks.now(), may=may)
    tasks = [
        {"url": each.url, "number": each.number, "what": each.what, "said": each.said}
        for each in found
        if each.number
    ]
    return show(
        request,
        "backoffice/today.html",
        "today",
        {
            "tasks": tasks,
            "left": sum(each.number for each in found),
            "calm": [each for each in found if not each.number],
            "now": clocks.now(),
            "find": FindForm() if may["support"] else None,
            "needs_second_factor": not is_mfa_enabled(request.user),
        },
    )


@operator_required(READ_MONEY)
def audit(request: HttpRequest) -> HttpResponse:
    """The invariants, asked of the tables now."""
    at = clocks.now()
    findings = auditing.audit(at=at)
    return show(
        request,
        "backoffice/audit.html",
        "audit",
        {
            "breaches": [_named(each) for each in findings if not each.holds],
            "sound": [_named(each) for each in findings if each.holds],
            "number": sum(each.breaches for each in findings),
            "checks": len(findings),
            "at": at,
        },
    )


def _named(finding: auditing.Finding) -> dict[str, object]:
    return {"finding": finding, "name": _(finding.name), "about": _field_in_words(finding.about)}


def _field_in_words(about: str) -> str:
    """What a check of one field looks at; a field nobody has named yet by its own name."""
    return _(_FIELDS[about]) if about in _FIELDS else about


@operator_required(ENTER, "GET", "POST")
def clock(request: HttpRequest) -> HttpResponse:
    """Move the demonstration's time on and see at once what falls due."""
    if not settings.DEMO_CLOCK:
        raise Http404
    if not request.user.has_perm(MOVE_CLOCK):
        return refused(request, MOVE_CLOCK)
    form = MoveClockForm(request.POST or None)
    status = 200
    if request.method == "POST":
        if form.is_valid():
            by = timedelta(days=form.cleaned_data["days"], hours=form.cleaned_data["hours"])
            try:
                moved = demo_clock.move(by=by)
            except Refused as refusal:
                messages.error(request, str(refusal))
            else:
                _say(request, moved)
            return redirect("backoffice:clock")
        status = 422
    return show(
        request,
        "backoffice/clock.html",
        "clock",
        {
            "form": form,
            "now": clocks.now(),
            "offset": _in_words(clocks.offset()),
            "steps": [{"days": hours // 24, "hours": hours % 24, "text": _step(hours)} for hours in STEPS_H],
            "sandboxes": demo_clock.sandboxes(),
        },
        status=status,
    )


def _say(request: HttpRequest, moved: demo_clock.Moved) -> None:
    messages.success(request, _("The clock has moved, and what fell due was done."))
    for name in moved.unheard:
        messages.warning(
            request,
            _("The sandbox “%(name)s” did not answer. It is told the time when you move the clock again.")
            % {"name": name},
        )
    if moved.unfinished:
        messages.warning(
            request,
            _("Not finished, and tried again by itself: %(names)s.") % {"names": ", ".join(moved.unfinished)},
        )


def _step(hours: int) -> str:
    days = hours // 24
    if days:
        return ngettext("+ %(number)s day", "+ %(number)s days", days) % {"number": days}
    return ngettext("+ %(number)s hour", "+ %(number)s hours", hours) % {"number": hours}


def _in_words(offset: timedelta) -> str:
    hours = int(offset.total_seconds()) // 3600
    days, hours = divmod(hours, 24)
    parts = []
    if days:
        parts.append(ngettext("%(number)s day", "%(number)s days", days) % {"number": days})
    if hours or not parts:
        parts.append(ngettext("%(number)s hour", "%(number)s hours", hours) % {"number": hours})
    return " ".join(parts)
