"""The command line: `rest-kit serve SOURCE...`."""

from __future__ import annotations

import socket
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NoReturn

import click

import rest_kit
from rest_kit.cli import sources
from rest_kit.cli.announcement import announcement
from rest_kit.cli.server import LOAD_ERROR, Server, Settings
from rest_kit.errors import RestKitError

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

EXAMPLES = """\b
Examples:
  rest-kit serve airports.csv
  rest-kit serve shop.db --read-only
  rest-kit serve db.json --port 9000
  rest-kit serve zone1970.tab --comment '#' --columns codes,coordinates,tz,comments --key tz
  rest-kit serve myproject.api:app --reload
"""


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(rest_kit.__version__, prog_name="rest-kit")
def main() -> None:
    """A REST API over the data that you already have."""


@main.command(epilog=EXAMPLES)
@click.argument("source", nargs=-1, required=True)
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help="0 takes any free port.")
@click.option("--read-only", is_flag=True, help="Serve nothing but reading; change no file.")
@click.option("--reload", is_flag=True, help="Start again when Python code changes.")
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1, 64), help="Processes.")
@click.option("--threads", default=8, show_default=True, type=click.IntRange(1, 256), help="Threads in each process.")
@click.option("--access-log", is_flag=True, help="Write a line for each request.")
@click.option("--key", help="CSV: the column that identifies a row.")
@click.option("--delimiter", help="CSV: what separates cells; 'tab' for a tab.")
@click.option("--comment", help="CSV: lines that start with this are skipped.")
@click.option("--columns", help="CSV without a header line: the columns' names, separated by commas.")
@click.option("--encoding", help="CSV: the file's encoding, where it is not UTF-8.")
@click.option("--null", help="CSV: what stands for null, where it is not the empty cell.")
def serve(source: tuple[str, ...], read_only: bool, **options: Any) -> None:
    """Serve each SOURCE as a REST API.

    A SOURCE is a CSV file, an SQLite file (.db), a JSON file (a list, or an object of lists), or module:NAME of a
    list, a Controller or a WSGI application.
    """
    csv_options = csv_options_of(options)
    served: list[sources.Served] = []
    workers = options["workers"]

    def load() -> WSGIApplication:
        served.append(sources.serve(source, read_only=read_only, csv_options=csv_options))
        for controller in served[0].controllers:
            controller.prepare()
        return served[0].app

    def announce(host: str, port: int) -> None:
        click.echo(announcement(served[0], host, port))

    check_sources(source)
    if workers > 1 and in_process(source):
        click.echo("rest-kit: one worker, not several: these data live in the memory of one process", err=True)
        workers = 1
    settings = Settings(
        options["host"], options["port"], workers, options["threads"], options["reload"], options["access_log"]
    )
    check_port(settings)
    Server(load, announce, settings).run()


def csv_options_of(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options of a CSV store among those of the command line."""
    chosen = {key: options[key] for key in ("key", "comment", "encoding", "null") if options[key] is not None}
    if options["delimiter"] is not None:
        chosen["delimiter"] = {"tab": "\t", "\\t": "\t"}.get(options["delimiter"], options["delimiter"])
    if options["columns"] is not None:
        chosen["columns"] = [name.strip() for name in options["columns"].split(",")]
    return chosen


def in_process(source: tuple[str, ...]) -> bool:
    """Whether a source is kept in the memory of whoever serves it."""
    return any(one.lower().endswith(".json") for one in source) or holds_list(source)


def holds_list(source: tuple[str, ...]) -> bool:
    """Whether a `module:NAME` among the sources names a list, or an application that serves one."""
    for one in filter(sources.is_module, source):
        try:
            served = sources.serve([one])
        except RestKitError as exc:
            fail(exc, LOAD_ERROR)
        if any(controller.store.capabilities.in_process for controller in served.controllers):
            return True
    return False


def check_sources(source: tuple[str, ...]) -> None:
    """Say at once, and in a sentence, which source is no file or of no known kind."""
    try:
        for one in source:
            sources.check(one)
    except RestKitError as exc:
        fail(exc)


def check_port(settings: Settings) -> None:
    """Say at once, and in a sentence, that the address is taken."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as exc:
            reason = exc.strerror or str(exc)
            fail(RestKitError(f"cannot listen on {settings.host}:{settings.port}: {reason}; choose another --port"))


def fail(exc: RestKitError, status: int = 1) -> NoReturn:
    """End with the error's text and this status."""
    click.echo(f"rest-kit: {exc}", err=True)
    sys.exit(status)


if __name__ == "__main__":
    main()
