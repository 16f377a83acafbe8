"""What an account tells its person by mail: her address to confirm, a new password, what was changed.

Promised like every other mail, in the person's language, so that one that failed is seen and sent again.
allauth decides when; the words are ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from django.utils.translation import gettext_lazy as _

from shop.core import mailing

#: Whom every one of these mails is rendered by; what follows the colon says which it is.
TOPIC = "account.message"


@dataclass(frozen=True)
class Words:
    """A mail in three pieces; without ``button`` it leads nowhere."""

    subject: Any
    text: Any
    button: Any = ""


_CONFIRM = Words(
    _("Confirm your e-mail address"),
    _("Somebody, most likely you, gave this address for an account in our shop. Please confirm it is yours."),
    _("Confirm the address"),
)
ASKED = {
    "email_confirmation": _CONFIRM,
    "email_confirmation_signup": _CONFIRM,
    "password_reset_key": Words(
        _("Choose a new password"),
        _("Somebody, most likely you, asked for a new password. The link works once, within three days."),
        _("Choose a new password"),
    ),
    "unknown_account": Words(
        _("There is no account with this address"),
        _("Somebody, most likely you, asked for a new password, but this address has no account with us."),
        _("Create an account"),
    ),
    "account_already_exists": Words(
        _("You already have an account"),
        _("Somebody, most likely you, wanted to create an account with this address. There is one already."),
        _("Choose a new password"),
    ),
}
CHANGED = {
    "password_changed": Words(_("Your password was changed"), _("The password of your account was changed.")),
    "password_reset": Words(_("Your password was changed"), _("Your account has a new password.")),
    "password_set": Words(_("Your password was changed"), _("Your account has a password now.")),
    "email_changed": Words(
        _("Your e-mail address was changed"), _("The e-mail address of your account was changed.")
    ),
    "email_confirm": Words(
        _("Your e-mail address is confirmed"), _("An e-mail address of your account was confirmed.")
    ),
    "email_deleted": Words(
        _("An e-mail address was removed"), _("An e-mail address was removed from your account.")
    ),
    "totp_activated": Words(
        _("Second factor switched on"), _("An authenticator app now protects your account.")
    ),
    "totp_deactivated": Words(
        _("Second factor switched off"), _("The authenticator app no longer protects your account.")
    ),
    "recovery_codes_generated": Words(
        _("New recovery codes"), _("New recovery codes were made for your account; the old ones are void.")
    ),
    "webauthn_added": Words(
        _("A security key was added"), _("A security key now opens your account as its second factor.")
    ),
    "webauthn_removed": Words(
        _("A security key was removed"), _("A security key no longer opens your account.")
    ),
}


def promise(*, name: str, to: str, language: str, at: datetime, link: str = "", from_ip: str = "") -> None:
    """Promise the mail ``name``. ``link`` opens something only this person may open: it is kept from eyes."""
    is_change = name in CHANGED
    words = CHANGED[name] if is_change else ASKED[name]
    mailing.promise(
        topic=f"{TOPIC}:{name}",
        to=to,
        language=language,
        key=f"{TOPIC}:{name}:{uuid4()}",
        at=at,
        context=lambda: {
            "said": str(words.subject),
            "text": str(words.text),
            "button": str(words.button),
            "link": link,
            "changed_at": at.isoformat() if is_change else "",
            "from_ip": from_ip,
        },
    )
