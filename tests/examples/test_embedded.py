"""The applications that rest_kit is embedded in, loaded once and forked, as their users would run them."""

from __future__ import annotations

import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.cli.support import ask
from tests.examples.support import under_gunicorn

WORKERS = ("--preload", "--workers", "2", "--threads", "4")


def text_of(url: str, form: str | None = None) -> str:
    """What the site says, with or without a form posted to it."""
    try:
        with urllib.request.urlopen(url, None if form is None else form.encode(), timeout=30) as reply:
            return str(reply.read().decode())
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.read().decode()


@pytest.mark.parametrize("way", ["mounted", "in_front"])
def test_flask(tmp_path: Path, way: str) -> None:
    with under_gunicorn(f"examples.flask_site:{way}", tmp_path, *WORKERS) as url:
        assert text_of(f"{url}/recipes", "title=Soup") == "<li>Soup, by anonymous</li>"
        with ThreadPoolExecutor(8) as pool:
            titles = [f"Cake {n}" for n in range(20)]
            replies = list(
                pool.map(lambda title: ask(f"{url}/api/recipes/", "POST", {"title": title, "cook_id": 1}), titles)
            )
        assert {reply.status for reply in replies} == {201}
        assert text_of(url).count("<li>") == 21
        assert text_of(f"{url}/nowhere") == "<h1>There is no such recipe</h1>"


def test_django(tmp_path: Path) -> None:
    with under_gunicorn("examples.django_site:application", tmp_path, *WORKERS) as url:
        ada = ask(f"{url}/api/authors/", "POST", {"name": "Ada"}).data["id"]
        with ThreadPoolExecutor(8) as pool:
            titles = [f"Book {n}" for n in range(20)]
            replies = list(
                pool.map(lambda title: ask(f"{url}/api/books/", "POST", {"title": title, "author_id": ada}), titles)
            )
        assert {reply.status for reply in replies} == {201}
        assert sorted(text_of(url).splitlines()) == sorted(f"{title}, by Ada" for title in titles)
        assert text_of(f"{url}/nowhere/") == "<h1>No such page in this library</h1>"
