"""What reconciliation refuses, each with its own sentence."""

from __future__ import annotations

from typing import Any

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from shop.core.errors import CarriedOutMeanwhile, Refused


class AlreadyImported(Refused):
    def __init__(self, first: Any) -> None:
        self.first = first
        super().__init__(
            format_lazy(
                _("This very file was imported before, as “{name}” on {day}. Nothing was added."),
                name=first.name,
                day=f"{first.imported_at:%d/%m/%Y}",
            )
        )


class RemittanceKnown(Refused):
    def __init__(self, reference: str) -> None:
        super().__init__(
            format_lazy(
                _(
                    "Remittance {reference} was imported before from another file. Ask the carrier which one holds."
                ),
                reference=reference,
            )
        )


class ParcelNotOurs(Refused):
    def __init__(self, tracking: str) -> None:
        super().__init__(
            format_lazy(
                _("Parcel {tracking} of this invoice is not ours. Ask the carrier for a correct invoice."),
                tracking=tracking,
            )
        )


class InvoiceKnown(Refused):
    def __init__(self, reference: str) -> None:
        super().__init__(
            format_lazy(
                _(
                    "Invoice {reference} was imported before from another file. Ask the carrier which one holds."
                ),
                reference=reference,
            )
        )


class InvoiceOfAnotherTime(Refused):
    def __init__(self, on: str) -> None:
        super().__init__(
            format_lazy(
                _(
                    "The invoice's day, {on}, is more than a year away from today. Ask the carrier for its day."
                ),
                on=on,
            )
        )


class MappingNeeded(Refused):
    message = _("Say first which column of this bank's CSV means what.")


class BalancesNeeded(Refused):
    message = _(
        "Give the opening and the closing balance: without them nobody can tell whether a line is missing."
    )


class OtherAccount(Refused):
    def __init__(self, *, expected: str, found: str) -> None:
        super().__init__(
            format_lazy(
                _(
                    "This statement is of account {found}, not of {expected}. Import it into the other account."
                ),
                expected=expected,
                found=found,
            )
        )


class OtherBatch(Refused):
    def __init__(self, *, expected: str, found: str) -> None:
        super().__init__(
            format_lazy(
                _("This report is about batch {found}, not about {expected}."), expected=expected, found=found
            )
        )


class NotHandedOver(Refused):
    def __init__(self, batch: str) -> None:
        super().__init__(
            format_lazy(
                _(
                    "Nobody has written down yet that the bank has batch {batch}. Hand it over first, then "
                    "read what became of it."
                ),
                batch=batch,
            )
        )


class SamePerson(Refused):
    message = _("Another person than the one who proposed this has to approve it.")


class ReasonMissing(Refused):
    message = _("Write down why: whoever approves it, and whoever audits it, will ask.")


class NotForThis(Refused):
    message = _("This does not settle an exception of this kind.")


class MoneyMoved(Refused):
    message = _("Real money moved at the bank: it has to be booked, a note is not enough.")


class WaitsAlready(Refused):
    message = _("Something is already proposed for this exception: approve it or refuse it first.")


class UnknownReference(Refused):
    def __init__(self, reference: str) -> None:
        super().__init__(
            format_lazy(
                _("Nothing of ours is called {reference}, or this line cannot be about it."),
                reference=reference,
            )
        )


class AlreadyMatched(Refused):
    def __init__(self, reference: str) -> None:
        super().__init__(
            format_lazy(
                _("{reference} is already matched with another line. Undo that match first."),
                reference=reference,
            )
        )


class AmountsDiffer(Refused):
    message = _(
        "The amounts differ in a way that cannot be matched. Book the line between two accounts instead."
    )


class UnknownAccount(Refused):
    def __init__(self, code: str) -> None:
        super().__init__(format_lazy(_("There is no account {code}."), code=code))


class MovesByStatementOnly(Refused):
    def __init__(self, code: str) -> None:
        super().__init__(
            format_lazy(
                _("{code} shows what stands at the bank or at Stripe: only their statements move it."),
                code=code,
            )
        )


class AdjustmentWaits(Refused):
    def __init__(self, reference: str) -> None:
        super().__init__(
            format_lazy(
                _("An adjustment between these two accounts waits for a second person: {reference}."),
                reference=reference,
            )
        )


class LineNotBooked(Refused):
    message = _("The entry has to move the whole amount of the line, into or out of the bank account.")


class RowNotBooked(Refused):
    message = _("The entry has to move the whole amount of Stripe's row, into or out of the Stripe balance.")


class CannotBeUndone(Refused):
    message = _("What followed from this match cannot be taken back by itself. Book an adjustment instead.")


class Changed(CarriedOutMeanwhile):
    message = _("This is no longer possible: something changed in the meantime. Look at the page again.")


class NoBankConnection(Refused):
    message = _("No bank is connected. Download the file at the bank and import it here.")
