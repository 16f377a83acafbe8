#!/usr/bin/env python
import os
import sys

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
    from django.core.management import execute_from_command_line

    import shop.celery  # noqa: F401 - so that tasks find their app

    execute_from_command_line(sys.argv)
