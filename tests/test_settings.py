"""Production refuses each unsafe value by name, and starts on a sound set."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from shop import safety

ROOT = Path(__file__).resolve().parent.parent
IDENTITY = {
    "address": "12, avenue Allal Ben Abdellah, Rabat",
    "phone": "+212537000000",
    "email": "bonjour@tadamon.example",
    "ice": "001561191000066",
    "register": "Rabat 2026/17",
}
SOUND = {
    "PRODUCTION": True,
    "DEBUG": False,
    "SECRET_KEY": "k7" * 30,
    "DEMO_MODE": False,
    "DEMO_CLOCK": False,
    "DEMO_MAILS": False,
    "STRIPE_SANDBOX_URL": "",
    "STRIPE_API_BASE": "",
    "BANK_SANDBOX_URL": "",
    "STRIPE_API_KEY": "sk_live_something",
    "STRIPE_WEBHOOK_SECRETS": ["whsec_something"],
    "SQLITE": False,
    "REDIS_URL": "redis://cache:6379/0",
    "EMAIL_URL": "smtp://mail.example:587",
    "SITE_URL": "https://tadamon.example",
    "ALLOWED_HOSTS": ["tadamon.example"],
    "CELERY_TASK_ALWAYS_EAGER": False,
    "SHOP_LEGAL": IDENTITY,
}
UNSAFE = [
    ("DEBUG", True, "DEBUG"),
    ("SECRET_KEY", safety.EMBEDDED_SECRET_KEY, "SECRET_KEY"),
    ("SECRET_KEY", "short", "SECRET_KEY"),
    ("DEMO_MODE", True, "DEMO_MODE"),
    ("DEMO_CLOCK", True, "DEMO_CLOCK"),
    ("DEMO_MAILS", True, "DEMO_MAILS"),
    ("STRIPE_SANDBOX_URL", "http://127.0.0.1:4242", "STRIPE_SANDBOX_URL"),
    ("STRIPE_API_BASE", "http://127.0.0.1:4242", "STRIPE_SANDBOX_URL"),
    ("BANK_SANDBOX_URL", "http://127.0.0.1:4343", "BANK_SANDBOX_URL"),
    ("STRIPE_API_KEY", "", "STRIPE_API_KEY"),
    ("STRIPE_WEBHOOK_SECRETS", [], "STRIPE_WEBHOOK_SECRETS"),
    ("SQLITE", True, "DATABASE_URL"),
    ("REDIS_URL", "", "REDIS_URL"),
    ("EMAIL_URL", "", "EMAIL_URL"),
    ("SITE_URL", "http://tadamon.example", "SITE_URL"),
    ("ALLOWED_HOSTS", ["*"], "ALLOWED_HOSTS"),
    ("CELERY_TASK_ALWAYS_EAGER", True, "CELERY_TASK_ALWAYS_EAGER"),
    *(("SHOP_LEGAL", IDENTITY | {each: ""}, f"SHOP_{each.upper()}") for each in IDENTITY),
]
SOUND_ENVIRONMENT = {
    "TADAMON_PROFILE": "production",
    "SECRET_KEY": "k7" * 30,
    "DATABASE_URL": "postgres://shop:secret@database/tadamon",
    "REDIS_URL": "redis://cache:6379/0",
    "STRIPE_API_KEY": "sk_live_something",
    "STRIPE_WEBHOOK_SECRETS": "whsec_something",
    "EMAIL_URL": "smtp+tls://post:secret@mail.example:587",
    "SITE_URL": "https://tadamon.example",
    **{f"SHOP_{each.upper()}": value for each, value in IDENTITY.items()},
}


def test_a_sound_set_is_accepted():
    safety.refuse_unsafe(SOUND)


@pytest.mark.parametrize(
    ("name", "value", "said"), UNSAFE, ids=[f"{name}={value}" for name, value, _ in UNSAFE]
)
def test_each_unsafe_value_is_refused_by_name(name, value, said):
    with pytest.raises(ImproperlyConfigured) as refusal:
        safety.refuse_unsafe({**SOUND, name: value})

    assert said in str(refusal.value)
    assert ";" not in str(refusal.value)


def test_every_unsafe_value_is_named_at_once():
    with pytest.raises(ImproperlyConfigured) as refusal:
        safety.refuse_unsafe({**SOUND, "DEBUG": True, "DEMO_MODE": True})

    assert "DEBUG is on; DEMO_MODE is on" in str(refusal.value)


def test_the_embedded_shop_may_be_all_that():
    safety.refuse_unsafe({**SOUND, "PRODUCTION": False, "DEBUG": True, "SQLITE": True})


def start(**changes: str) -> subprocess.CompletedProcess[str]:
    """Load the real settings in a process of their own; print two of them."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    code = "from shop import settings as s; print(s.DEBUG, s.STRIPE_API_BASE == '', s.SESSION_COOKIE_SECURE)"
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**kept, **SOUND_ENVIRONMENT, **changes},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_production_starts_from_its_environment_alone(tmp_path):
    started = start(TADAMON_VAR=str(tmp_path / "unused"))

    assert started.stdout.split() == ["False", "True", "True"], started.stderr
    assert not (tmp_path / "unused").exists()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DEBUG", "on"),
        ("SECRET_KEY", ""),
        ("DEMO_MODE", "on"),
        ("STRIPE_SANDBOX_URL", "http://127.0.0.1:4242"),
        ("DATABASE_URL", "sqlite:////srv/tadamon.sqlite3"),
        ("REDIS_URL", ""),
    ],
)
def test_production_does_not_start_on_an_unsafe_environment(name, value, tmp_path):
    refused = start(**{name: value, "TADAMON_VAR": str(tmp_path / "unused")})

    assert refused.returncode != 0
    assert "Production refuses to start" in refused.stderr
