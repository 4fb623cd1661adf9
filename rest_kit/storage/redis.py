"""Counts and values on a Redis server, for all processes of all machines; every step is one script that runs there.

A count is a list of the times when hits leave their window, in microseconds of the server's clock, so that machines
need not agree on the time. A server that is away costs a short wait, and then for a moment none at all.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, cast

import redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from rest_kit.breaker import Breaker
from rest_kit.errors import ConfigurationError, StoreUnavailable
from rest_kit.storage.base import Clock, Count, Storage, Window, distinct

PREFIX: Final = "rest_kit:"
MICROSECONDS: Final = 1_000_000
MOST_CONNECTIONS: Final = 1000

HIT: Final = """
local now = tonumber(ARGV[1])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000000 + time[2]
end
local count = tonumber(ARGV[2])
for i = count + 1, #KEYS do
  redis.call('LREM', KEYS[i], -1, ARGV[2 + count + i])
end
local admitted, live = 1, {}
for i = 1, count do
  local key, quota, length = KEYS[i], tonumber(ARGV[1 + 2 * i]), tonumber(ARGV[2 + 2 * i])
  local newest = tonumber(redis.call('LINDEX', key, -1))
  if newest and newest <= now then
    redis.call('DEL', key)
  elseif newest then
    if newest > now + length then
      for place, leaves in ipairs(redis.call('LRANGE', key, 0, -1)) do
        if tonumber(leaves) > now + length then
          redis.call('LSET', key, place - 1, string.format('%.0f', now + length))
        end
      end
    end
    while tonumber(redis.call('LINDEX', key, 0)) <= now do
      redis.call('LPOP', key)
    end
  end
  live[i] = redis.call('LLEN', key)
  if live[i] >= quota then admitted = 0 end
end
local reply = {admitted, string.format('%.0f', now)}
for i = 1, count do
  local key, quota, length = KEYS[i], tonumber(ARGV[1 + 2 * i]), tonumber(ARGV[2 + 2 * i])
  if admitted == 1 then
    live[i] = redis.call('RPUSH', key, string.format('%.0f', now + length))
    redis.call('PEXPIRE', key, math.ceil(length / 1000) + 1)
  end
  reply[2 * i + 1] = quota - live[i]
  reply[2 * i + 2] = redis.call('LINDEX', key, math.max(0, live[i] - quota)) or string.format('%.0f', now)
end
return reply
"""
SWAP: Final = """
local found = redis.call('GET', KEYS[1])
if (found or '') ~= ARGV[2] or (found and 1 or 0) ~= tonumber(ARGV[1]) then return 0 end
if ARGV[3] == '0' then
  redis.call('DEL', KEYS[1])
else
  redis.call('SET', KEYS[1], ARGV[4], 'PX', ARGV[3])
end
return 1
"""


class RedisStorage(Storage):
    """Keeps everything on a Redis server, under keys that begin with `rest_kit:`.

    `url`: `redis://user:password@host:port/db`, `rediss://` for TLS, `unix:///path`. `timeout`: seconds to wait for a
    connection and for each answer. `clock`: for tests, in place of the server's. Raises ConfigurationError.
    """

    def __init__(self, url: str, *, timeout: float = 0.5, clock: Clock | None = None) -> None:
        try:
            pool = redis.ConnectionPool.from_url(
                url,
                socket_timeout=timeout,
                socket_connect_timeout=timeout,
                # a hit that is sent again may be counted twice; those who wait would wait again
                retry=Retry(NoBackoff(), 0),
                max_connections=MOST_CONNECTIONS,
            )
            pool.connection_class(**pool.connection_kwargs)
        except (ValueError, TypeError) as exc:
            # the text of the error might hold the password
            raise ConfigurationError(
                "storage is not a Redis URL such as redis://host:6379/0, or has a parameter that redis does not know"
            ) from exc
        self._told = _without_secrets(pool.connection_kwargs)
        self._redis = redis.Redis(connection_pool=pool)
        self._hit = self._redis.register_script(HIT)
        self._swap = self._redis.register_script(SWAP)
        self._clock = clock
        self._breaker = Breaker(failures=2, reset=1.0, what=f"Redis at {self._told}")

    def hit(self, windows: Sequence[Window], back: Sequence[Count] = ()) -> tuple[bool, list[Count]]:
        windows = distinct(windows)
        now = "" if self._clock is None else self._clock() // 1000
        arguments: list[Any] = [now, len(windows)]
        for window in windows:
            arguments += [window.quota, int(window.seconds * MICROSECONDS)]
        keys = [_key_of(window) for window in windows]
        for one in back:
            keys.append(_key_of(one.window))
            arguments.append(one.mark)
        reply = self._ask(lambda: self._hit(keys=keys, args=arguments))
        at = int(reply[1])
        return reply[0] == 1, [
            _count(window, at, reply[place], int(reply[place + 1]))
            for window, place in zip(windows, range(2, len(reply), 2), strict=True)
        ]

    def get(self, key: str) -> bytes | None:
        return cast("bytes | None", self._ask(lambda: self._redis.get(f"{PREFIX}value {key}")))

    def swap(self, key: str, expected: bytes | None, value: bytes | None, seconds: float) -> bool:
        arguments = [
            0 if expected is None else 1,
            expected or b"",
            0 if value is None else max(1, math.ceil(seconds * 1000)),
            value or b"",
        ]
        return bool(self._ask(lambda: self._swap(keys=[f"{PREFIX}value {key}"], args=arguments)))

    def ping(self) -> None:
        self._ask(self._redis.ping)

    def close(self) -> None:
        self._redis.connection_pool.disconnect()

    def _ask(self, question: Callable[[], Any]) -> Any:
        with self._guarded():
            return question()

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        """Let a step through while the server answers, and for a moment none when it does not (StoreUnavailable)."""
        self._breaker.enter()
        well = False
        try:
            yield
            well = True
        except RedisError as exc:
            raise StoreUnavailable(f"Redis at {self._told}: {type(exc).__name__}", retry_after=1) from exc
        finally:
            self._breaker.leave(well=well)

    def __repr__(self) -> str:
        return f"RedisStorage({self._told!r})"


def _key_of(window: Window) -> str:
    return f"{PREFIX}count {window.seconds:g} {window.key}"


def _count(window: Window, now: int, remaining: int, leaves: int) -> Count:
    """A window as the script tells of it."""
    reset = (leaves - now) / MICROSECONDS
    return Count(window, max(0, remaining), reset, now + int(window.seconds * MICROSECONDS))


def _without_secrets(connection: dict[str, Any]) -> str:
    """Where a server is, without who logs in to it."""
    place = connection.get("path") or f"{connection.get('host', 'localhost')}:{connection.get('port', 6379)}"
    return f"{place}/{connection.get('db', 0)}"
