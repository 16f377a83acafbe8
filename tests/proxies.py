"""The web server that stands before the shop, as far as the weight of pages goes: text leaves it compressed."""

from __future__ import annotations

import gzip
import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

TEXTS = ("text/", "image/svg", "application/json", "application/manifest", "application/javascript")
#: What gzip does by itself; brotli, which most servers speak too, makes it a tenth less.
LEVEL = 6
#: Said by each connection for itself.
HOP_BY_HOP = {
    "connection",
    "keep-alive",
    "transfer-encoding",
    "content-length",
    "content-encoding",
    "server",
    "date",
}


@contextmanager
def compressing(url: str) -> Iterator[str]:
    """The address of a server before the one at ``url``."""
    behind = urlsplit(url).netloc

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            sent = {name: value for name, value in self.headers.items() if name.lower() not in HOP_BY_HOP}
            sent["Host"] = behind
            if length:
                sent["Content-Length"] = str(length)
            connection = http.client.HTTPConnection(behind, timeout=60)
            connection.request(self.command, self.path, self.rfile.read(length), sent)
            response = connection.getresponse()
            body = response.read()
            headers = [each for each in response.getheaders() if each[0].lower() not in HOP_BY_HOP]
            if body and response.getheader("Content-Type", "").startswith(TEXTS):
                body = gzip.compress(body, LEVEL)
                headers.append(("Content-Encoding", "gzip"))
            self.send_response(response.status)
            for name, value in headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)
            connection.close()

        do_GET = do_HEAD = do_POST = answer  # noqa: N815 - the names that the base class calls

        def log_message(self, *_: object) -> None:
            """Nothing: a test says what it found, not what was asked."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()
