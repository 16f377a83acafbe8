"""Programs that the tests need and the machine may lack: from Debian's packages, where that is allowed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path


def can_install() -> bool:
    """Whether we are root on a machine that has apt."""
    return hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get") is not None


def install(*packages: str) -> bool:
    """Install packages without asking; returns whether that worked. Says what it does."""
    if not can_install():
        return False
    print(f"Installing {', '.join(packages)} from Debian's packages …", file=sys.stderr, flush=True)
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    _no_cluster_of_its_own()
    subprocess.run(["apt-get", "-qq", "update"], env=environment, stdout=sys.stderr)
    command = ["apt-get", "-qq", "-y", "-o", "Dpkg::Options::=--force-confold", "install", *packages]
    return subprocess.run(command, env=environment, stdout=sys.stderr).returncode == 0


def _no_cluster_of_its_own() -> None:
    """Debian's package would make and start a server that nobody asked for; the tests start their own."""
    settings = Path("/etc/postgresql-common/createcluster.conf")
    if not settings.exists():
        settings.parent.mkdir(parents=True, exist_ok=True)
        settings.write_text("create_main_cluster = false\n")
