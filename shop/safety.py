"""What settings may not be, and the parts of settings that are too long to read in one file."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import structlog
from django.core.exceptions import ImproperlyConfigured

EMBEDDED_SECRET_KEY = "embedded-demonstration-key-that-production-refuses"  # noqa: S105


def hosts_of(site_url: str) -> list[str]:
    """The host of the shop's address; the embedded shop also answers to its loopback names."""
    host = urlsplit(site_url).hostname or "127.0.0.1"
    return [host, "localhost", "127.0.0.1", "testserver"] if host in {"127.0.0.1", "localhost"} else [host]


def form_targets(stripe_base: str) -> list[str]:
    """Where a form of ours may lead: to us, and by redirect to the hosted payment page."""
    return ["'self'", stripe_base or "https://checkout.stripe.com"]


def picture_sources(env: Any) -> list[str]:
    """Where pictures come from besides our own address: the bucket's, when they lie in one."""
    bucket = env.str("MEDIA_BUCKET", default="")
    address = env.str("MEDIA_BUCKET_URL", default=f"https://{bucket}.s3.amazonaws.com" if bucket else "")
    return [address] if address else []


def storages(env: Any, *, media_root: str, private_root: str, production: bool) -> dict[str, dict[str, Any]]:
    """Public pictures, private proofs, static files: three storages, in folders or in buckets."""
    bucket, private_bucket = env.str("MEDIA_BUCKET", default=""), env.str("PRIVATE_BUCKET", default="")
    s3 = "storages.backends.s3.S3Storage"
    files = "django.core.files.storage.FileSystemStorage"
    return {
        "default": (
            {
                "BACKEND": s3,
                "OPTIONS": {"bucket_name": bucket, "querystring_auth": False, "file_overwrite": False},
            }
            if bucket
            else {"BACKEND": files, "OPTIONS": {"location": media_root, "base_url": "/media/"}}
        ),
        "private": (
            {
                "BACKEND": s3,
                # Evidence is never overwritten by a later file of the same name.
                "OPTIONS": {"bucket_name": private_bucket, "querystring_auth": True, "file_overwrite": False},
            }
            if private_bucket
            else {"BACKEND": files, "OPTIONS": {"location": private_root, "base_url": None}}
        ),
        "staticfiles": {
            "BACKEND": (
                "whitenoise.storage.CompressedManifestStaticFilesStorage"
                if production
                else "django.contrib.staticfiles.storage.StaticFilesStorage"
            )
        },
    }


def logging_of(*, level: str) -> dict[str, Any]:
    """Structured lines on standard output; references in ``extra``, never names or account numbers."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {
                "()": structlog.stdlib.ProcessorFormatter,
                "processor": structlog.dev.ConsoleRenderer(
                    colors=False, exception_formatter=structlog.dev.plain_traceback
                ),
                "foreign_pre_chain": [
                    structlog.contextvars.merge_contextvars,
                    structlog.stdlib.add_log_level,
                    structlog.stdlib.ExtraAdder(),
                    structlog.processors.TimeStamper(fmt="iso"),
                ],
            }
        },
        "handlers": {"stdout": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["stdout"], "level": level},
        "loggers": {"django_structlog": {"level": "WARNING"}, "stripe": {"level": "WARNING"}},
    }


def start_sentry(dsn: str) -> None:
    """Report errors outside only where a deployer configured it; never with personal data."""
    if dsn:
        import sentry_sdk

        sentry_sdk.init(dsn=dsn, send_default_pii=False)


def refuse_unsafe(values: Mapping[str, Any]) -> None:
    """Raise ImproperlyConfigured, naming every unsafe value, when production would start with one."""
    if not values["PRODUCTION"]:
        return
    wrong = []
    if values["DEBUG"]:
        wrong.append("DEBUG is on")
    if values["SECRET_KEY"] == EMBEDDED_SECRET_KEY or len(values["SECRET_KEY"]) < 40:
        wrong.append("SECRET_KEY is the embedded one or shorter than 40 characters")
    if values["DEMO_MODE"]:
        wrong.append("DEMO_MODE is on")
    if values["DEMO_CLOCK"]:
        wrong.append("DEMO_CLOCK is on")
    if values["DEMO_MAILS"]:
        wrong.append("DEMO_MAILS is on: everybody could read every mail")
    if values["STRIPE_SANDBOX_URL"] or values["STRIPE_API_BASE"]:
        wrong.append("STRIPE_SANDBOX_URL points at a sandbox")
    if values["BANK_SANDBOX_URL"]:
        wrong.append("BANK_SANDBOX_URL points at a sandbox")
    if not values["STRIPE_API_KEY"]:
        wrong.append("STRIPE_API_KEY is missing")
    if not values["STRIPE_WEBHOOK_SECRETS"]:
        wrong.append("STRIPE_WEBHOOK_SECRETS is missing")
    if values["SQLITE"]:
        wrong.append("DATABASE_URL is not PostgreSQL")
    if not values["REDIS_URL"]:
        wrong.append("REDIS_URL is missing (rate limits need a shared cache)")
    if not values["EMAIL_URL"]:
        wrong.append("EMAIL_URL is missing")
    if not values["SITE_URL"].startswith("https://"):
        wrong.append("SITE_URL is not https")
    if "*" in values["ALLOWED_HOSTS"]:
        wrong.append("ALLOWED_HOSTS allows every host")
    wrong += [
        f"SHOP_{each.upper()} is missing (the law wants the shop's identity shown)"
        for each in ("address", "phone", "email", "ice", "register")
        if not values["SHOP_LEGAL"][each]
    ]
    if values["CELERY_TASK_ALWAYS_EAGER"]:
        wrong.append("CELERY_TASK_ALWAYS_EAGER is on")
    if wrong:
        raise ImproperlyConfigured("Production refuses to start: " + "; ".join(wrong) + ".")
    logging.getLogger(__name__).info("production settings accepted")
