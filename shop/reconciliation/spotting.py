"""Our references in what a bank writes: normalised for case, spaces and look-alike letters, never guessed.

A reference counts only as a whole: no letter or digit may touch it. What is shorter than ``SHORTEST``
characters is not looked for in texts.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from shop.payments.models import Deposit, Payout, PayoutBatch, Refund
from shop.reconciliation.models import Match, Remittance, StatementLine

Subject = Match.Subject
SHORTEST = 8
_READ_AS = str.maketrans({"O": "0", "I": "1", "L": "1"})


@dataclass(frozen=True)
class Known:
    """Something of ours a line can be about: which kind, and its reference."""

    subject: str
    reference: str


@dataclass
class Register:
    """Every reference we gave or were told, folded: ``{folded: what it names}``."""

    names: dict[str, set[Known]] = field(default_factory=lambda: defaultdict(set))
    lengths: set[int] = field(default_factory=set)

    def add(self, known: Known, *written: str) -> None:
        for each in written:
            folded = fold(each)
            if len(folded) >= SHORTEST:
                self.names[folded].add(known)
                self.lengths.add(len(folded))


def fold(text: str) -> str:
    """Letters and digits only, in capitals, with O read as 0 and I and L as 1."""
    kept = (each for each in unicodedata.normalize("NFKC", text).upper() if each.isalnum())
    return "".join(kept).translate(_READ_AS)


def register() -> Register:
    """What lines can be about, as the tables have it now: five queries."""
    found = Register()
    for reference in Payout.objects.filter(rail="bank").values_list("reference", flat=True):
        found.add(Known(Subject.PAYOUT, reference), reference)
    for reference in PayoutBatch.objects.values_list("reference", flat=True):
        found.add(Known(Subject.BATCH, reference), reference)
    for refund in Refund.objects.filter(way=Refund.Way.BANK).only("reference", "attempt"):
        for sent_as in refund.bank_references:
            found.add(Known(Subject.REFUND, sent_as), sent_as)
    for stripe_id, trace_id in Deposit.objects.values_list("stripe_id", "trace_id"):
        found.add(Known(Subject.DEPOSIT, stripe_id), stripe_id, trace_id)
    for carrier, reference in Remittance.objects.values_list("carrier__code", "reference"):
        found.add(Known(Subject.REMITTANCE, f"{carrier}/{reference}"), reference)
    return found


def spot(line: StatementLine, register: Register) -> dict[Known, str]:
    """What a line names, with the rule by which it was seen. More than one: nobody may choose but a person."""
    found: dict[Known, str] = {}
    for known in register.names.get(fold(line.end_to_end_id), ()) if line.end_to_end_id else ():
        found[known] = "EndToEndId"
    for known in in_text(line.text, register):
        found.setdefault(known, "reference in the text")
    # A bank that names a transfer may name its batch beside it: the line is the transfer.
    if any(each.subject != Subject.BATCH for each in found):
        found = {known: seen for known, seen in found.items() if known.subject != Subject.BATCH}
    # A second try of a refund is called as the first with a number after it: it does not name the first too.
    return {
        known: seen
        for known, seen in found.items()
        if not any(
            other.subject == known.subject == Subject.REFUND
            and other.reference.startswith(f"{known.reference}-")
            for other in found
        )
    }


def in_text(text: str, register: Register) -> Iterable[Known]:
    """What a text names."""
    plain = unicodedata.normalize("NFKC", text).upper()
    places = [place for place, each in enumerate(plain) if each.isalnum()]
    squeezed = "".join(plain[place] for place in places).translate(_READ_AS)
    found: set[Known] = set()
    for length in register.lengths:
        for start in range(len(squeezed) - length + 1):
            known = register.names.get(squeezed[start : start + length])
            if known and _stands_alone(places, start, start + length - 1):
                found |= known
    return found


def _stands_alone(places: list[int], first: int, last: int) -> bool:
    """No letter or digit touches it on either side."""
    free_before = first == 0 or places[first - 1] + 1 < places[first]
    free_after = last + 1 == len(places) or places[last] + 1 < places[last + 1]
    return free_before and free_after
