"""Make ``.venv`` from the hashed lock. Runs on the machine's own Python, with nothing installed.

``python tools/environment.py run`` installs what the shop runs on, ``… test`` what its checks need as
well. uv does it (itself taken from PyPI under the lock's hashes), plain pip where uv fails. A stamp with the lock's
digest makes a second start cost nothing.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = Path(os.environ.get("TADAMON_VENV") or ROOT / ".venv")
LOCKS = {"run": "requirements.txt", "test": "requirements-dev.txt"}
WANTED = (3, 11)


def complaint(version: tuple[int, int], modules: set[str]) -> str:
    """Why this Python will not do, with what to install; empty when it will."""
    if version != WANTED:
        return (
            "Tadamon needs Python 3.11; this is {}.{}.\n"
            "Install it (on Debian 12: apt-get install python3.11 python3.11-venv), or name it:\n"
            "    make run PYTHON=/path/to/python3.11"
        ).format(*version)
    if not {"venv", "ensurepip"} <= modules:
        return (
            "This Python cannot make virtual environments: it lacks 'ensurepip', which Debian and Ubuntu\n"
            "keep in a package of its own. Install it with:\n"
            "    apt-get install python3.11-venv"
        )
    return ""


def present_modules() -> set[str]:
    return {each for each in ("venv", "ensurepip") if importlib.util.find_spec(each)}


def make(purpose: str) -> None:
    """Bring ``.venv`` to what the lock of that purpose says; does nothing when it is there already."""
    if _stamp(purpose).exists() and _stamp(purpose).read_text() == _digest(purpose):
        return
    lacking = complaint(sys.version_info[:2], present_modules())
    if lacking:
        sys.exit(lacking)
    python = VENV / "bin" / "python"
    print(f"Preparing {VENV.name} from {LOCKS[purpose]} …", flush=True)
    _run([sys.executable, "-m", "venv", str(VENV)])
    if not _with_uv(python, ROOT / LOCKS[purpose]):
        print("uv did not work here; installing with pip.", flush=True)
        quiet = ["--quiet", "--disable-pip-version-check"]
        command = [str(python), "-m", "pip", "install", *quiet, "--require-hashes"]
        _run([*command, "-r", str(ROOT / LOCKS[purpose])])
    _stamp(purpose).write_text(_digest(purpose))


def _with_uv(python: Path, lock: Path) -> bool:
    if os.environ.get("TADAMON_WITHOUT_UV"):
        return False
    with tempfile.TemporaryDirectory(prefix="tadamon-uv-") as folder:
        pinned = Path(folder) / "uv.txt"
        pinned.write_text(pin_of("uv", (ROOT / LOCKS["test"]).read_text()))
        quiet = ["--quiet", "--disable-pip-version-check", "--require-hashes", "--no-deps"]
        got = subprocess.run([str(python), "-m", "pip", "install", *quiet, "-r", str(pinned)])
        if got.returncode != 0:
            return False
        install = ["-m", "uv", "pip", "install", "--quiet", "--require-hashes", "--python", str(python)]
        environment = os.environ | {
            # A cache beside the environment: nothing is written to the home folder.
            "UV_CACHE_DIR": str(Path(folder) / "cache"),
            "UV_LINK_MODE": "copy",
            # Whom the machine trusts, uv trusts: offices with a proxy of their own have a certificate there.
            "UV_SYSTEM_CERTS": "1",
        }
        return subprocess.run([str(python), *install, "-r", str(lock)], env=environment).returncode == 0


def pin_of(package: str, lock: str) -> str:
    """The lines of a lock that pin one package, with its hashes."""
    found = re.search(rf"^{re.escape(package)}==[^\n]*(?:\n[ \t]+--hash[^\n]*)*", lock, re.MULTILINE)
    if found is None:
        raise LookupError(f"{package} is not in the lock")
    return found.group(0).rstrip().rstrip("\\") + "\n"


def _stamp(purpose: str) -> Path:
    return VENV / f".installed-for-{purpose}"


def _digest(purpose: str) -> str:
    return hashlib.sha256((ROOT / LOCKS[purpose]).read_bytes()).hexdigest()


def _run(command: list[str]) -> None:
    if subprocess.run(command).returncode != 0:
        sys.exit(f"This failed, see above: {' '.join(command)}")


if __name__ == "__main__":
    make(sys.argv[1] if len(sys.argv) > 1 else "run")
