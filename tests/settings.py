"""The shop's settings for tests: a folder of its own for each process, nothing reaches outside.

Without ``TEST_DATABASE_URL`` the tests run on SQLite; with it on that PostgreSQL server, where they make
databases of their own and remove them. The values are left in the environment too, so that a process a
test starts (``manage.py``, a worker) works on the same database and files.
"""

from __future__ import annotations

import atexit
import os
import secrets
import shutil
import tempfile
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit


def _folder_of_this_run() -> Path:
    """Made by the first process, inherited by those it starts, removed when the first one ends."""
    inherited = os.environ.get("TADAMON_TESTS_FOLDER")
    if inherited:
        return Path(inherited)
    folder = Path(tempfile.mkdtemp(prefix="tadamon-tests-"))
    os.environ["TADAMON_TESTS_FOLDER"] = str(folder)
    os.environ["TADAMON_TESTS_RUN"] = secrets.token_hex(4)
    owner = os.getpid()
    atexit.register(lambda: os.getpid() == owner and shutil.rmtree(folder, ignore_errors=True))
    return folder


WORKER = os.environ.get("PYTEST_XDIST_WORKER", "main")
RUN_FOLDER = _folder_of_this_run()
FOLDER = RUN_FOLDER / WORKER
(FOLDER / "static").mkdir(parents=True, exist_ok=True)


def _database() -> str:
    server = os.environ.get("TEST_DATABASE_URL", "")
    if not server:
        return f"sqlite:///{FOLDER / 'tadamon.sqlite3'}"
    name = f"/tadamon_{os.environ['TADAMON_TESTS_RUN']}_{WORKER}"
    return urlunsplit(urlsplit(server)._replace(path=name))


for _name in ("REDIS_URL", "EMAIL_URL", "STRIPE_API_KEY", "MEDIA_ROOT", "PRIVATE_MEDIA_ROOT", "STATIC_ROOT"):
    os.environ.pop(_name, None)
os.environ.update(
    TADAMON_PROFILE="embedded",
    TADAMON_VAR=str(FOLDER),
    DATABASE_URL=_database(),
    DEMO_MODE="on",
    DEBUG="off",
    DATABASE_CONN_MAX_AGE="0",
    DJANGO_LIVE_TEST_SERVER_ADDRESS="127.0.0.1",
)

from shop.settings import *  # noqa: E402, F403
from shop.settings import DATABASES, SQLITE  # noqa: E402

EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# A nudge goes nowhere, as if it were lost: tests run the sweep or the task they mean. Fixtures that need
# the work done by itself (``live_shop``) switch to running tasks at once.
CELERY_BROKER_URL = "memory://"
# Each test sees the page as it is now; those about kept pages switch keeping on.
PAGE_CACHE_SECONDS = 0
if SQLITE:
    # A test that kills processes loses nothing by this; only a power cut would tell.
    _options = DATABASES["default"]["OPTIONS"]
    _options["init_command"] = _options["init_command"].replace("synchronous=FULL", "synchronous=OFF")
