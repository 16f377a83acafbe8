"""The stand-in as a process: it survives being killed, and many may call it at once."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import stripe

from fixtures.stripe_sandbox import running
from fixtures.stripe_sandbox.__main__ import main
from fixtures.stripe_sandbox.server import wait_until
from tests.stripe_sandbox.conftest import balance_of

ROOT = Path(__file__).resolve().parents[2]


def free_port():
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        return door.getsockname()[1]


class Process:
    """``python -m fixtures.stripe_sandbox`` and the library talking to it."""

    def __init__(self, state, *more):
        self.port = free_port()
        command = [
            sys.executable,
            "-m",
            "fixtures.stripe_sandbox",
            "--port",
            str(self.port),
            "--state",
            str(state),
            *more,
        ]
        self.process = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": ""}
        )
        self.greeting = self.process.stdout.readline().decode()
        self.client = stripe.StripeClient(
            "sk_test_x", base_addresses={"api": f"http://127.0.0.1:{self.port}"}, max_network_retries=0
        )

    def end(self, number):
        self.process.send_signal(number)
        code = self.process.wait(timeout=15)
        self.process.stdout.close()
        return code


@pytest.fixture
def process():
    started = []

    def start(*arguments):
        started.append(Process(*arguments))
        return started[-1]

    yield start
    for each in started:
        if each.process.poll() is None:
            each.end(signal.SIGKILL)


@pytest.mark.race
def test_what_was_answered_survives_a_kill(process, tmp_path):
    state = tmp_path / "var" / "stripe.sqlite3"
    first = process(state, "--settlement-currency", "mad", "--fee-fixed", "350", "--clock-offset", "86400")
    assert "not Stripe; no money moves" in first.greeting
    params = {"amount": 100_000, "currency": "mad", "payment_method": "pm_card_visa", "confirm": True}
    intent = first.client.v1.payment_intents.create(params, {"idempotency_key": "k"})
    first.end(signal.SIGKILL)

    second = process(state)

    again = second.client.v1.payment_intents.create(params, {"idempotency_key": "k"})
    assert again.id == intent.id
    assert balance_of(second.client) == {"mad": (0, 96_750)}
    assert len(second.client.v1.events.list().data) == 4
    other = second.client.v1.payment_intents.create({**params, "confirm": False})
    assert other.id != intent.id
    assert second.end(signal.SIGTERM) == 0


@pytest.mark.race
def test_eight_callers_with_one_key_do_the_work_once():
    with running() as each:
        client = stripe.StripeClient("sk_test_x", base_addresses={"api": each.url})
        ids, ready = [], threading.Barrier(8)

        def call():
            ready.wait(timeout=10)
            ids.append(
                client.v1.topups.create({"amount": 100, "currency": "eur"}, {"idempotency_key": "k"}).id
            )

        threads = [threading.Thread(target=call) for _ in range(8)]
        for one in threads:
            one.start()
        for one in threads:
            one.join(timeout=30)

        assert len(ids) == 8 and len(set(ids)) == 1
        assert balance_of(client) == {"eur": (100, 0)}


@pytest.mark.race
def test_callers_at_once_lose_nothing():
    with running() as each:
        client = stripe.StripeClient("sk_test_x", base_addresses={"api": each.url})

        def call():
            for _ in range(10):
                client.v1.topups.create({"amount": 7, "currency": "eur"})

        threads = [threading.Thread(target=call) for _ in range(4)]
        for one in threads:
            one.start()
        for one in threads:
            one.join(timeout=30)

        assert balance_of(client) == {"eur": (4 * 10 * 7, 0)}
        rows = list(client.v1.balance_transactions.list({"limit": 9}).auto_paging_iter())
        assert len({row.id for row in rows}) == 40


def test_it_listens_on_this_machine_only():
    with running() as each:
        assert each._server.server_address[0] == "127.0.0.1"


def test_time_passes_also_while_nobody_asks(told):
    from fixtures.stripe_sandbox import controls
    from tests.stripe_sandbox.browser import Browser

    with running(send=told) as each:
        client = stripe.StripeClient("sk_test_x", base_addresses={"api": each.url})
        Browser(each.sandbox).session(client)
        each.sandbox.add_webhook("http://127.0.0.1:1/", "whsec_x", events_=("checkout.session.expired",))

        each.sandbox.world.clock.move_to(2 * 86_400)

        assert wait_until(lambda: len(told) == 1, seconds=5)
        assert controls.state(each.sandbox)["deliveries"] == {"delivered": 1}


def test_it_has_no_way_to_listen_elsewhere(capsys):
    with pytest.raises(SystemExit):
        main(["--host", "0.0.0.0"])

    assert "unrecognized arguments: --host" in capsys.readouterr().err


def test_it_needs_no_django():
    """The package ``shop`` names its Celery app, which imports a little of Django; nothing of it is set up."""
    code = (
        "import sys, fixtures.stripe_sandbox.__main__\n"
        "conf, apps = sys.modules.get('django.conf'), sys.modules.get('django.apps')\n"
        "print(bool(conf and conf.settings.configured), bool(apps and apps.apps.ready))"
    )

    answer = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60
    )

    assert answer.stdout.split() == ["False", "False"], answer.stderr
    for each in (ROOT / "fixtures" / "stripe_sandbox").rglob("*.py"):
        assert "django" not in each.read_text().lower(), each
