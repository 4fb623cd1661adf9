"""What a type checker says of a user's three dicts: nothing where they are right, and where the typo is otherwise."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("mypy")

ROOT = Path(__file__).parents[2]

USER = """
from datastores import PythonListDataStore
from rest_kit import models
from rest_kit.controllers import Controller, WSGIDispatcher
from rest_kit.pagination import Pagination
from rest_kit.views import JsonResponse


class PersonModel(models.Model):
    fields = [models.StringField(name="name", required=True), models.PkField(name="id")]


class PersonApp(Controller):
    resource = {"resource_name": "people", "resource": [], "model": PersonModel, "datastore": PythonListDataStore}
    controller = {"list_verbs": ["GET"], "unique_verbs": ["GET"], "options": {"pagination": Pagination(20)}}
    view = {"response_class": JsonResponse, "options": {"envelope": False}}


app = WSGIDispatcher([PersonApp], name="people", cors={"allow_origins": ["https://shop.example"]}, proxies={"for": 1})
"""

TYPOS = [
    ('"resource_name"', '"ressource_name"', 'Extra key "ressource_name"'),
    ('"list_verbs"', '"list_verb"', 'Extra key "list_verb"'),
    ('"pagination"', '"paginaton"', 'Extra key "paginaton"'),
    ("Pagination(20)", "Pagination", 'has type "BasePagination"'),
    ('"response_class"', '"respones_class"', 'Extra key "respones_class"'),
    ('"envelope"', '"envelop"', 'Extra key "envelop"'),
    ("required=True", "requird=True", 'Unexpected keyword argument "requird"'),
    ('"allow_origins"', '"allow_origin"', 'Argument "cors"'),
    ('"for"', '"four"', 'Argument "proxies"'),
    ('name="people"', 'nam="people"', 'Unexpected keyword argument "nam"'),
]


def mypy(*files: Path, cache: Path) -> tuple[int, str]:
    """What mypy --strict says of files, with its cache in a folder of ours."""
    command = [
        sys.executable,
        "-m",
        "mypy",
        "--strict",
        "--config-file",
        "",
        "--cache-dir",
        str(cache),
        *map(str, files),
    ]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=240, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One cache for all runs, so that only the first reads the libraries."""
    return tmp_path_factory.mktemp("cache")


def test_the_example_is_right(cache: Path) -> None:
    status, said = mypy(ROOT / "examples" / "quickstart.py", cache=cache)
    assert status == 0, said


def test_typos_are_found_where_they_are(cache: Path, tmp_path: Path) -> None:
    right = tmp_path / "right.py"
    right.write_text(USER)
    files = [right]
    for number, (word, typo, _) in enumerate(TYPOS):
        assert USER.count(word) == 1
        files.append(tmp_path / f"typo_{number}.py")
        files[-1].write_text(USER.replace(word, typo))
    _, said = mypy(*files, cache=cache)
    assert "right.py" not in said
    for number, (_, typo, words) in enumerate(TYPOS):
        errors = [line for line in said.splitlines() if f"typo_{number}.py" in line and "error" in line]
        assert any(words in line for line in errors), (typo, errors)
