"""Real workers for the tests that kill them: processes of their own, Celery's solo pool, files as the broker.

Python, Django and Celery take seconds to start. So this program starts once, reads one order (JSON) a line
and forks one process for each; it answers with the code that process ended with, ``-9`` for a kill.

A worker goes home when the queue is empty. ``without`` names guards of the shop that are off in it.
"""

from __future__ import annotations

import importlib
import json
import os
import platform
import signal
import sys
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

#: Seconds after which a worker that neither dies nor goes home is ended, with code -14.
PATIENCE = 60
#: What a worker would otherwise load anew each time.
IMPORTED_FIRST = [
    "shop.urls",
    "celery.apps.worker",
    "celery.concurrency.solo",
    "celery.events.receiver",
    "celery.worker.components",
    "celery.worker.consumer",
    "celery.worker.loops",
    "kombu.asynchronous.hub",
    "kombu.transport.filesystem",
]


def main() -> None:
    """Serve orders until the other side closes the pipe."""
    import django

    django.setup()
    from shop.celery import app

    app.loader.import_default_modules()
    for each in IMPORTED_FIRST:
        importlib.import_module(each)
    platform.platform()
    app.finalize()
    app.conf.humanize()
    _ = app.amqp.queues
    for model in django.apps.apps.get_models():
        _ = model._meta.fields_map
    print("ready", flush=True)
    for line in sys.stdin:
        child = os.fork()
        if not child:
            _live(json.loads(line))
        _pid, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def _live(order: dict[str, Any]) -> None:
    """The life of one process."""
    code = 1
    try:
        signal.alarm(PATIENCE)
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        os.environ.update(order["environment"])
        from django.conf import settings

        for name, value in order["settings"].items():
            setattr(settings, name, value)
        for guard in order["without"]:
            WITHOUT[guard]()
        code = _press(order["press"]) if order["press"] else _work()
    finally:
        sys.stderr.flush()
        os._exit(code)


def _work() -> int:
    """A worker of Celery, as the Procfile starts one."""
    from celery.signals import task_postrun
    from django.conf import settings

    from shop.celery import app

    queue = Path(settings.CELERY_BROKER_TRANSPORT_OPTIONS["data_folder_in"])

    def go_home(**_: Any) -> None:
        # At once: Celery's own way out waits two seconds for another message.
        if not any(queue.iterdir()):
            os._exit(0)

    task_postrun.connect(go_home, weak=False)
    app.Worker(
        pool="solo", without_gossip=True, without_mingle=True, without_heartbeat=True, loglevel="WARNING"
    ).start()
    return 3


def _press(press: dict[str, Any]) -> int:
    """Not a worker but a web process: a customer presses a button."""
    from django.test import Client

    from shop.people.models import User

    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(User.objects.get(pk=press["user"]))
    answer = client.post(press["path"])
    return 0 if answer.status_code == 302 else 2


# Guards


def _without_transactions() -> None:
    """Every statement is committed by itself, and nothing is locked."""
    from django.db import transaction
    from django.db.models import QuerySet

    transaction.Atomic.__enter__ = lambda self: None
    transaction.Atomic.__exit__ = lambda self, *_: None
    QuerySet.select_for_update = lambda self, *_, **__: self


def _without_kept_keys() -> None:
    """A key made up at each try, as by a worker that does not write it down first."""
    from shop.payments.stripe import gateway

    for name in ("refund", "transfer", "open_checkout"):
        asked = getattr(gateway, name)
        setattr(gateway, name, lambda asked=asked, **given: asked(**{**given, "key": uuid.uuid4().hex}))


WITHOUT: dict[str, Callable[[], None]] = {
    "transactions": _without_transactions,
    "kept keys": _without_kept_keys,
}


if __name__ == "__main__":
    main()
