"""What names a record in an address: a reference, a digest, a code; never a database id."""

from __future__ import annotations


class Reference:
    """A reference as we write them; anything else is no address of ours."""

    regex = "[A-Za-z0-9][A-Za-z0-9.-]{0,63}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return str(value)


class Digest(Reference):
    """The SHA-256 of a file."""

    regex = "[0-9a-f]{64}"


class AccountCode(Reference):
    """The code of a ledger account, such as ``producer_held:C13:MAD``."""

    regex = "[A-Za-z0-9_:.-]{1,120}"


class Event(Reference):
    """The outside name of a journal entry, such as ``remittance:rihla/REM-2026-0001``."""

    regex = "[A-Za-z0-9][A-Za-z0-9_:./#-]{0,159}"


class StripeId(Reference):
    """What Stripe calls one of its records."""

    regex = "[A-Za-z0-9_]{1,120}"


class BatchForm(Reference):
    """In which form the bank takes a batch."""

    regex = "pain001|csv"


class Fetched(Reference):
    """What can be asked of the bank sandbox."""

    regex = "statement|remittance|status|tracking|work"
