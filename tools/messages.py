"""The sentences people read: found in the code, kept in the catalogues, compiled. Needs no gettext tools.

``python -m tools.messages`` brings ``shop/locale/*/LC_MESSAGES/django.po`` up to date (new sentences come
in untranslated, gone ones leave) and writes the ``.mo`` beside each. ``tests/architecture`` holds the
catalogues against what is found.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polib

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("shop", "catalogue", "cooperatives")
LOCALE = ROOT / "shop" / "locale"
PLURALS = {
    "fr": "nplurals=2; plural=(n > 1);",
    "ar": (
        "nplurals=6; plural=(n==0 ? 0 : n==1 ? 1 : n==2 ? 2 : "
        "n%100>=3 && n%100<=10 ? 3 : n%100>=11 && n%100<=99 ? 4 : 5);"
    ),
}
#: For each function: where its context, its sentence and its plural stand among the arguments.
MARKS: dict[str, tuple[int | None, int, int | None]] = {
    "_": (None, 0, None),
    "gettext": (None, 0, None),
    "gettext_lazy": (None, 0, None),
    "gettext_noop": (None, 0, None),
    "ngettext": (None, 0, 1),
    "ngettext_lazy": (None, 0, 1),
    "pgettext": (0, 1, None),
    "pgettext_lazy": (0, 1, None),
    "npgettext": (0, 1, 2),
    "npgettext_lazy": (0, 1, 2),
}
_CALL = re.compile(r"(?<![\w.])(_|n?p?gettext(?:_lazy|_noop)?)\(")


@dataclass(frozen=True, order=True)
class Message:
    """A sentence as the code names it, in English."""

    text: str
    context: str = ""
    plural: str = ""


class Unreadable(Exception):
    """A sentence is marked in a way no catalogue can hold, such as an f-string."""


def found(root: Path = ROOT) -> dict[Message, set[str]]:
    """Every marked sentence, with the files it stands in."""
    messages: dict[Message, set[str]] = {}
    for folder in FOLDERS:
        for file in sorted((root / folder).rglob("*")):
            if file.suffix == ".py" and "migrations" not in file.parts:
                here = in_python(file.read_text(encoding="utf-8"), str(file))
            elif file.suffix in {".html", ".txt"} and "templates" in file.parts:
                here = in_template(file.read_text(encoding="utf-8"), str(file))
            else:
                continue
            for each in here:
                messages.setdefault(each, set()).add(str(file.relative_to(root)))
    return messages


def in_python(source: str, name: str = "") -> Iterator[Message]:
    """The sentences a module marks."""
    for node in ast.walk(ast.parse(source, name)):
        if isinstance(node, ast.Call):
            function = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            if function in MARKS and (isinstance(node.func, ast.Name) or function != "_"):
                yield from _of_call(function, node, name)


def _of_call(function: str, node: ast.Call, name: str) -> Iterator[Message]:
    context_at, text_at, plural_at = MARKS[function]
    if len(node.args) <= text_at:
        return

    def constant(position: int | None) -> str:
        if position is None or len(node.args) <= position:
            return ""
        value = node.args[position]
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            return value.value
        if isinstance(value, ast.JoinedStr):
            raise Unreadable(f"{name}:{node.lineno}: an f-string cannot be translated")
        return ""

    if text := constant(text_at):
        yield Message(text, constant(context_at), constant(plural_at))


def in_template(source: str, name: str = "") -> Iterator[Message]:
    """The sentences a template marks, as Django itself reads them."""
    from django.utils.translation.template import templatize

    code = templatize(source, origin=name)
    for call in _CALL.finditer(code):
        end = code.find(")", call.end())
        while end != -1:
            try:
                node = ast.parse(code[call.start() : end + 1].strip(), mode="eval").body
            except SyntaxError:
                end = code.find(")", end + 1)
                continue
            if isinstance(node, ast.Call):
                yield from _of_call(call.group(1), node, name)
            break


def catalogue(language: str) -> Path:
    return LOCALE / language / "LC_MESSAGES" / "django.po"


def update(language: str) -> tuple[int, int]:
    """Bring one catalogue up to date and compile it; how many sentences came and left."""
    file = catalogue(language)
    file.parent.mkdir(parents=True, exist_ok=True)
    po = polib.pofile(str(file), wrapwidth=100) if file.exists() else polib.POFile(wrapwidth=100)
    po.metadata = {
        "Project-Id-Version": "tadamon",
        "Language": language,
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=UTF-8",
        "Content-Transfer-Encoding": "8bit",
        "Plural-Forms": PLURALS[language],
    }
    messages = found()
    known = {Message(each.msgid, each.msgctxt or "", each.msgid_plural or ""): each for each in po}
    gone = [entry for message, entry in known.items() if message not in messages or entry.obsolete]
    new = [message for message in messages if message not in known]
    for entry in gone:
        po.remove(entry)
    po.extend(_entry(message, language) for message in new)
    for entry in po:
        message = Message(entry.msgid, entry.msgctxt or "", entry.msgid_plural or "")
        entry.occurrences = [(each, "") for each in sorted(messages[message])]
    po.sort(key=lambda entry: (entry.msgid, entry.msgctxt or ""))
    po.save(str(file))
    po.save_as_mofile(str(file.with_suffix(".mo")))
    return len(new), len(gone)


def _entry(message: Message, language: str) -> polib.POEntry:
    flags = ["python-format"] if re.search(r"%(\(\w+\))?[sdf]", message.text) else []
    entry = polib.POEntry(msgid=message.text, msgctxt=message.context or None, flags=flags)
    if message.plural:
        entry.msgid_plural = message.plural
        count = int(re.search(r"\d", PLURALS[language]).group())  # type: ignore[union-attr]
        entry.msgstr_plural = dict.fromkeys(range(count), "")
    return entry


if __name__ == "__main__":
    from django.conf import settings as django_settings

    django_settings.configure()
    for each in PLURALS:
        came, left = update(each)
        sys.stdout.write(f"{each}: {came} new, {left} gone\n")
