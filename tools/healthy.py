"""Whether the shop of this container answers and reaches its database; for the image's health check."""

import os
import sys
import urllib.request
from urllib.parse import urlsplit

site = urlsplit(os.environ["SITE_URL"])
request = urllib.request.Request(
    "http://127.0.0.1:8000/health/", headers={"Host": site.netloc, "X-Forwarded-Proto": site.scheme}
)
with urllib.request.urlopen(request, timeout=4) as answer:
    sys.exit(0 if answer.status == 200 else 1)
