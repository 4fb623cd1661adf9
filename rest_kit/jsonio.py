"""JSON in, strictly, and out, fast.

A body is decoded by msgspec wherever a count of quotation marks proves that no name was given twice; any doubt sends
it down the careful path, which knows what to say. Both agree on what is refused: names given twice, NaN and
Infinity, NUL and lone surrogates, bad UTF-8, a byte order mark, deep nesting, numbers without bounds, trailing data.
"""

from __future__ import annotations

import decimal
import json
import math
import re
from collections.abc import Callable
from decimal import Decimal
from itertools import chain
from typing import Any, Final, NoReturn

import msgspec

from rest_kit.errors import Fault, MalformedBody

MAX_DEPTH: Final = 64
"""How many arrays and objects may lie within one another."""
MAX_DIGITS: Final = 400
"""How many digits an integer may have."""

_DECODE: Final = msgspec.json.Decoder().decode
_DECODE_EXACT: Final = msgspec.json.Decoder(float_hook=Decimal).decode
_INTEGER_BOUND: Final = 10**MAX_DIGITS
_MSGSPEC_REFUSES = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, decimal.InvalidOperation)


def loads(body: bytes, *, exact: bool = False) -> Any:
    """The value of a JSON document; `exact` makes numbers with a point or an exponent Decimals (MalformedBody)."""
    # PERF: decoding a posted book
    if b"\\u" in body:  # which alone can write a NUL or a lone surrogate
        return careful_loads(body, exact=exact)
    try:
        value = _DECODE_EXACT(body) if exact else _DECODE(body)
    except _MSGSPEC_REFUSES:
        return careful_loads(body, exact=exact)
    # One object without lists, too short for a number without bounds: its strings are all at hand. An object within
    # would hold quotation marks that are not counted here, or nothing.
    if type(value) is dict and len(body) <= MAX_DIGITS and b"[" not in body:
        strings = len(value) + list(map(type, value.values())).count(str)
        if body.count(b'"') == 2 * strings:
            return value
    return value if _nothing_twice(body, value) else careful_loads(body, exact=exact)


def _nothing_twice(body: bytes, value: Any) -> bool:
    """Whether every string of the body is still there, so that no name was given twice; depth and integers are bounded.

    A name that was given twice has lost at least its own two quotation marks; an escaped one only adds to the count.
    """
    strings = 0
    level: list[Any] = [value]
    for _ in range(MAX_DEPTH + 1):
        types = list(map(type, level))
        strings += types.count(str)
        dicts = [one for one in level if type(one) is dict] if dict in types else []
        strings += sum(map(len, dicts))
        if len(body) > MAX_DIGITS and not _are_bounded(level):
            return False
        inner = [*map(dict.values, dicts), *(one for one in level if type(one) is list)]
        if not inner:
            return body.count(b'"') == 2 * strings
        level = list(chain.from_iterable(inner))
    return False


def _are_bounded(values: list[Any]) -> bool:
    """Whether the integers among the values have no more digits than is allowed."""
    return all(-_INTEGER_BOUND < one < _INTEGER_BOUND for one in values if type(one) is int)


def careful_loads(body: bytes, *, exact: bool = False) -> Any:
    """What `loads` does, slower, and with a sentence for everything that is wrong (MalformedBody)."""
    text = _decoded(body)
    _check_depth(text)
    try:
        value = (_CAREFUL_EXACT if exact else _CAREFUL).decode(text)
    except json.JSONDecodeError as exc:
        where = f"line {exc.lineno}, column {exc.colno}"
        raise _malformed(f"the body is not JSON: {exc.msg.lower()} at {where}") from exc
    if "\\" in text:
        _check_strings(value)
    return value


def _malformed(detail: str) -> MalformedBody:
    return MalformedBody(Fault("json", detail))


def _decoded(body: bytes) -> str:
    if not body.strip(b" \t\r\n"):
        raise _malformed("the body is empty")
    if body.startswith(b"\xef\xbb\xbf"):
        raise _malformed("the body begins with a byte order mark")
    try:
        return body.decode()
    except UnicodeDecodeError as exc:
        raise _malformed(f"the body is not UTF-8: byte {exc.start} cannot be read") from exc


# Possessive, and satisfied with a string that never ends, so that no body makes it look at a character twice.
_TOKEN: Final = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[\[{]|[\]}]', re.DOTALL)


def _check_depth(text: str) -> None:
    """Refuse deep nesting before anything recursive sees it."""
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return
    depth = 0
    for token in _TOKEN.finditer(text):
        character = text[token.start()]
        if character in "[{":
            depth += 1
            if depth > MAX_DEPTH:
                raise _malformed(f"the body nests deeper than {MAX_DEPTH} levels, at character {token.start()}")
        elif character in "]}":
            depth -= 1


def _check_strings(value: Any) -> None:
    """Refuse a NUL or a lone surrogate in any string or name."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            _check_string(one)
        elif isinstance(one, dict):
            waiting.extend(one)
            waiting.extend(one.values())
        elif isinstance(one, list):
            waiting.extend(one)


def _check_string(text: str) -> None:
    if "\0" in text:
        raise _malformed("a string in the body holds the character NUL")
    try:
        text.encode()
    except UnicodeEncodeError as exc:
        raise _malformed("a string in the body holds a lone surrogate") from exc


def _unique_names(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    seen: set[str] = set()
    for name, _ in pairs:
        if name in seen:
            raise _malformed(f"the name {name[:100]!a} is given twice in one object")
        seen.add(name)
    return found


def _bounded_integer(text: str) -> int:
    if len(text) > MAX_DIGITS + 1 or len(text.lstrip("-")) > MAX_DIGITS:
        raise _malformed(f"a number in the body has more than {MAX_DIGITS} digits")
    return int(text)


def _finite_float(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise _malformed(f"the number {text[:40]} in the body is beyond the range of a double")
    return number


def _exact_number(text: str) -> Decimal:
    try:
        return Decimal(text)
    except decimal.InvalidOperation as exc:
        raise _malformed(f"the number {text[:40]} in the body is beyond bounds") from exc


def _no_constant(text: str) -> NoReturn:
    raise _malformed(f"the body is not JSON: {text} is not a number of JSON")


def _careful(number: Callable[[str], Any]) -> json.JSONDecoder:
    return json.JSONDecoder(
        object_pairs_hook=_unique_names, parse_int=_bounded_integer, parse_float=number, parse_constant=_no_constant
    )


_CAREFUL: Final = _careful(_finite_float)
_CAREFUL_EXACT: Final = _careful(_exact_number)


def _refuse_type(value: object) -> NoReturn:
    raise TypeError(f"a value of type {type(value).__qualname__} cannot be written as JSON")


encode: Final[Callable[[Any], bytes]] = msgspec.json.Encoder(enc_hook=_refuse_type).encode
"""A value as JSON, with dates, aware datetimes (`Z`), UUIDs and Decimals (as strings) written directly.

Floats that are not finite would become null, and small Decimals get an exponent: models let neither through.
TypeError names the type of what JSON does not know.
"""


def dumps(value: Any) -> bytes:
    """A value as a JSON document (see `encode`)."""
    return encode(value)
