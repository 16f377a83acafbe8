"""A real Chromium in front of the whole demo shop, with both sandboxes behind it.

``live_shop`` is the shop on a free port: demo data, tasks done at once, Stripe and bank in their sandboxes.
``open_page`` opens a window for one person; several persons, several windows. What a browser complains of
(an error in its console, a script that broke, a request that leaves this machine) fails the test.
``keep_picture`` writes to ``docs/pictures`` when ``SHOTS=1``, and otherwise does nothing.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings as current_settings
from django.core.management import call_command
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, sync_playwright
from playwright.sync_api import Error as PlaywrightError

from fixtures import bank_sandbox as bank
from fixtures import stripe_sandbox as stripe
from shop import safety
from shop.celery import app as celery_app
from tests import databases
from tools import chromium

PICTURES = Path(__file__).resolve().parent.parent / "docs" / "pictures"
WEBHOOK_SECRET = "whsec_tadamon_sandbox"


@dataclass(frozen=True)
class Size:
    """How large a window is, in CSS pixels."""

    name: str
    width: int
    height: int
    touches: bool


PHONE = Size("phone", 390, 844, touches=True)
DESKTOP = Size("desktop", 1280, 900, touches=False)


@dataclass(frozen=True)
class LiveShop:
    """The shop at ``url``; ``stripe`` and ``bank`` are the sandboxes it talks to."""

    url: str
    stripe: stripe.Running
    bank: bank.Running

    def at(self, path: str) -> str:
        """The whole address of a path of the shop."""
        return self.url + path


# The sandboxes, for any test


@pytest.fixture
def stripe_sandbox(tmp_path: Path, settings: Any) -> Iterator[stripe.Running]:
    """A Stripe sandbox on a free port; the shop's gateway talks to it for the length of the test."""
    with stripe.running(tmp_path / "stripe.sqlite3") as sandbox:
        settings.STRIPE_SANDBOX_URL = settings.STRIPE_API_BASE = sandbox.url
        yield sandbox


@pytest.fixture
def bank_sandbox(tmp_path: Path, settings: Any) -> Iterator[bank.Running]:
    """A bank and carrier sandbox on a free port, which the shop's settings name."""
    with bank.running(tmp_path / "bank.sqlite3") as sandbox:
        settings.BANK_SANDBOX_URL = sandbox.url
        yield sandbox


# The shop


@pytest.fixture(scope="session")
def demo_template(database_clones: databases.Clones, django_db_setup: None, django_db_blocker: Any) -> str:
    """The demonstration, loaded once in a run; each test of the live shop starts from a copy."""
    media, kept = Path(current_settings.MEDIA_ROOT), Path(os.environ["TADAMON_TESTS_FOLDER"]) / "demo-files"
    private = Path(current_settings.PRIVATE_MEDIA_ROOT)
    with django_db_blocker.unblock(), database_clones.for_this_run("demo") as to_be_made:
        if to_be_made:
            database_clones.renew()
            call_command("load_demo")
            for each in (media, private):
                each.mkdir(parents=True, exist_ok=True)
                shutil.copytree(each, kept / each.name)
            database_clones.keep_as("demo")
            database_clones.renew()
    for each in (media, private):
        shutil.copytree(kept / each.name, each, dirs_exist_ok=True)
    return "demo"


@pytest.fixture
def live_shop(
    transactional_db: None,
    demo_template: str,
    database_clones: databases.Clones,
    live_server: Any,
    stripe_sandbox: stripe.Running,
    bank_sandbox: bank.Running,
    settings: Any,
) -> Iterator[LiveShop]:
    """The demo shop, open on a free port. What its pages promise in the background is done at once."""
    database_clones.renew(demo_template)
    settings.SITE_URL = live_server.url
    settings.CSRF_TRUSTED_ORIGINS = [live_server.url]
    policy = dict(settings.CONTENT_SECURITY_POLICY["DIRECTIVES"])
    policy["form-action"] = safety.form_targets(stripe_sandbox.url)
    settings.CONTENT_SECURITY_POLICY = {**settings.CONTENT_SECURITY_POLICY, "DIRECTIVES": policy}
    celery_app.conf.task_always_eager = True
    stripe_sandbox.sandbox.add_webhook(
        f"{live_server.url}/payments/stripe/webhook/", WEBHOOK_SECRET, connect="both"
    )
    yield LiveShop(url=live_server.url, stripe=stripe_sandbox, bank=bank_sandbox)
    celery_app.conf.task_always_eager = False


# The browser


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for each worker."""
    # Playwright's loop runs in this thread, and Django then takes the thread for an asynchronous one.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=str(chromium.program()),
            args=chromium.flags(),
            # Playwright's own headless flag names another, older mode.
            ignore_default_args=["--headless"],
        )
        yield started
        started.close()


@dataclass
class Complaints:
    """What a window complained of, less what the test said it would."""

    expected: str = ""
    heard: list[str] = field(default_factory=list)

    def hear(self, complaint: str) -> None:
        if not (self.expected and re.search(self.expected, complaint)):
            self.heard.append(complaint)

    def listen(self, page: Page) -> None:
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.hear(f"script: {error}"))
        page.on("request", self._request)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.hear(f"console: {message.text} ({message.location.get('url', '')})")

    def _request(self, request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme in {"http", "https"} and address.hostname not in {"127.0.0.1", "localhost"}:
            self.hear(f"left this machine: {request.url}")


OpenPage = Callable[..., Page]


@pytest.fixture
def open_page(browser: Browser) -> Iterator[OpenPage]:
    """``open_page(size=PHONE, language="ar")``: a window of its own, with its own cookies.

    ``expected`` is a regular expression for complaints the test provokes, such as ``status of 404``.
    ``javascript=False`` is a browser without scripts.
    """
    complaints: list[Complaints] = []
    with ExitStack() as windows:

        def open_one(
            *, size: Size = DESKTOP, language: str = "fr", javascript: bool = True, expected: str = ""
        ) -> Page:
            context = browser.new_context(
                viewport={"width": size.width, "height": size.height},
                device_scale_factor=2 if size.touches else 1,
                has_touch=size.touches,
                is_mobile=size.touches,
                locale={"fr": "fr-MA", "ar": "ar-MA"}.get(language, language),
                timezone_id="Africa/Casablanca",
                reduced_motion="reduce",
                java_script_enabled=javascript,
            )
            windows.callback(context.close)
            context.set_default_timeout(15_000)
            page = context.new_page()
            heard = Complaints(expected=expected)
            heard.listen(page)
            complaints.append(heard)
            return page

        yield open_one
    said = [each for window in complaints for each in window.heard]
    assert not said, "the browser complained:\n" + "\n".join(said)


@pytest.fixture
def phone(open_page: OpenPage) -> Page:
    """A window of 390 × 844, touched."""
    return open_page(size=PHONE)


@pytest.fixture
def desktop(open_page: OpenPage) -> Page:
    """A window of 1280 × 900."""
    return open_page(size=DESKTOP)


def keep_picture(page: Page, name: str, *, whole: bool = False) -> None:
    """Keep what the window shows as ``docs/pictures/<name>.png`` when pictures are asked for (``SHOTS=1``)."""
    if os.environ.get("SHOTS"):
        PICTURES.mkdir(parents=True, exist_ok=True)
        page.evaluate("document.fonts.ready")
        page.screenshot(path=PICTURES / f"{name}.png", full_page=whole, scale="css")


def barriers(page: Page) -> list[str]:
    """What axe finds at WCAG 2.2 AA, one line each: rule and first place. An empty list is what we want."""
    from axe_playwright_python.sync_playwright import Axe

    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
    found = Axe().run(page, options={"runOnly": {"type": "tag", "values": tags}})
    return [
        f"{each['id']}: {each['nodes'][0]['target']} {each['help']}" for each in found.response["violations"]
    ]


def wait_until(page: Page, expression: str, arg: Any = None, *, seconds: float = 15) -> None:
    """Wait until a script says so. Playwright's own way evaluates strings in the page, which the policy forbids."""
    for _ in range(int(seconds * 20)):
        with suppress(PlaywrightError):  # the page that was asked has just gone
            if page.evaluate(expression, arg):
                return
        page.wait_for_timeout(50)
    raise AssertionError(f"never true: {expression}")


def overflows(page: Page) -> bool:
    """Whether the page is wider than its window, so that a person has to scroll sideways."""
    return bool(page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))
