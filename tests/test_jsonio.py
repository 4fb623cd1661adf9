"""JSON comes in strictly, by the fast path and the careful one alike, and goes out in one spelling."""

from __future__ import annotations

import datetime
import json
import time
import uuid
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rest_kit import jsonio
from rest_kit.errors import MalformedBody


def refusal(body: bytes, *, exact: bool = False) -> str:
    with pytest.raises(MalformedBody) as caught:
        jsonio.loads(body, exact=exact)
    (fault,) = caught.value.faults
    assert (fault.code, fault.path) == ("json", ())
    return fault.detail


@pytest.mark.parametrize(
    ("body", "part"),
    [
        (b"", "empty"),
        (b" \n\t", "empty"),
        (b"\xef\xbb\xbf{}", "byte order mark"),
        (b'{"a": "\xff"}', "UTF-8: byte 7"),
        (b'{"a": "\xed\xa0\x80"}', "UTF-8"),
        (b'{"a": 1, "a": 2}', "'a' is given twice"),
        (b'{"a": 1, "\\u0061": 2}', "'a' is given twice"),
        (b'[{"b": {"a": "x", "a": "x"}}]', "'a' is given twice"),
        (b'{"\xc3\xa9": 1, "\xc3\xa9": 2}', r"'\xe9' is given twice"),
        (b"NaN", "NaN"),
        (b'{"a": Infinity}', "Infinity"),
        (b'{"a": -Infinity}', "Infinity"),
        (b'{"a": "\\u0000"}', "NUL"),
        (b'{"\\u0000": 1}', "NUL"),
        (b'["\\ud800"]', "lone surrogate"),
        (b'{"\\udfff": 1}', "lone surrogate"),
        (b'"\x00"', "control character"),
        (b'"a\nb"', "control character"),
        (b"1 2", "extra data at line 1, column 3"),
        (b'{"a": 1}\n{"b": 2}', "line 2, column 1"),
        (b"{'a': 1}", "line 1, column 2"),
        (b"[1,]", "line 1"),
        (b"01", "line 1"),
        (b"\x0c1", "line 1"),
        (b"1e400", "beyond the range of a double"),
        (b'{"a": [-1e400]}', "beyond the range of a double"),
        (b"9" * 401, "more than 400 digits"),
        (b"[-" + b"9" * 401 + b"]", "more than 400 digits"),
        (b"9" * 6000, "more than 400 digits"),
        (b"[" * 65 + b"]" * 65, "deeper than 64"),
        (b'{"a":' * 65 + b"1" + b"}" * 65, "deeper than 64"),
        (b"[" * 500_000, "deeper than 64"),
    ],
)
def test_refused(body: bytes, part: str) -> None:
    assert part.lower() in refusal(body).lower()


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b"{}", {}),
        (b" [ ] \r\n", []),
        (b'{"a": {}, "b": [], "c": [[]], "d": null}', {"a": {}, "b": [], "c": [[]], "d": None}),
        (b'{"a": "\\u00e9\\n\\"\\\\", "b": "\xc3\xa9"}', {"a": 'é\n"\\', "b": "é"}),
        (b'["\\ud83d\\ude00"]', ["😀"]),
        (b'{"a": "{[{["}', {"a": "{[{["}),
        (b'{"a": {"a": {"a": 1}}}', {"a": {"a": {"a": 1}}}),
        (b"9" * 400, int("9" * 400)),
        (b"[" * 64 + b"]" * 64, json.loads("[" * 64 + "]" * 64)),
        (b'["' + b"[" * 100 + b'"]', ["[" * 100]),
        (b'["\\"' + b"[" * 100 + b'"]', ['"' + "[" * 100]),
        (b"[" + b",".join([b"[{}]"] * 1000) + b"]", [[{}]] * 1000),
    ],
)
def test_accepted(body: bytes, value: Any) -> None:
    assert jsonio.loads(body) == value
    assert jsonio.careful_loads(body) == value


def test_numbers_keep_their_kind() -> None:
    assert list(map(type, jsonio.loads(b"[1, 1.0, 1e2, true]"))) == [int, float, float, bool]
    exact = jsonio.loads(b'{"a": 1, "b": 1.10, "c": 1e2}', exact=True)
    assert list(map(str, exact.values())) == ["1", "1.10", "1E+2"]
    assert list(map(type, exact.values())) == [int, Decimal, Decimal]


def test_exact_numbers_without_bounds_are_refused() -> None:
    assert "beyond bounds" in refusal(b"[1e99999999999999999999999]", exact=True)
    assert jsonio.loads(b"1e400", exact=True) == Decimal("1e400")


def test_hostile_bodies_take_no_longer_than_others() -> None:
    bodies = [b'"' + b'\\"' * 400_000, b"[" * 64 + b'"\\' * 300_000, b'{"a":' * 60 + b"[1," * 200_000]
    started = time.process_time()
    for body in bodies:
        refusal(body)
    assert time.process_time() - started < 2


texts = st.text(max_size=6)
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts
documents = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4), max_leaves=12
)
bodies = (
    documents.map(lambda value: json.dumps(value).encode())
    | documents.map(lambda value: json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass"))
    | st.text(alphabet='{}[]",:\\u0a1.-e \n', max_size=25).map(str.encode)
    | st.binary(max_size=12)
)


def outcome(load: Any, body: bytes, *, exact: bool) -> Any:
    try:
        return repr(load(body, exact=exact))
    except MalformedBody:
        return MalformedBody


@settings(max_examples=400, deadline=None)
@given(bodies, st.booleans())
@example(b'{"a": "x", "a": 1}', False)
@example(b'{"":"\\"","":1}', False)
@example(b'{"a":[],"a":{}}', False)
@example(b"-0", True)
@example(b"[-0.0,1E2,1e-400]", False)
def test_fast_and_careful_agree(body: bytes, exact: bool) -> None:
    assert outcome(jsonio.loads, body, exact=exact) == outcome(jsonio.careful_loads, body, exact=exact)


@settings(max_examples=200, deadline=None)
@given(documents)
def test_what_python_writes_is_read(value: Any) -> None:
    body = json.dumps(value).encode()
    bad = any(mark in body for mark in (b"\\u0000", b"\\ud", b"\\uD"))
    if not bad:
        assert jsonio.loads(body) == value


def test_encode() -> None:
    moment = datetime.datetime(2024, 5, 1, 12, 30, tzinfo=datetime.UTC)
    value = {
        "d": moment.date(),
        "t": moment,
        "u": uuid.UUID(int=1),
        "n": Decimal("1.50"),
        "e": "é",
        "x": [1, 1.5, None],
    }
    assert jsonio.dumps(value) == (
        b'{"d":"2024-05-01","t":"2024-05-01T12:30:00Z","u":"00000000-0000-0000-0000-000000000001",'
        b'"n":"1.50","e":"\xc3\xa9","x":[1,1.5,null]}'
    )


def test_encode_names_the_type_that_json_does_not_know() -> None:
    with pytest.raises(TypeError, match="type complex"):
        jsonio.encode({"a": 1j})
