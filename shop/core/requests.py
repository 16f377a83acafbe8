"""What no request of ours ever holds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse

NUL = "\0"


class NoNulMiddleware:
    """Refuses a request with a NUL in its address or form: nobody types one, and PostgreSQL takes none.

    One door for all, so that no search, reference or choice needs to think of it. What is not a form (a
    webhook's body) is left to the door it comes to.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> None:
        typed = [request.path_info, *_texts(request.GET)]
        if request.method == "POST" and not getattr(view, "csrf_exempt", False):
            typed += _texts(request.POST)
        if any(NUL in each for each in typed):
            raise BadRequest("a NUL")


def _texts(query: Any) -> list[str]:
    return [each for name, values in query.lists() for each in (name, *values)]
