"""`async` actions and routes where the server's threads are gevent's greenlets, all of them within one real thread."""

from __future__ import annotations

import importlib.util
import subprocess
import sys

import pytest

TOGETHER = """
from gevent import monkey; monkey.patch_all()

import asyncio

import gevent
from webtest import TestApp

from rest_kit.controllers import WSGIDispatcher
from rest_kit.routes import Route

CALLERS = 12
arrived, seen = [], []


async def meet(request):
    arrived.append(request.id)
    for _ in range(2000):
        if len(arrived) == CALLERS:
            return {"met": len(arrived)}
        await asyncio.sleep(0.01)


def look(request):
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        seen.append("no loop")


client = TestApp(WSGIDispatcher([], routes=[Route("/meet", meet), Route("/look", look)]))
first = [gevent.spawn(client.get, "/meet") for _ in range(CALLERS - 1)]
gevent.sleep()
client.get("/look")
last = gevent.spawn(client.get, "/meet")
for one in gevent.joinall([*first, last], raise_error=True):
    assert one.value.json == {"met": CALLERS}, one.value
assert seen == ["no loop"]
"""


@pytest.mark.skipif(importlib.util.find_spec("gevent") is None, reason="gevent is not installed")
def test_coroutines_run_side_by_side_under_gevent() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", TOGETHER], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
