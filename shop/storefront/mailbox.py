"""The mails of a demonstration, which leave for nobody: read from the folder they were put into.

They hold guests' links and links to new passwords, so this exists in the demonstration only
(``DEMO_MAILS``, which production refuses).
"""

from __future__ import annotations

import email
import email.policy
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

#: What Django's file backend writes below each mail.
_END = b"\n" + b"-" * 79 + b"\n"


@dataclass(frozen=True)
class Mail:
    """One mail as its recipient would read it."""

    to: str
    subject: str
    text: str
    sent_at: datetime


def last(*, folder: Path, most: int) -> list[Mail]:
    """The mails written last, the newest first."""
    files = sorted(folder.glob("*.log"), key=lambda each: each.stat().st_mtime_ns, reverse=True)
    found: list[Mail] = []
    for file in files[:most]:
        found += reversed(list(_mails_in(file)))
    return found[:most]


def _mails_in(file: Path) -> Iterator[Mail]:
    """A file holds what one connection sent, most often a single mail."""
    written = datetime.fromtimestamp(file.stat().st_mtime, UTC)
    for each in file.read_bytes().split(_END):
        if not each.strip():
            continue
        mail = email.message_from_bytes(each, policy=email.policy.default)
        assert isinstance(mail, EmailMessage)
        body = mail.get_body(("plain",))
        yield Mail(
            to=str(mail["To"]),
            subject=str(mail["Subject"]),
            text=str(body.get_content()).strip() if body else "",
            sent_at=written,
        )
