"""What is written in setup.cfg is what there is."""

from __future__ import annotations

import ast
import configparser
from pathlib import Path

import pytest

import rest_kit

ROOT = Path(__file__).parents[1]
DISTRIBUTED = ("rest_kit", "datastores")


@pytest.fixture(scope="module")
def setup() -> configparser.ConfigParser:
    parser = configparser.ConfigParser()
    parser.read(ROOT / "setup.cfg", encoding="utf-8")
    return parser


def lines(text: str) -> list[str]:
    return [line.strip() for line in text.strip().splitlines() if line.strip()]


def test_every_package_is_written_out(setup: configparser.ConfigParser) -> None:
    found = {
        ".".join(path.parent.relative_to(ROOT).parts)
        for package in DISTRIBUTED
        for path in (ROOT / package).rglob("*.py")
    }
    assert set(lines(setup["options"]["packages"])) == found


def test_every_package_can_be_imported_as_one() -> None:
    folders = {path.parent for package in DISTRIBUTED for path in (ROOT / package).rglob("*.py")}
    assert not [folder for folder in folders if not (folder / "__init__.py").exists()]


def test_the_version_is_said_once(setup: configparser.ConfigParser) -> None:
    said = setup["metadata"]["version"]
    assert said in ("attr: rest_kit.__version__", rest_kit.__version__)


def test_the_version_can_be_read_without_importing() -> None:
    tree = ast.parse((ROOT / "rest_kit" / "__init__.py").read_text(encoding="utf-8"))
    assigned = [node for node in tree.body if isinstance(node, ast.Assign)]
    values = {node.targets[0].id: node.value for node in assigned if isinstance(node.targets[0], ast.Name)}
    assert ast.literal_eval(values["__version__"]) == rest_kit.__version__


def test_both_packages_are_typed(setup: configparser.ConfigParser) -> None:
    for package in DISTRIBUTED:
        assert setup["options.package_data"][package] == "py.typed"
        assert (ROOT / package / "py.typed").exists()


def test_the_command_is_there(setup: configparser.ConfigParser) -> None:
    name, _, target = setup["options.entry_points"]["console_scripts"].strip().partition(" = ")
    module, _, function = target.partition(":")
    assert name == "rest-kit"
    assert callable(getattr(__import__(module, fromlist=[function]), function))


def test_the_readme_is_there(setup: configparser.ConfigParser) -> None:
    for name in (setup["metadata"]["long_description"].removeprefix("file: "), setup["metadata"]["license_files"]):
        assert (ROOT / name).read_text(encoding="utf-8").strip()
