"""Whether a webhook really comes from Stripe, now. System time, never the demo's clock."""

from __future__ import annotations

import time
from collections.abc import Sequence

import stripe
from django.utils.translation import gettext_lazy as _

from shop.core.errors import Refused

#: Seconds a message may be old, or ahead: the library itself accepts any time in the future.
WINDOW = 300


class NotFromStripe(Refused):
    message = _("This message does not come from Stripe, or not just now.")


def check(*, body: bytes, header: str, secrets: Sequence[str]) -> None:
    """Raises NotFromStripe for a forged, old, future or malformed signature.

    With several secrets any of them will do, so that one can be replaced by another without a gap.
    """
    if not any(_is_signed(body, header, secret) for secret in secrets if secret.strip()):
        raise NotFromStripe
    if abs(time.time() - _moment_of(header)) > WINDOW:
        raise NotFromStripe


def _is_signed(body: bytes, header: str, secret: str) -> bool:
    try:
        stripe.WebhookSignature.verify_header(body, header, secret, WINDOW)
    except (stripe.SignatureVerificationError, UnicodeDecodeError, ValueError):
        return False
    return True


def _moment_of(header: str) -> int:
    """The signed time. The library read the same header and found exactly one."""
    times = [part[2:] for part in header.split(",") if part.startswith("t=")]
    if len(times) != 1 or not times[0].isascii() or not times[0].isdigit():
        raise NotFromStripe
    return int(times[0])
