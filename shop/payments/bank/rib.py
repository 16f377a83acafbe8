"""The RIB as bank files write it. The rules themselves stand in ``shop.core.rib``: cooperatives need them too."""

from shop.core.rib import (
    LENGTH,
    IbanRefused,
    RibIncomplete,
    RibKeyWrong,
    RibNotDigits,
    RibRefused,
    bank_code,
    check,
    compact,
    from_iban,
    grouped,
    key_of,
    masked,
    to_iban,
)

__all__ = [
    "LENGTH",
    "IbanRefused",
    "RibIncomplete",
    "RibKeyWrong",
    "RibNotDigits",
    "RibRefused",
    "bank_code",
    "check",
    "compact",
    "from_iban",
    "grouped",
    "key_of",
    "masked",
    "to_iban",
]
