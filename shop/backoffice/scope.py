"""Who comes into the operators' room, how far, and what stands around every page of it."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache

from shop.backoffice import waiting
from shop.people.models import OperatorRole

ENTER = "backoffice.enter"
SUPPORT = "backoffice.support"
SEND_AGAIN = "backoffice.send_again"
ACT_FOR_OTHERS = "backoffice.act_for_others"
READ_MONEY = "backoffice.read_money"
PREPARE_MONEY = "backoffice.prepare_money"
APPROVE_MONEY = "backoffice.approve_money"
HANDLE_FILES = "backoffice.handle_files"
MOVE_CLOCK = "backoffice.move_clock"
CURATE = "backoffice.curate"
WRITE_LETTERS = "backoffice.write_letters"

_Role = OperatorRole.Role
#: Who holds a permission, for the sentence a person reads who does not.
HOLDERS = {
    ENTER: list(_Role),
    SUPPORT: [_Role.SUPPORT, _Role.FINANCE_MAKER, _Role.FINANCE_APPROVER, _Role.AUDITOR],
    SEND_AGAIN: [_Role.SUPPORT],
    ACT_FOR_OTHERS: [_Role.SUPPORT],
    READ_MONEY: [_Role.FINANCE_MAKER, _Role.FINANCE_APPROVER, _Role.AUDITOR],
    PREPARE_MONEY: [_Role.FINANCE_MAKER],
    APPROVE_MONEY: [_Role.FINANCE_APPROVER],
    HANDLE_FILES: [_Role.FINANCE_MAKER, _Role.FINANCE_APPROVER],
    MOVE_CLOCK: [_Role.SUPPORT, _Role.FINANCE_MAKER],
    CURATE: [_Role.CATALOGUE],
    WRITE_LETTERS: [_Role.CATALOGUE],
}

_PLACES = (
    ("today", gettext_lazy("Today"), ENTER),
    ("orders", gettext_lazy("Orders"), SUPPORT),
    ("outbox", gettext_lazy("Outbox"), SUPPORT),
    ("reviews", gettext_lazy("Reviews"), CURATE),
    ("newsletter", gettext_lazy("Newsletter"), WRITE_LETTERS),
    ("payouts", gettext_lazy("Payouts"), READ_MONEY),
    ("reconciliation", gettext_lazy("Reconciliation"), READ_MONEY),
    ("vouchers", gettext_lazy("Vouchers"), READ_MONEY),
    ("files", gettext_lazy("Files"), READ_MONEY),
    ("audit", gettext_lazy("Audit"), READ_MONEY),
    ("clock", gettext_lazy("Clock"), MOVE_CLOCK),
)

View = Callable[..., HttpResponse]


def operator_required(permission: str = ENTER, *methods: str) -> Callable[[View], View]:
    """A door of this room. ``methods`` are those it takes (``GET`` when none is named).

    Who is not signed in is asked to; to anybody but operators the room does not exist; an operator without
    the role reads whose role it takes. Outside the demonstration nobody works here without a second factor.
    """
    taken = {*(methods or ("GET",))}
    if "GET" in taken:
        taken.add("HEAD")

    def door(view: View) -> View:
        @wraps(view)
        @never_cache
        @login_required
        def page(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            user = request.user
            if not user.has_perm(ENTER):
                raise Http404
            if not settings.DEMO_MODE and not is_mfa_enabled(user):
                messages.warning(request, _("Operators sign in with a second factor. Set one up first."))
                return redirect("mfa_index")
            if not user.has_perm(permission):
                return refused(request, permission)
            if request.method not in taken:
                return HttpResponseNotAllowed(sorted(taken))
            return view(request, *args, **kwargs)

        return page

    return door


def refused(request: HttpRequest, permission: str) -> HttpResponse:
    """The page, 403, that says which role it takes."""
    roles = [role.label for role in HOLDERS[permission]]
    return show(request, "backoffice/forbidden.html", "", {"roles": roles}, status=403)


def show(
    request: HttpRequest,
    template: str,
    here: str,
    context: dict[str, Any] | None = None,
    *,
    status: int = 200,
) -> HttpResponse:
    """A page of this room, with its places and what this person may do."""
    return render(request, template, frame(request, here) | (context or {}), status=status)


def confirm(request: HttpRequest, here: str, **context: Any) -> HttpResponse:
    """The page before something that cannot be taken back cheaply; 422 when what was typed has errors.

    ``impossible`` says why it is not asked at all (409).
    """
    form, impossible = context.get("form"), str(context.get("impossible") or "")
    if impossible:
        context |= {"impossible": impossible, "said": []}
    status = 422 if form is not None and form.errors else 409 if impossible else 200
    return show(request, "backoffice/confirm.html", here, context, status=status)


def frame(request: HttpRequest, here: str) -> dict[str, Any]:
    """``places`` for the row of links, ``may`` for the buttons."""
    may = {permission.partition(".")[2]: request.user.has_perm(permission) for permission in HOLDERS}
    may["move_clock"] = may["move_clock"] and settings.DEMO_CLOCK
    counts = waiting.beside_places(may)
    places = [
        {
            "url": reverse(f"backoffice:{name}"),
            "name": title,
            "here": name == here,
            "count": counts.get(name, 0),
        }
        for name, title, permission in _PLACES
        if may[permission.partition(".")[2]]
    ]
    return {"places": places, "may": may, "here": here}
