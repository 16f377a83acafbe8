"""Marked points between two steps, where a test lets a process die to see that nothing is lost or done twice.

Each name is passed by a test in ``tests/journeys/test_killed_workers.py``; a new one without a test fails there.
"""

from __future__ import annotations

import os
import signal

from django.conf import settings

#: Names the point at which the process that carries it kills itself.
VARIABLE = "TADAMON_CRASH"


def crashpoint(name: str) -> None:
    """Do nothing; or die as by a power cut, if the environment names this point and the shop is not real.

    SIGKILL: no handler, no ``finally``, no commit. In production the variable means nothing.
    """
    if os.environ.get(VARIABLE) == name and not settings.PRODUCTION:
        os.kill(os.getpid(), signal.SIGKILL)
