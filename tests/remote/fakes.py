"""Small stand-ins for other people's APIs, as far as their documentation goes, over rows that they keep as JSON.

Each compares, orders and refuses as the real one does, where that differs from rest_kit most of all: JavaScript's
comparison of text, a database's collation, null at the other end, parameters ignored in silence.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, quote, unquote

Row = dict[str, Any]
Pairs = list[tuple[str, str]]


class Answer(Exception):
    """A reply, from wherever it is decided."""

    def __init__(
        self, status: str, body: Any = None, *headers: tuple[str, str], kind: str = "application/json"
    ) -> None:
        super().__init__(status)
        self.status = status
        self.data = b"" if body is None else json.dumps(body, default=float).encode()
        self.headers = [*headers, *([("Content-Type", kind)] if self.data else [])]


class Fake:
    """A WSGI application over rows; `asked` holds every request's verb and target."""

    def __init__(self, rows: list[Row], key: str = "id", unique: tuple[str, ...] = ()) -> None:
        self.rows = rows
        self.key = key
        self.unique = unique
        self.asked: list[str] = []

    def __call__(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        self.asked.append(f"{environ['REQUEST_METHOD']} {environ['RAW_URI']}")
        path = [unquote(part) for part in environ["RAW_URI"].partition("?")[0].strip("/").split("/")]
        pairs = parse_qsl(environ["QUERY_STRING"], keep_blank_values=True)
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        try:
            self.answer(environ, path[1:], pairs, json.loads(body, parse_float=Decimal) if body else None)
            raise AssertionError("no answer")
        except Answer as answer:
            start_response(answer.status, [*answer.headers, ("Content-Length", str(len(answer.data)))])
            return [answer.data]

    def answer(self, environ: dict[str, Any], path: list[str], pairs: Pairs, body: Any) -> None:
        raise NotImplementedError

    def next_id(self) -> int:
        return max([row[self.key] for row in self.rows], default=0) + 1

    def taken(self, row: Row, own: Row | None = None) -> str | None:
        """A unique field whose value another row has."""
        for name in (self.key, *self.unique):
            if any(other is not own and row.get(name) is not None and other[name] == row[name] for other in self.rows):
                return name
        return None


# json-server v0.17


def js_text(value: Any) -> str:
    """What JavaScript's toString makes of it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float | Decimal):
        return str(int(value)) if value == int(value) and abs(value) < 10**21 else repr(float(value))
    return "[object Object]" if isinstance(value, dict) else str(value)


def js_number(text: str) -> float:
    try:
        return float(text or 0)
    except ValueError:
        return float("nan")


def js_lte(one: Any, two: Any) -> bool:
    """JavaScript's `<=` between a text and a value: as texts by UTF-16, or as numbers."""
    if isinstance(one, str) and isinstance(two, str):
        return one.encode("utf-16-be") <= two.encode("utf-16-be")
    numbers = [js_number(x) if isinstance(x, str) else float(x) for x in (one, two)]
    return numbers[0] <= numbers[1]


class JSONServer(Fake):
    """`json-server --watch db.json`, one collection."""

    WORDS = ("q", "_start", "_end", "_page", "_sort", "_order", "_limit", "_embed", "_expand")

    def answer(self, environ: dict[str, Any], path: list[str], pairs: Pairs, body: Any) -> None:
        method = environ["REQUEST_METHOD"]
        if not path:
            raise self.listed(pairs) if method == "GET" else self.added(body)
        row = next((row for row in self.rows if js_text(row[self.key]) == path[0]), None)
        if row is None:
            raise Answer("404 Not Found", {})
        if method == "PATCH":
            row.update(body)
        if method == "DELETE":
            self.rows.remove(row)
        raise Answer("200 OK", {} if method == "DELETE" else row)

    def added(self, body: Row) -> Answer:
        row = {**body, self.key: body.get(self.key, self.next_id() if self.rows else 1)}
        if any(other[self.key] == row[self.key] for other in self.rows):
            return Answer("500 Internal Server Error", kind="text/html")
        self.rows.append(row)
        return Answer("201 Created", row, ("Location", f"/things/{row[self.key]}"))

    def listed(self, pairs: Pairs) -> Answer:
        given: dict[str, list[str]] = {}
        for name, value in pairs:
            given.setdefault(name, []).append(value)
        rows = list(self.rows)
        for name, values in given.items():
            known = re.search("_(lte|gte|ne|like)$", name) or any(name in row for row in self.rows)
            if name not in self.WORDS and known:
                rows = [row for row in rows if self.holds(row, name, values)]
        rows = self.ordered(rows, given)
        if "_limit" not in given:
            return Answer("200 OK", rows)
        start, limit = int(given.get("_start", ["0"])[0] or 0), int(given["_limit"][0])
        return Answer("200 OK", rows[start : start + limit], ("X-Total-Count", str(len(rows))))

    def holds(self, row: Row, name: str, values: list[str]) -> bool:
        value = row.get(re.sub("_(lte|gte|ne|like)$", "", name))
        if value is None:
            return False
        if name.endswith("_gte"):
            return any(js_lte(given, value) for given in values)
        if name.endswith("_lte"):
            return any(js_lte(value, given) for given in values)
        if name.endswith("_ne"):
            return all(given != js_text(value) for given in values)
        if name.endswith("_like"):
            return any(re.search(given, js_text(value), re.IGNORECASE) for given in values)
        return any(given == js_text(value) for given in values)

    def ordered(self, rows: list[Row], given: dict[str, list[str]]) -> list[Row]:
        names = given.get("_sort", [""])[0]
        ways = given.get("_order", [""])[0].split(",")
        for place, name in reversed(list(enumerate(names.split(",") if names else []))):
            descending = place < len(ways) and ways[place] == "desc"
            # lodash: null comes last ascending, and first descending
            rows.sort(key=lambda row, name=name: self.rank(row.get(name)), reverse=descending)  # type: ignore[misc]
        return rows

    def rank(self, value: Any) -> Any:
        if value is None:
            return (1, 0)
        return (0, value.encode("utf-16-be") if isinstance(value, str) else float(value))


# PostgREST


def collated(text: str) -> Any:
    """Some order of text that a database may have, which is not by code point."""
    return (text.casefold(), text.swapcase())


class PostgREST(Fake):
    """PostgREST over one table; texts are ordered by a collation, comparisons with null are unknown."""

    max_rows = 50

    def answer(self, environ: dict[str, Any], path: list[str], pairs: Pairs, body: Any) -> None:
        method, prefer = environ["REQUEST_METHOD"], environ.get("HTTP_PREFER", "")
        one = environ.get("HTTP_ACCEPT") == "application/vnd.pgrst.object+json"
        if method == "POST":
            raise self.added(body if isinstance(body, list) else [body])
        rows = [row for row in self.rows if self.where(row, pairs)]
        if one and len(rows) != 1:
            raise Answer(
                "406 Not Acceptable", {"code": "PGRST116", "message": "JSON object requested", "details": None}
            )
        if method == "PATCH":
            self.changed(rows, body)
        elif method == "DELETE":
            self.rows[:] = [row for row in self.rows if row not in rows]
        else:
            raise self.listed(rows, dict(pairs), one=one, count="count=exact" in prefer)
        raise Answer("200 OK", rows[0] if one else rows, kind="application/vnd.pgrst.object+json; charset=utf-8")

    def added(self, new: list[Row]) -> Answer:
        made = []
        for place, row in enumerate(new):
            full = {**dict.fromkeys(self.rows[0] if self.rows else ()), **row}
            full[self.key] = row.get(self.key) or self.next_id() + place
            self.check(full, None)
            made.append(full)
        self.rows += made
        return Answer("201 Created", made)

    def changed(self, rows: list[Row], body: Row) -> None:
        for row in rows:
            self.check({**row, **body}, row)
        for row in rows:
            row.update(body)

    def check(self, row: Row, own: Row | None) -> None:
        name = self.taken(row, own)
        if name is not None:
            message = f'duplicate key value violates unique constraint "things_{name}_key"'
            details = f"Key ({name})=({row[name]}) already exists."
            raise Answer("409 Conflict", {"code": "23505", "details": details, "hint": None, "message": message})
        if "title" in row and row["title"] is None:
            message = 'null value in column "title" of relation "things" violates not-null constraint'
            raise Answer("400 Bad Request", {"code": "23502", "details": "secret row", "message": message})

    def listed(self, rows: list[Row], given: dict[str, str], *, one: bool, count: bool) -> Answer:
        for term in reversed(given.get("order", "").split(",") if "order" in given else []):
            name, way, *nulls = term.split(".")
            first = (nulls or ["nullslast" if way == "asc" else "nullsfirst"])[0] == "nullsfirst"
            rows.sort(
                key=lambda row, n=name, f=first, w=way: self.rank(row[n], (w == "desc") is not f), reverse=way == "desc"
            )  # type: ignore[misc]
        offset, limit = int(given.get("offset", 0)), min(int(given.get("limit", self.max_rows)), self.max_rows)
        part = rows[offset : offset + limit]
        names = given["select"].split(",") if "select" in given else None
        part = [{name: row[name] for name in names or row} for row in part]
        total = str(len(rows)) if count else "*"
        if count and offset > len(rows):
            raise Answer("416 Range Not Satisfiable", {"code": "PGRST103"}, ("Content-Range", f"*/{total}"))
        shown = f"{offset}-{offset + len(part) - 1}" if part else "*"
        status = "206 Partial Content" if count and len(part) < len(rows) else "200 OK"
        kind = "application/vnd.pgrst.object+json" if one else "application/json; charset=utf-8"
        return Answer(status, part[0] if one else part, ("Content-Range", f"{shown}/{total}"), kind=kind)

    def rank(self, value: Any, null_first: bool) -> Any:
        if value is None:
            return (0 if null_first else 2, 0)
        return (
            1,
            collated(value) if isinstance(value, str) and not re.match(r"[\d-]{10}|[0-9a-f-]{36}$", value) else value,
        )

    # Conditions

    def where(self, row: Row, pairs: Pairs) -> bool:
        for name, text in pairs:
            if name == "and":
                if not self.branch(row, f"and{text}"):
                    return False
            elif name not in ("select", "order", "limit", "offset"):
                op, _, value = text.partition(".")
                if self.compare(row, name, [op], value) is not True:
                    return False
        return True

    def branch(self, row: Row, text: str) -> bool | None:
        """A tree as in `and(a.eq.1,or(...))`: true, false, or unknown."""
        found = re.match(r"(not\.)?(and|or)\((.*)\)\Z", text, re.DOTALL)
        if not found:
            name, *rest = text.split(".", 1)
            ops = re.match(r"((?:not\.)?[a-z]+)\.(.*)\Z", rest[0], re.DOTALL)
            assert ops, text
            return self.compare(row, name, ops[1].split("."), unquoted(ops[2]))
        values = [self.branch(row, part) for part in split(found[3])]
        if found[2] == "and":
            known = False if False in values else None if None in values else True
        else:
            known = True if True in values else None if None in values else False
        return (not known if known is not None else None) if found[1] else known

    def compare(self, row: Row, name: str, ops: list[str], given: Any) -> bool | None:
        assert name in row, name
        value, op = row[name], ops[-1]
        if op == "is":
            known: bool | None = value is None
        else:
            known = None if value is None else OPERATIONS[op](value, given)
        return (not known if known is not None else None) if ops[0] == "not" else known


def split(text: str) -> list[str]:
    """The parts between the commas of one level."""
    parts, depth, quoted, start, place = [], 0, False, 0, 0
    while place < len(text):
        character = text[place]
        if quoted and character == "\\":
            place += 1
        elif character == '"':
            quoted = not quoted
        elif not quoted and character in "()":
            depth += 1 if character == "(" else -1
        elif not quoted and depth == 0 and character == ",":
            parts.append(text[start:place])
            start = place + 1
        place += 1
    return [*parts, text[start:]]


def unquoted(text: str) -> Any:
    if text.startswith("("):
        return [unquoted(part) for part in split(text[1:-1])]
    if text.startswith('"'):
        return re.sub(r"\\(.)", r"\1", text[1:-1], flags=re.DOTALL)
    assert not re.search(r'[,()":]', text), f"reserved characters in {text!r}"
    return text


def typed(like: Any, text: str) -> Any:
    """A literal as the column's type."""
    if isinstance(like, bool):
        return text == "true"
    if isinstance(like, int):
        if abs(int(text)) >= 2**31:
            message = f'value "{text}" is out of range for type integer'
            raise Answer("400 Bad Request", {"code": "22003", "details": None, "hint": None, "message": message})
        return int(text)
    return type(like)(text)


def ordering(test: Callable[[Any, Any], bool]) -> Callable[[Any, str], bool]:
    return lambda value, text: test(value, typed(value, text))


def like(value: str, pattern: str) -> bool:
    out, place = "", 0
    pattern = pattern.replace("*", "%")
    while place < len(pattern):
        character = pattern[place]
        if character == "\\":
            place += 1
            out += re.escape(pattern[place])
        else:
            out += {"%": ".*", "_": "."}.get(character, re.escape(character))
        place += 1
    return re.fullmatch(out, value, re.DOTALL) is not None


OPERATIONS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": ordering(lambda a, b: a == b),
    "neq": ordering(lambda a, b: a != b),
    "gt": ordering(lambda a, b: a > b),
    "gte": ordering(lambda a, b: a >= b),
    "lt": ordering(lambda a, b: a < b),
    "lte": ordering(lambda a, b: a <= b),
    "like": like,
    "in": lambda value, given: any(value == typed(value, one) for one in given),
}


# Django REST framework


class DRF(Fake):
    """A ModelViewSet: limit and offset or page numbers, an ordering and a search filter, some exact filters."""

    filters: tuple[str, ...] = ()
    ordering: tuple[str, ...] = ()
    page_size: int | None = None
    most = 25

    def answer(self, environ: dict[str, Any], path: list[str], pairs: Pairs, body: Any) -> None:
        method, given = environ["REQUEST_METHOD"], dict(pairs)
        if not environ["PATH_INFO"].endswith("/"):
            raise Answer("301 Moved Permanently", None, ("Location", environ["PATH_INFO"] + "/"))
        if not path:
            raise self.listed(given, environ) if method == "GET" else self.added(body)
        row = next((row for row in self.rows if str(row[self.key]) == path[0]), None)
        if row is None:
            raise Answer("404 Not Found", {"detail": "Not found."})
        if method == "DELETE":
            self.rows.remove(row)
            raise Answer("204 No Content")
        if method in ("PATCH", "PUT"):
            self.check({**row, **body}, row, whole=body if method == "PUT" else None)
            row.update(body)
        raise Answer("200 OK", row)

    def added(self, body: Any) -> Answer:
        if not isinstance(body, dict):
            text = f"Invalid data. Expected a dictionary, but got {type(body).__name__}."
            return Answer("400 Bad Request", {"non_field_errors": [text]})
        self.check({**dict.fromkeys(self.rows[0] if self.rows else ()), **body}, None)
        row = {**dict.fromkeys(self.rows[0] if self.rows else ()), **body, self.key: self.next_id()}
        self.rows.append(row)
        return Answer("201 Created", row)

    def check(self, row: Row, own: Row | None, whole: Row | None = None) -> None:
        if not row.get("title", "x"):
            raise Answer("400 Bad Request", {"title": ["This field may not be blank."]})
        if whole is not None and "title" in row and "title" not in whole:
            raise Answer("400 Bad Request", {"title": ["This field is required."]})
        name = self.taken({k: v for k, v in row.items() if k != self.key}, own)
        if name:
            raise Answer("400 Bad Request", {name: [f"thing with this {name} already exists."]})

    def listed(self, given: dict[str, str], environ: dict[str, Any]) -> Answer:
        rows = [
            r
            for r in self.rows
            if all(js_text(r[n]) == given[n] and r[n] is not None for n in self.filters if n in given)
        ]
        for term in reversed(given.get("ordering", "").split(",")):
            name = term.removeprefix("-")
            if name in self.ordering:
                rows.sort(
                    key=lambda row, n=name: (row[n] is None, 0 if row[n] is None else row[n]), reverse=term != name
                )  # type: ignore[misc]
        return self.by_page(rows, given, environ) if self.page_size else self.by_offset(rows, given, environ)

    def by_offset(self, rows: list[Row], given: dict[str, str], environ: dict[str, Any]) -> Answer:
        limit = min(int(given.get("limit", self.most)), self.most) or self.most
        offset = int(given.get("offset", 0))
        more = offset + limit < len(rows)
        following = self.link(environ, {**given, "limit": limit, "offset": offset + limit}) if more else None
        body = {"count": len(rows), "next": following, "previous": None, "results": rows[offset : offset + limit]}
        return Answer("200 OK", body)

    def by_page(self, rows: list[Row], given: dict[str, str], environ: dict[str, Any]) -> Answer:
        number, size = int(given.get("page", 1)), self.page_size or 1
        if number > 1 and (number - 1) * size >= len(rows):
            return Answer("404 Not Found", {"detail": "Invalid page."})
        following = self.link(environ, {**given, "page": number + 1}) if number * size < len(rows) else None
        part = rows[(number - 1) * size : number * size]
        return Answer("200 OK", {"count": len(rows), "next": following, "previous": None, "results": part})

    def link(self, environ: dict[str, Any], given: dict[str, Any]) -> str:
        query = "&".join(f"{name}={quote(str(value))}" for name, value in given.items())
        return f"http://{environ['HTTP_HOST']}{environ['PATH_INFO']}?{query}"
