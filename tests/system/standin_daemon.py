"""Stands in for the daemon's process: `standin_daemon.py serve`, with a behaviour from the environment."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

from touchstone.system.locks import file_lock
from touchstone.system.paths import Paths

PATHS = Paths.under(Path(os.environ["TOUCHSTONE_HOME"]))
IMPOSTOR = False


class Health(BaseHTTPRequestHandler):
    """Answers `/v1/health`, and writes down what it was asked."""

    def do_GET(self) -> None:
        with (PATHS.data_dir / "requests").open("a") as file:
            file.write(f"{self.requestline}\n{self.headers}\n")
        body = b"<html>printer</html>" if IMPOSTOR else b'{"service": "touchstone", "status": "ok"}'
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        return


def become_impostor(*_: object) -> None:
    global IMPOSTOR
    IMPOSTOR = True


def linger(*_: object) -> None:
    """Not found any more, as a daemon that stops, but there for a while yet."""
    PATHS.daemon_file.unlink()
    time.sleep(1)
    os._exit(0)


def main() -> None:
    with (PATHS.data_dir / "starts").open("a") as file:
        file.write(f"{os.getpid()}\n")
    if os.environ["BEHAVIOUR"] == "dies":
        print("starting", file=sys.stderr)
        print("no room on this disk", file=sys.stderr)
        sys.exit(3)
    if os.environ["BEHAVIOUR"] == "silent":
        time.sleep(60)
    server = HTTPServer(("127.0.0.1", 0), Health)
    signal.signal(signal.SIGUSR1, become_impostor)
    about = {"pid": os.getpid(), "port": server.server_port, "version": "9.9", "started_at": time.time()}
    with file_lock(PATHS.daemon_lock, 5):
        PATHS.daemon_file.write_text(json.dumps(about))
        if os.environ["BEHAVIOUR"] == "lingers":
            signal.signal(signal.SIGTERM, linger)
        server.serve_forever()


if __name__ == "__main__":
    main()
