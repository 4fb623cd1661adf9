"""What policies add to reading one book: `python -m benchmarks.policies`.

The same thousand books in a list, read without policies, and then with more and more of them: a token that is looked up
with its user, a permission that narrows what the user sees, a throttle in memory. They take turns in one process; shown
is the median of the rounds, and what each adds to the plain read.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from benchmarks.measure import ignore
from benchmarks.report import machine, markdown
from benchmarks.workload import LIST_SIZE, Environ, Row, environ, generate
from datastores import PythonListDataStore
from rest_kit import models
from rest_kit.authentication import TokenAuthentication, Tokens, UserModel, Users
from rest_kit.controllers import Controller, WSGIDispatcher
from rest_kit.models import Model
from rest_kit.options import ResourceDict
from rest_kit.permissions import IsOwner
from rest_kit.throttling import UserRateThrottle

CALLS = 1_000
GOAL = 15.0
"""The most microseconds that all of them together may add."""
ONE = Row("one", "/books/500/")

App = Callable[..., Iterable[bytes]]


class BookModel(Model):
    """A book that belongs to somebody."""

    fields = (
        models.PkField(name="id"),
        models.StringField(name="title", required=True),
        models.StringField(name="author", required=True),
        models.FloatField(name="price", required=True),
        models.DateField(name="published", required=True),
        models.BooleanField(name="in_stock", required=True),
        models.IntegerField(name="owner", read_only=True),
    )


def application(**policies: Any) -> WSGIDispatcher:
    """The books under these policies, a fifth of them each user's."""
    resource: ResourceDict = {
        "resource_name": "books",
        "resource": [{**book, "owner": book["id"] % 5} for book in generate(LIST_SIZE)],
        "model": BookModel,
        "datastore": PythonListDataStore,
    }
    books = type("BookApp", (Controller,), {"resource": resource})
    return WSGIDispatcher([books], secret="a secret for the benchmark alone", **policies)


def applications() -> tuple[dict[str, App], str]:
    """The contenders, and the token that lets in."""
    people = [
        {"id": n, "username": f"user{n}", "password": "-", "is_active": True, "is_admin": False, "scopes": ""}
        for n in range(LIST_SIZE)
    ]
    users = Users(PythonListDataStore(people), model=UserModel)
    tokens = Tokens(PythonListDataStore([]), users)
    keys = [tokens.create(n).key for n in range(LIST_SIZE)]
    token = {"authentication": [TokenAuthentication(tokens)]}
    scope = {**token, "permissions": [IsOwner()]}
    return {
        "no policies": application(),
        "token": application(**token),
        "token, scope": application(**scope),
        "token, scope, throttle": application(**scope, throttle=[UserRateThrottle("100000000/day")]),
    }, keys[0]


def batch(app: App, made: Sequence[Environ]) -> float:
    """Microseconds of this process for one of these requests."""
    start = time.process_time()
    for one in made:
        b"".join(app(one, ignore))
    return (time.process_time() - start) / len(made) * 1e6


def requests(key: str) -> list[Environ]:
    """A batch's requests, each with the token."""
    return [{**environ(ONE), "HTTP_AUTHORIZATION": f"Token {key}"} for _ in range(CALLS)]


def verify(apps: Mapping[str, App], key: str) -> None:
    """Every contender must let the request in."""
    for name, app in apps.items():
        seen: list[str] = []
        app(requests(key)[0], lambda status, headers, exc_info=None, seen=seen: seen.append(status))
        assert seen == ["200 OK"], (name, seen)


def main() -> int:
    """Measure and print; 1 where the goal is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.policies", description=__doc__)
    parser.add_argument("--rounds", type=int, default=41)
    rounds = parser.parse_args().rounds
    apps, key = applications()
    verify(apps, key)
    times: dict[str, list[float]] = {name: [] for name in apps}
    for _ in range(rounds):
        for name, app in apps.items():
            times[name].append(batch(app, requests(key)))
    found = {name: statistics.median(taken) for name, taken in times.items()}
    plain = found["no policies"]
    rows = [[name, f"{took:.1f}", f"{took - plain:.1f}"] for name, took in found.items()]
    print(f"{machine()}, median of {rounds} rounds\n")
    print(markdown([["one", "µs", "added"], *rows]))
    added = found["token, scope, throttle"] - plain
    print(f"\nall together add {added:.1f} µs (goal ≤ {GOAL:g})")
    return int(added > GOAL)


if __name__ == "__main__":
    sys.exit(main())
