"""The shop's settings with every cache always empty: each page is made from the database, each time."""

from __future__ import annotations

from shop.settings import *  # noqa: F403

CACHES = {each: {"BACKEND": "django.core.cache.backends.dummy.DummyCache"} for each in ("default", "pages")}
PAGE_CACHE_SECONDS = 0
