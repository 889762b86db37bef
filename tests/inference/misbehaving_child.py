"""An inference process that goes wrong: `misbehaving_child.py ACT FOLDER DESCRIPTOR`.

It counts its starts in FOLDER. At the first one, or at each with "always ACT", it does ACT instead of its
first run; otherwise it is a sound one.
"""

from __future__ import annotations

import ctypes
import os
import socket
import sys
import time
from pathlib import Path

from touchstone.inference.child import main
from touchstone.media.link import Link


def act(name: str, link: Link) -> None:
    match name:
        case "crash":
            ctypes.string_at(0)
        case "leave":
            os._exit(3)
        case "hang":
            time.sleep(600)
        case "babble":
            os.write(link.fileno(), b"\x00\x00\x00\x05hello")
        case "lie":
            link.send({"type": "ran", "provider": "P", "ms": 1, "shapes": [[99, 4]]})
    time.sleep(600)


if __name__ == "__main__":
    words, folder, descriptor = sys.argv[1:]
    starts = Path(folder) / "starts"
    with starts.open("a") as file:
        file.write("x")
    if not words.startswith("always ") and len(starts.read_text()) > 1:
        sys.exit(main([descriptor]))
    link = Link(socket.socket(fileno=int(descriptor)), largest=1 << 20)
    link.receive()
    link.send({"type": "ready", "refused": {}})
    while link.receive_with_files()[0]["type"] != "run":
        pass
    act(words.removeprefix("always "), link)
