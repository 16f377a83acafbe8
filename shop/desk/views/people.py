"""People: who acts for the cooperative, and which of one's cooperatives one works for."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from cooperatives import people as members
from cooperatives.models import Cooperative, Member
from shop.core import clock
from shop.core.errors import Refused
from shop.desk.forms import AddMemberForm
from shop.desk.scope import MANAGE_PEOPLE, at_desk, cooperative_of, frame


def _page(request: HttpRequest, cooperative: Cooperative, form: AddMemberForm) -> HttpResponse:
    current = Member.objects.current().filter(cooperative=cooperative).select_related("user")
    return render(
        request,
        "desk/people.html",
        frame(request, cooperative, "people")
        | {
            "members": current.order_by("joined_at", "pk"),
            "own": Cooperative.objects.of(request.user).order_by("code"),
            "form": form,
        },
        status=422 if form.errors else 200,
    )


@at_desk
@require_GET
def people(request: HttpRequest) -> HttpResponse:
    """Who acts for the cooperative, in which role."""
    return _page(request, cooperative_of(request), AddMemberForm())


@at_desk
@require_POST
def add_member(request: HttpRequest) -> HttpResponse:
    """Let somebody with an account act for the cooperative."""
    cooperative = cooperative_of(request, MANAGE_PEOPLE)
    form = AddMemberForm(request.POST)
    if form.is_valid():
        try:
            member = members.add(
                cooperative=cooperative,
                email=form.cleaned_data["email"],
                role=form.cleaned_data["role"],
                at=clock.now(),
            )
        except Refused as refusal:
            form.add_error("email", str(refusal))
        else:
            messages.success(
                request,
                _("%(person)s now acts for %(cooperative)s.")
                % {"person": member.user.email, "cooperative": cooperative.name},
            )
            return redirect("desk:people")
    return _page(request, cooperative, form)


@at_desk
@require_http_methods(["GET", "POST"])
def end_member(request: HttpRequest) -> HttpResponse:
    """Somebody no longer acts for the cooperative: asked first, then done.

    Both steps are POST, because an address is written into logs and histories, and her e-mail is not to be.
    """
    cooperative = cooperative_of(request, MANAGE_PEOPLE)
    if request.method != "POST":
        return redirect("desk:people")
    member = get_object_or_404(
        Member.objects.current().filter(cooperative=cooperative).select_related("user", "cooperative"),
        user__email=request.POST.get("email", ""),
    )
    if request.POST.get("sure") == "yes":
        try:
            members.end(member=member, at=clock.now())
        except Refused as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, _("%(person)s no longer acts for you.") % {"person": member.user.email})
        return redirect("desk:today" if member.user == request.user else "desk:people")
    return render(
        request,
        "desk/end_member.html",
        frame(request, cooperative, "people")
        | {"member": member, "action": reverse("desk:end_member"), "back_url": reverse("desk:people")},
    )
