"""Why a bank did not carry out a transfer, or sent it back: its codes in words.

Source: ISO 20022 external code set ExternalStatusReason1Code and ExternalReturnReason1Code.
"""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

_REASONS: dict[str, Promise] = {
    "AC01": _("The account number is wrong."),
    "AC03": _("The account number is wrong."),
    "AC04": _("The account is closed."),
    "AC06": _("The account is blocked."),
    "AG01": _("This account takes no transfers."),
    "AG02": _("The bank does not take this kind of transfer."),
    "AM04": _("There was not enough money on our account."),
    "AM05": _("The bank has it already."),
    "BE01": _("The name does not belong to the account."),
    "BE04": _("The address of the recipient is missing."),
    "MD07": _("The owner of the account has died."),
    "MS02": _("The recipient did not want it."),
    "MS03": _("The bank gives no reason."),
    "RC01": _("The bank's own code in the account number is wrong."),
    "RJCT": _("The bank gives no reason."),
}


def meaning(said: str) -> str:
    """What a code means, without the code; nothing for what is no code of a bank's."""
    return str(_REASONS.get(said.strip().upper(), ""))


def reason_text(said: str) -> str:
    """What a code means, with the code; anything else as the bank said it."""
    known = _REASONS.get(said.strip().upper())
    return f"{known} ({said.strip()})" if known else said
