"""A process with several threads that all hit one window: `python hitters.py URL KEY QUOTA THREADS HITS`.

It says how many of its hits were admitted. It waits for a line on its input, so that all processes begin together.
"""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor

from rest_kit.storage import Window, open_storage


def main(url: str, key: str, quota: int, threads: int, hits: int) -> None:
    storage = open_storage(url)
    window = Window(key, quota, 60)
    storage.ping()
    print("ready", flush=True)
    sys.stdin.readline()
    with ThreadPoolExecutor(threads) as pool:
        admitted = sum(pool.map(lambda _: storage.hit([window])[0], range(hits)))
    print(admitted, flush=True)
    storage.close()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], *map(int, sys.argv[3:]))
