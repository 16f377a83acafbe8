"""Files that should be tables: decoded, cut into rows, and refused with advice when they are not."""

from __future__ import annotations

import csv
import io
import re

from shop.reconciliation.readers.errors import (
    EncodingDiffers,
    FileEmpty,
    FileIsADocument,
    FileIsASpreadsheet,
    FileTooLarge,
    NotATable,
    TooManyLines,
)

LARGEST_FILE = 20 * 1024 * 1024
MOST_LINES = 200_000
DELIMITERS = (";", ",", "\t", "|")


def check_size(content: bytes) -> None:
    """Refuse what is empty or larger than any statement, before anything looks inside."""
    if not content.strip():
        raise FileEmpty
    if len(content) > LARGEST_FILE:
        raise FileTooLarge(LARGEST_FILE)


def check_kind(content: bytes) -> None:
    """Tell apart the files people upload by mistake: spreadsheets and documents."""
    check_size(content)
    if content.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise FileIsASpreadsheet
    if content.startswith((b"%PDF", b"{\\rtf", b"\x89PNG", b"\xff\xd8\xff", b"GIF8")):
        raise FileIsADocument


def decoded(content: bytes, *, encoding: str) -> str:
    try:
        text = content.decode(encoding)
    except (UnicodeDecodeError, LookupError) as error:
        raise EncodingDiffers(encoding) from error
    if "\x00" in text:
        raise EncodingDiffers(encoding)
    return text.removeprefix("\ufeff")


def encoding_of(content: bytes) -> str:
    """The likeliest encoding: what its first bytes say, else UTF-8 if it is, else that of Windows.

    Of the two of Windows the Arabic one where words in Arabic come out of it: the French one has accents at
    those places, and hardly three in a row.
    """
    if content.startswith(b"\xef\xbb\xbf"):
        return "utf-8-sig"
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        arabic = re.search(r"[\u0621-\u064a]{3}", content.decode("windows-1256", errors="replace"))
        return "windows-1256" if arabic else "windows-1252"
    return "utf-8"


def rows(content: bytes, *, encoding: str, delimiter: str) -> list[tuple[int, list[str]]]:
    """The rows that hold anything, each with its line number in the file (where it ends, from 1)."""
    check_kind(content)
    text = decoded(content, encoding=encoding)
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        found = []
        for row in reader:
            if any(cell.strip() for cell in row):
                found.append((reader.line_num, row))
                if len(found) > MOST_LINES:
                    raise TooManyLines(MOST_LINES)
    except (csv.Error, TypeError) as error:
        raise NotATable from error
    return found
