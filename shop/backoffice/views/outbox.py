"""Mails: what waits, what failed, what was sent, and sending again."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _

from shop.backoffice import finding, looks
from shop.backoffice.scope import ACT_FOR_OTHERS, SEND_AGAIN, SUPPORT, operator_required, show
from shop.core import clock, mailing
from shop.core.errors import Refused
from shop.core.models import OutboxMessage
from shop.fulfilment.models import SupplierOrder
from shop.orders.models import Order

PER_PAGE = 30
_State = OutboxMessage.State


@operator_required(SUPPORT)
def outbox(request: HttpRequest) -> HttpResponse:
    """All mails by state, newest first; the search knows references, addresses and subjects."""
    typed = finding.plain(request.GET.get("q", "")[: finding.LONGEST]).strip()
    shown = request.GET.get("show", "")
    found = OutboxMessage.objects.order_by("-created_at", "-pk")
    may_see = request.user.has_perm(ACT_FOR_OTHERS)
    if typed:
        reference = finding.understand(typed).looked_for
        wanted = Q(about__startswith=reference) | Q(reference=reference) | Q(topic__icontains=typed)
        if may_see:
            wanted |= Q(recipient__icontains=typed) | Q(subject__icontains=typed)
        found = found.filter(wanted)
    counts = dict(found.order_by().values_list("state").annotate(number=Count("pk")))
    chips = [_chip("", _("All"), sum(counts.values()), shown, typed)]
    chips += [_chip(code, label, counts.get(code, 0), shown, typed) for code, label in _names()]
    if shown in _State.values:
        found = found.filter(state=shown)
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    return show(
        request,
        "backoffice/outbox.html",
        "outbox",
        {
            "typed": typed,
            "shown": shown,
            "chips": chips,
            "page": page,
            "rows": [_row(each, may_see) for each in page],
            "query": urlencode({"q": typed, "show": shown}),
        },
    )


def _names() -> list[tuple[str, str]]:
    return [
        (_State.FAILED.value, _("Failed")),
        (_State.WAITING.value, _("Waiting")),
        (_State.DELIVERED.value, _("Sent")),
    ]


def _chip(code: str, name: str, number: int, shown: str, typed: str) -> dict[str, Any]:
    query = urlencode({key: value for key, value in (("q", typed), ("show", code)) if value})
    return {"name": f"{name} ({number})", "url": f"?{query}", "on": code == shown}


def _row(message: OutboxMessage, may_see: bool) -> dict[str, Any]:
    return {
        "message": message,
        "state": looks.state(message.state, message.get_state_display()),
        "to": message.recipient if may_see else looks.masked_mail(message.recipient),
    }


@operator_required(SUPPORT)
def message(request: HttpRequest, reference: str) -> HttpResponse:
    """One mail as it left, or why it did not. Its text is for support only, and without what opens doors."""
    found = get_object_or_404(OutboxMessage, reference=reference)
    may_see = request.user.has_perm(ACT_FOR_OTHERS)
    return show(
        request,
        "backoffice/message.html",
        "outbox",
        _row(found, may_see)
        | {
            "sees_text": may_see,
            "text": mailing.without_secrets(found, found.body),
            "order": _order_about(found.about),
        },
    )


def _order_about(about: str) -> str:
    """The number of the order a mail is about, or nothing."""
    part = SupplierOrder.objects.filter(reference=about).values_list("order__number", flat=True).first()
    return part or Order.objects.filter(number=about).values_list("number", flat=True).first() or ""


@operator_required(SEND_AGAIN, "GET", "POST")
def send_again(request: HttpRequest, reference: str) -> HttpResponse:
    """Promise the same mail once more, after a look at whom it goes to."""
    found = get_object_or_404(OutboxMessage, reference=reference)
    if request.method == "POST":
        try:
            again = mailing.send_again(message=found, at=clock.now())
        except Refused as refusal:
            messages.error(request, str(refusal))
            return redirect("backoffice:message", reference)
        messages.success(request, _("The mail is promised once more; it leaves within a minute."))
        return redirect("backoffice:message", again.reference)
    return show(
        request,
        "backoffice/confirm.html",
        "outbox",
        {
            "heading": _("Send this mail again"),
            "said": [
                _("“%(subject)s” goes once more to %(to)s.")
                % {"subject": found.subject or found.topic, "to": found.recipient},
                _("If it arrived the first time, the person gets it twice."),
            ],
            "submit": _("Send again"),
            "back": "../",
        },
    )
