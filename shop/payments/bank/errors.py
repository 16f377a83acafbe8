"""Why a batch of credit transfers is not written, or a batch file not believed."""

from __future__ import annotations

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from shop.core.errors import Refused


class BatchRefused(Refused):
    """These credit transfers cannot be sent to a bank as they are."""


class BatchEmpty(BatchRefused):
    def __init__(self) -> None:
        super().__init__(_("There is no payout in this batch."))


class ReferenceRefused(BatchRefused):
    def __init__(self, reference: str) -> None:
        self.reference = reference
        super().__init__(
            format_lazy(
                _(
                    "Banks do not accept the reference “{reference}”: at most 35 letters without accents, digits, "
                    "spaces and / - ? : ( ) . , ' + are allowed, not beginning or ending with / or a space, without //."
                ),
                reference=reference,
            )
        )


class ReferenceTwice(BatchRefused):
    def __init__(self, reference: str) -> None:
        self.reference = reference
        super().__init__(
            format_lazy(
                _("Payout {reference} is in this batch twice; the cooperative would be paid twice."),
                reference=reference,
            )
        )


class NameRefused(BatchRefused):
    def __init__(self, name: str, reference: str) -> None:
        self.name = name
        self.reference = reference
        super().__init__(
            format_lazy(
                _(
                    "Nothing of the name “{name}” ({reference}) can be written in a bank order. Give the account holder's name."
                ),
                name=name,
                reference=reference,
            )
        )


class AmountRefused(BatchRefused):
    def __init__(self, amount: object, reference: str) -> None:
        self.amount = amount
        self.reference = reference
        super().__init__(
            format_lazy(
                _(
                    "{amount} ({reference}) cannot be paid by credit transfer: an amount is more than zero, at most "
                    "999,999,999.99, in whole centimes and in the batch's one currency."
                ),
                amount=amount,
                reference=reference,
            )
        )


class NotABatchFile(Refused):
    """This file is not a batch that Tadamon wrote, or not any more."""


class BatchFileUnreadable(NotABatchFile):
    def __init__(self) -> None:
        super().__init__(
            _("This is not a batch file of Tadamon. Download the batch again and give that file unchanged.")
        )


class BatchFileAltered(NotABatchFile):
    def __init__(self) -> None:
        super().__init__(
            _(
                "This batch file was changed after Tadamon wrote it. Do not send it to the bank: download the batch again."
            )
        )


class BatchSumsWrong(NotABatchFile):
    def __init__(self) -> None:
        super().__init__(
            _(
                "The number or the sum of the credit transfers in this batch file is not what its heading says. "
                "Do not send it to the bank: download the batch again."
            )
        )
