"""What is written in files: no inline style or script, no left and right, nothing left undone."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("shop", "catalogue", "cooperatives", "fixtures", "tests", "tools", "docs")
# Put together here, so that this file does not find itself.
UNDONE = re.compile(r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "NotImplemented" + "Error")) + r")\b")
MACHINE_PATH = re.compile(r"(?<![\w.])/(work|home/\w+|root|Users/\w+)/")


def files(*suffixes: str, folders: tuple[str, ...] = FOLDERS) -> list[Path]:
    inside = [
        each
        for folder in folders
        for each in (ROOT / folder).rglob("*")
        if each.suffix in suffixes and each.is_file()
    ]
    return sorted(each for each in inside if "__pycache__" not in each.parts)


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


TEMPLATES = [
    each
    for each in files(".html", folders=("shop", "catalogue", "cooperatives"))
    # Mail programs know no style sheet.
    if "templates" in each.parts and "mail" not in each.parts
]
SHEETS = files(".css", folders=("shop", "fixtures"))


def lines_with(pattern: re.Pattern[str], paths: list[Path]) -> list[str]:
    """The lines that match. In a sheet, a line that means the physical side says why: ``/* physical: … */``."""
    return [
        f"{name_of(path)}:{number}: {line.strip()[:100]}"
        for path in paths
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if pattern.search(line) and "/* physical:" not in line
    ]


def test_no_template_has_an_inline_style():
    assert lines_with(re.compile(r"\sstyle\s*=|<style\b"), TEMPLATES) == []


def test_no_template_has_an_inline_script():
    scripts = re.compile(
        r"<script\b(?![^>]*\b(src|nonce)=)[^>]*>|\son[a-z]+\s*=\s*[\"']|javascript:", re.IGNORECASE
    )

    assert lines_with(scripts, TEMPLATES) == []


def test_no_sheet_knows_left_and_right():
    physical = re.compile(
        r"(?<![\w-])((margin|padding|border|inset|scroll-margin|scroll-padding)-(left|right)"
        r"|border-(top|bottom)-(left|right)-radius|left|right)[\w-]*\s*:"
        r"|(text-align|float|clear)\s*:\s*(left|right)"
    )

    assert lines_with(physical, SHEETS) == []


@pytest.mark.parametrize(
    "line", ["  margin-left: 1px;", "text-align:right", "a { left: 0 }", "border-top-left-radius: 1px"]
)
def test_a_sheet_that_knew_would_be_found(line, tmp_path, monkeypatch):
    sheet = tmp_path / "wrong.css"
    sheet.write_text(line)
    monkeypatch.setattr(f"{__name__}.ROOT", tmp_path)
    monkeypatch.setattr(f"{__name__}.SHEETS", [sheet])

    with pytest.raises(AssertionError):
        test_no_sheet_knows_left_and_right()


def test_nothing_is_left_undone():
    assert (
        lines_with(UNDONE, files(".py", ".html", ".css", ".js", ".txt", ".md", ".toml", ".sh", ".sql")) == []
    )


def test_no_file_names_a_folder_of_one_machine():
    kinds = (".py", ".html", ".css", ".js", ".md", ".toml", ".yaml", ".yml", ".sh")
    paths = [each for each in files(*kinds) if name_of(each) != "tests/architecture/test_text.py"]

    assert lines_with(MACHINE_PATH, paths) == []


# The locks


def pins(name: str) -> dict[str, str]:
    return dict(re.findall(r"^([\w.-]+)==(\S+)", (ROOT / name).read_text(), re.MULTILINE))


def test_what_runs_is_what_is_tested():
    tested = pins("requirements-dev.txt")

    assert {
        name: version for name, version in pins("requirements.txt").items() if tested.get(name) != version
    } == {}


@pytest.mark.parametrize("lock", ["requirements.txt", "requirements-dev.txt"])
def test_every_pin_has_its_hashes_and_no_lock_names_a_registry(lock):
    text = (ROOT / lock).read_text()
    blocks = re.findall(r"^[\w.-]+==[^\n]*\n(?:[ \t]+[^\n]*\n)*", text, re.MULTILINE)

    assert len(blocks) == len(pins(lock))
    assert [each.split()[0] for each in blocks if "--hash=sha256:" not in each] == []
    assert not re.search(r"--(extra-)?index-url|--find-links|https?://", text)
