"""Mails she may ask for: notices about favourites, and the newsletter, with or without an account."""

from __future__ import annotations

from typing import Any

from allauth.core import ratelimit
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from shop.core import clock
from shop.core.errors import Refused
from shop.customers import consents, ending, noticing, owning
from shop.customers import newsletter as subscribing
from shop.customers.models import Consent, Purpose
from shop.design.numbers import language_of
from shop.storefront.crumbs import account_crumbs
from shop.storefront.forms import NewsletterForm


@never_cache
@login_required
def notices(request: Any) -> HttpResponse:
    """Which mails, beyond those an order needs, she wants: each by a box of its own."""
    user, at = request.user, clock.now()
    wrong = ""
    if request.method == "POST":
        try:
            _choose(request, at)
        except Refused as refusal:
            wrong = str(refusal)
        else:
            return redirect("storefront:notices")
    kept, letter = noticing.of(user=user), subscribing.of(user=user)
    on = {
        Purpose.BACK_IN_STOCK: kept.back_in_stock,
        Purpose.CHEAPER: kept.cheaper,
        Purpose.NEWSLETTER: letter is not None and letter.confirmed_at is not None,
    }
    context = {
        "boxes": [
            {"name": each.value, "words": consents.words_of(each), "on": on[each]} for each in (*Purpose,)
        ],
        "proved": user.email.lower() in owning.verified_emails(user=user),
        "wrong": wrong,
        "here": "notices",
        "crumbs": account_crumbs(_("Notices")),
    }
    return render(request, "storefront/account_notices.html", context, status=409 if wrong else 200)


def _choose(request: Any, at: Any) -> None:
    user, language = request.user, language_of(get_language())
    wanted = {each: each.value in request.POST for each in noticing.ON_ACCOUNT}
    noticing.choose(user=user, wanted=wanted, language=language, at=at)
    letter = subscribing.of(user=user)
    if Purpose.NEWSLETTER.value in request.POST:
        if letter is None or letter.confirmed_at is None:
            subscribing.subscribe(user=user, language=language, at=at)
    elif letter is not None:
        subscribing.end(person=letter.person, source=Consent.Source.ACCOUNT, at=at)
    messages.success(request, _("Your choice is kept."))


# The newsletter


@csrf_exempt  # asks for a mail and no more; so the field in every foot needs no cookie
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def newsletter(request: Any) -> HttpResponse:
    """Ask for the newsletter. The answer is the same whether or not the address has it already."""
    form = NewsletterForm(request.POST or None)
    if request.method == "POST" and not ratelimit.consume(request, action="newsletter"):
        return ratelimit.respond_429(request)
    if request.method == "POST" and form.is_valid():
        subscribing.ask(
            email=form.cleaned_data["email"], language=language_of(get_language()), at=clock.now()
        )
        messages.success(
            request,
            _(
                "If this address does not have the letter yet, a mail is on its way to it. Press the link in it within seven days."
            ),
        )
        return redirect("storefront:newsletter")
    context = {
        "form": form,
        "words": consents.words_of(Purpose.NEWSLETTER),
        "crumbs": account_crumbs(_("Our letter"), of_account=False),
    }
    return render(request, "storefront/newsletter.html", context, status=422 if form.errors else 200)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def newsletter_confirm(request: Any, token: str) -> HttpResponse:
    """The link of the mail: a page with one button, because programs that read mails follow links too."""
    try:
        if request.method == "POST":
            subscribing.confirm(token=token, at=clock.now())
        else:
            ending.read_confirm(token=token)
    except Refused as refusal:
        return _letter_page(request, wrong=str(refusal), status=404)
    return _letter_page(request, done=request.method == "POST", ask=True)


def _letter_page(
    request: Any, *, wrong: str = "", done: bool = False, ask: bool = False, status: int = 200
) -> HttpResponse:
    context = {
        "wrong": wrong,
        "done": done,
        "ask": ask,
        "words": consents.words_of(Purpose.NEWSLETTER),
        "crumbs": account_crumbs(_("Our letter"), of_account=False),
    }
    return render(request, "storefront/newsletter_confirm.html", context, status=status)


@csrf_exempt  # mail programs press it for her (RFC 8058); the signed token is what lets them in
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: Any, token: str) -> HttpResponse:
    """The link at the foot of a mail: one press ends mails of this kind. Pressed again it says the same."""
    wrong, purpose, at = "", None, clock.now()
    try:
        person, purpose = ending.read_end(token=token)
        if request.method == "POST" and purpose == Purpose.NEWSLETTER:
            subscribing.end(person=person, source=Consent.Source.LINK, at=at)
        elif request.method == "POST":
            noticing.end(person=person, purpose=purpose, language=language_of(get_language()), at=at)
    except Refused as refusal:
        wrong = str(refusal)
    context = {
        "wrong": wrong,
        "done": request.method == "POST" and not wrong,
        "what": purpose.label if purpose else "",
        "crumbs": account_crumbs(_("No more mails of this kind"), of_account=False),
    }
    return render(request, "storefront/unsubscribe.html", context, status=404 if wrong else 200)
