"""Where a door that only takes forms leads whoever comes to it by its address.

After a refused form the address bar shows the form's door. A press of Enter there, another language, or
signing in again asks for that address as a page; she is led to the page the form belongs to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect, render
from django.urls import Resolver404, ResolverMatch, resolve, reverse


class WayBackMiddleware:
    """A form's door asked for as a page leads to its page; what is left of 405 says so in her language."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if not isinstance(response, HttpResponseNotAllowed):
            return response
        page = page_of(request) if request.method in ("GET", "HEAD") else ""
        if page:
            return redirect(page)
        said = render(request, "405.html", status=405)
        said["Allow"] = response["Allow"]
        return said


def page_of(request: HttpRequest) -> str:
    """The address of the page a form's door belongs to; empty for a machine's door, which has none."""
    match = request.resolver_match
    if match is None or getattr(match.func, "csrf_exempt", False):
        return ""
    return _elsewhere(match) or next(_pages_above(request.path_info), "/")


def _elsewhere(match: ResolverMatch) -> str:
    """The page of a door that does not lie under it."""
    if match.view_name == "storefront:basket_add":
        return reverse("storefront:listing", args=[match.kwargs["slug"]])
    if match.view_name in ("backoffice:decline_part", "backoffice:cancel_part", "backoffice:refund_part"):
        return reverse("backoffice:order", args=[match.kwargs["reference"].rpartition("-")[0]])
    return ""


def _pages_above(path: str) -> Iterator[str]:
    """The addresses above ``path`` that lead anywhere, the nearest first."""
    pieces = path.strip("/").split("/")
    for length in range(len(pieces) - 1, 0, -1):
        above = "/" + "/".join(pieces[:length]) + "/"
        try:
            resolve(above)
        except Resolver404:
            continue
        yield above
