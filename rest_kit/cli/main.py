"""The command line: `rest-kit serve SOURCE...`, `rest-kit copy SRC DST`."""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NoReturn

import click

import rest_kit
from rest_kit import copying
from rest_kit.cli import sources
from rest_kit.cli.announcement import announcement
from rest_kit.cli.apis import DIALECTS, headers_of
from rest_kit.cli.copying import plan
from rest_kit.cli.files import JSON_SUFFIX
from rest_kit.cli.progress import Told
from rest_kit.cli.server import LOAD_ERROR, Server, Settings
from rest_kit.cli.source import Source, Unreachable, Wishes, parse
from rest_kit.cli.terminal import say
from rest_kit.copying import Rows, RowsThere
from rest_kit.errors import RestKitError, StoreCorrupt, StoreUnavailable

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

    from rest_kit.controllers import Controller

UNREACHABLE: Final = 2
"""The exit status where a database or an API cannot be reached."""

INTERRUPTED: Final = 130
"""The exit status after Ctrl-C, as shells have it."""

CSV_OPTIONS: Final = (
    click.option("--key", help="CSV: the column that identifies a row."),
    click.option("--delimiter", help="CSV: what separates cells; 'tab' for a tab."),
    click.option("--comment", help="CSV: lines that start with this are skipped."),
    click.option("--columns", help="CSV without a header line: the columns' names, separated by commas."),
    click.option("--encoding", help="CSV: the file's encoding, where it is not UTF-8."),
    click.option("--null", help="CSV: what stands for null, where it is not the empty cell."),
)
API_OPTIONS: Final = (
    click.option("--dialect", type=click.Choice(DIALECTS), help="API: how it is asked, where that does not show."),
    click.option("--header", multiple=True, metavar="'NAME: VALUE'", help="API: sent with every request to it."),
)


def source_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options on the form of its sources."""
    for option in reversed((*CSV_OPTIONS, *API_OPTIONS)):
        command = option(command)
    return command


EXAMPLES = """\b
Examples:
  rest-kit serve airports.csv
  rest-kit serve shop.db db.json --read-only
  rest-kit serve postgresql://ada@localhost/library
  rest-kit serve 'mysql://ada@localhost/shop#books,authors' loans=lent.csv
  rest-kit serve https://api.example.org/people/ --header 'Authorization: Token 9f1c'
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
@click.option("--read-only", is_flag=True, help="Serve nothing but reading; change no file and no database.")
@click.option("--reload", is_flag=True, help="Start again when Python code changes.")
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1, 64), help="Processes.")
@click.option("--threads", default=8, show_default=True, type=click.IntRange(1, 256), help="Threads in each process.")
@click.option("--access-log", is_flag=True, help="Write a line for each request.")
@source_options
def serve(source: tuple[str, ...], **options: Any) -> None:
    """Serve each SOURCE as a REST API.

    A SOURCE is a CSV file, an SQLite file (.db), a JSON file (a list, or an object of lists), the URL of a PostgreSQL
    or MariaDB database, the URL of another API's collection, or module:NAME of a list, a Controller or a WSGI
    application. NAME=SOURCE gives it another name, SOURCE#TABLE,TABLE takes some of its tables.
    """
    served: list[sources.Served] = []
    looked, wishes = look(source, options)

    def load() -> WSGIApplication:
        served.append(sources.serve(looked, wishes))
        for controller in served[0].controllers:
            prepare(controller)
        return served[0].app

    def announce(host: str, port: int) -> None:
        say(announcement(served[0], host, port))

    workers = options["workers"]
    if workers > 1 and in_process(looked):
        say("rest-kit: one worker, not several: these data live in the memory of one process", err=True)
        workers = 1
    settings = Settings(
        options["host"], options["port"], workers, options["threads"], options["reload"], options["access_log"]
    )
    check_port(settings)
    Server(load, announce, settings).run()


def prepare(controller: Controller) -> None:
    """Read what a resource is like, unless what holds it cannot be reached yet (StoreCorrupt)."""
    try:
        controller.prepare()
    except StoreCorrupt:
        raise
    except StoreUnavailable:
        pass  # the announcement says so


COPY_EXAMPLES = """\b
Examples:
  rest-kit copy airports.csv shop.db
  rest-kit copy shop.db#books books.csv --null NULL
  rest-kit copy shop.db postgresql://ada@localhost/shop
  rest-kit copy 'postgresql://ada@localhost/shop#books,authors' 'mysql://root@localhost/test#titles,writers'
  rest-kit copy db.json shop.db --append
"""


@main.command(epilog=COPY_EXAMPLES)
@click.argument("src")
@click.argument("dst")
@click.option("--append", is_flag=True, help="Add to the rows that are there.")
@click.option("--replace", is_flag=True, help="Delete the rows that are there first.")
@source_options
def copy(src: str, dst: str, append: bool, replace: bool, **options: Any) -> None:
    """Copy the rows of SRC into DST, which is made where it is not there.

    Both are written as for `serve`: files, databases, the collections of APIs. A whole database goes into another one
    with all of its tables. In a database everything is there afterwards, or nothing.
    """
    if append and replace:
        raise click.UsageError("--append and --replace exclude each other")
    rows = Rows.STAY if append else Rows.GO if replace else Rows.NONE
    try:
        (source, target), wishes = read_sources([src, dst], options)
        planned = plan(sources.check(source, wishes), target, wishes)
        with Told(planned) as told:
            counts = copying.copy(planned.pairs, rows=rows, together=planned.together, progress=told)
    except RowsThere as exc:
        fail(RestKitError(f"{exc}; --append keeps them, --replace deletes them first"))
    except RestKitError as exc:
        fail(exc)
    except KeyboardInterrupt:
        say(f"rest-kit: interrupted; {planned.left_over}", err=True)
        sys.exit(INTERRUPTED)
    for name, count in counts.items():
        say(f"{name}: {count:,} {'row' if count == 1 else 'rows'} copied")


def csv_options_of(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options of a CSV store among those of the command line."""
    chosen = {key: options[key] for key in ("key", "comment", "encoding", "null") if options[key] is not None}
    if options["delimiter"] is not None:
        chosen["delimiter"] = {"tab": "\t", "\\t": "\t"}.get(options["delimiter"], options["delimiter"])
    if options["columns"] is not None:
        chosen["columns"] = [name.strip() for name in options["columns"].split(",")]
    return chosen


def in_process(looked: Sequence[Source]) -> bool:
    """Whether a source is kept in the memory of whoever serves it."""
    return any(not one.scheme and one.place.lower().endswith(JSON_SUFFIX) for one in looked) or holds_list(looked)


def holds_list(looked: Sequence[Source]) -> bool:
    """Whether a `module:NAME` among the sources names a list, or an application that serves one."""
    for one in looked:
        if one.is_module:
            try:
                served = sources.serve([one])
            except RestKitError as exc:
                fail(exc, LOAD_ERROR)
            if any(controller.store.capabilities.in_process for controller in served.controllers):
                return True
    return False


def look(given: Sequence[str], options: Mapping[str, Any]) -> tuple[list[Source], Wishes]:
    """The sources and what is wished of them; says at once, and in a sentence, which cannot be used."""
    try:
        found, wishes = read_sources(given, options)
        return [sources.check(one, wishes) for one in found], wishes
    except RestKitError as exc:
        fail(exc)


def read_sources(given: Sequence[str], options: Mapping[str, Any]) -> tuple[list[Source], Wishes]:
    """The sources as they are written, and what is wished of them (SourceError)."""
    found = [parse(one)._replace(dialect=options["dialect"] or "") for one in given]
    headers = headers_of(options["header"], found)
    return found, Wishes(options.get("read_only", False), csv_options_of(options), headers)


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


def fail(exc: RestKitError, status: int | None = None) -> NoReturn:
    """End with the error's text and this status, else with the one that tells what is wrong."""
    say(f"rest-kit: {exc}", err=True)
    sys.exit(status_of(exc) if status is None else status)


def status_of(exc: RestKitError) -> int:
    """The exit status for an error: of what cannot be reached, of data that cannot be read, of the rest."""
    if isinstance(exc, Unreachable):
        return UNREACHABLE
    return LOAD_ERROR if isinstance(exc, StoreCorrupt) else 1


if __name__ == "__main__":
    main()
