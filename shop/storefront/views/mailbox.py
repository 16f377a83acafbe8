"""The demonstration's mailbox: what everybody was written, with links that work."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from shop.storefront import mailbox

_MOST = 60


@never_cache
@require_GET
def mails(request: HttpRequest) -> HttpResponse:
    """The last mails, the newest first. Outside the demonstration there is no such page."""
    if not settings.DEMO_MAILS:
        raise Http404
    found = mailbox.last(folder=Path(settings.EMAIL_FILE_PATH), most=_MOST)
    return render(request, "storefront/mailbox.html", {"mails": found, "folder": settings.EMAIL_FILE_PATH})
