"""Runs what a Markdown page shows: Python blocks in order, and console blocks against the page's `app`.

A console block holds `$ curl ...` lines with the output that follows them, or `$ rest-kit serve ...`, which makes the
`app` that later curl lines talk to; `rest-kit copy` is run; `cat`, `ls` and `printf` look at files and make them. `...`
in an expected output stands for anything.
"""

from __future__ import annotations

import io
import os
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from click.testing import CliRunner
from webtest import TestApp
from werkzeug.test import EnvironBuilder

from rest_kit.cli import main as cli
from rest_kit.cli import sources
from rest_kit.cli.announcement import announcement

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SET_UP = ("make ", "pip ", "python -m venv", "python examples/", "cd ", "git ")


class Step(NamedTuple):
    """One command of a console block, and what it must print."""

    command: str
    expected: str


def run_page(path: Path) -> int:
    """Run every block of a page; how many Python blocks and commands were run."""
    namespace: dict[str, Any] = {"__name__": "page"}
    ran = 0
    for language, block in BLOCK.findall(path.read_text(encoding="utf-8")):
        if language == "python":
            exec(compile(block, str(path), "exec", dont_inherit=True), namespace)  # noqa: S102 - the page's own code is what is tested
            ran += 1
        elif language == "console":
            for step in steps(block):
                run_step(step, namespace)
                ran += 1
    return ran


def steps(block: str) -> Iterator[Step]:
    """The commands of a console block."""
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        joined = re.sub(r"\\\n\s*", "", part)
        command, _, expected = joined.partition("\n")
        yield Step(command, expected.strip())


def run_step(step: Step, namespace: dict[str, Any]) -> None:
    """Run one command, and compare what it prints."""
    words = shlex.split(step.command)
    if words[0] == "curl":
        check(curl(words[1:], namespace["app"]), step)
    elif words[:2] == ["rest-kit", "serve"]:
        namespace["app"], printed = serve(words[2:])
        check(printed, step)
    elif words[:2] == ["rest-kit", "copy"]:
        ended = CliRunner().invoke(cli.main, [os.path.expandvars(word) for word in words[1:]])
        check(ended.output, step)
    elif words[0] == "cat":
        check(Path(words[1]).read_text(encoding="utf-8"), step)
    elif words[0] == "ls":
        check("\n".join(sorted(map(str, Path().glob(words[1])))), step)
    elif words[0] == "printf":
        check(printf(words[1:]), step)
    else:
        assert step.command.startswith(SET_UP), f"nothing here knows how to run {step.command!r}"


def printf(words: list[str]) -> str:
    """`printf 'TEXT' > FILE`, as pages make their data."""
    text, arrow, name = words
    assert arrow == ">"
    Path(name).write_text(text.replace("\\n", "\n").replace("\\t", "\t"), encoding="utf-8")
    return ""


def serve(words: list[str]) -> tuple[Any, str]:
    """The application that `rest-kit serve` would serve, and what it would print."""
    params = cli.main.commands["serve"].make_context("serve", list(words)).params
    served = sources.serve(*cli.look(params["source"], params))
    for controller in served.controllers:
        controller.prepare()
    return served.app, announcement(served, params["host"], params["port"])


def curl(words: list[str], app: Any) -> str:
    """What curl would print, for the options that pages use."""
    method, headers, body, show_head, url = None, {}, b"", False, ""
    parts: list[str] = []
    queue = list(words)
    while queue:
        word = queue.pop(0)
        if word == "-X":
            method = queue.pop(0)
        elif word == "-H":
            name, _, value = queue.pop(0).partition(":")
            headers[name.strip()] = value.strip()
        elif word in ("-d", "--data"):
            body = queue.pop(0).encode()
            headers.setdefault("Content-Type", "application/x-www-form-urlencoded")
        elif word == "--json":
            body = queue.pop(0).encode()
            headers.setdefault("Content-Type", "application/json")
        elif word == "-F":
            parts.append(queue.pop(0))
        elif word == "-i":
            show_head = True
        elif word != "-s":
            url = word
    if parts:
        headers["Content-Type"], body = form(parts)
    split = urlsplit(url)
    target = split.path + (f"?{split.query}" if split.query else "")
    reply = TestApp(app, extra_environ={"RAW_URI": target}).request(
        target, method=method or ("POST" if body else "GET"), body=body, headers=headers, expect_errors=True
    )
    head = [f"HTTP/1.1 {reply.status}", *(f"{name}: {value}" for name, value in reply.headerlist), ""]
    return "\n".join([*head, reply.text]) if show_head else reply.text


def form(parts: list[str]) -> tuple[str, bytes]:
    """The type and body of the form that curl makes of `-F name=value` and `-F name=@file;type=...`."""
    builder = EnvironBuilder(method="POST")
    for part in parts:
        name, _, value = part.partition("=")
        path, _, media_type = value.removeprefix("@").partition(";type=")
        if value.startswith("@"):
            builder.files.add_file(name, io.BytesIO(Path(path).read_bytes()), path, media_type)
        else:
            builder.form.add(name, value)
    environ = builder.get_environ()
    return environ["CONTENT_TYPE"], environ["wsgi.input"].read()


def check(printed: str, step: Step) -> None:
    """Compare, white space between JSON tokens aside; header lines may be a selection, with or without the body."""
    if not step.expected:
        return
    expected = step.expected
    if expected.startswith("HTTP/1.1"):
        head, _, expected = expected.partition("\n\n")
        printed_head, _, printed = printed.partition("\n\n")
        for line in head.splitlines():
            pattern = ".*".join(map(re.escape, line.split("...")))
            assert re.search(f"^{pattern}$", printed_head, re.MULTILINE | re.IGNORECASE), (line, printed_head)
        if not expected:
            return
    pattern = ".*".join(map(re.escape, squeeze(expected).split("...")))
    assert re.fullmatch(pattern, squeeze(printed), re.DOTALL), (
        f"{step.command}\nprinted: {printed}\nshown:   {expected}"
    )


def squeeze(text: str) -> str:
    """The text without white space outside of strings."""
    return "".join(
        part if part.startswith('"') else re.sub(r"\s+", "", part) for part in re.split(r'("(?:[^"\\]|\\.)*")', text)
    )
