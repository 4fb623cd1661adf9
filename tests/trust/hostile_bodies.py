"""Bodies that must be refused wherever an object is written: by POST, by PUT, and as a merge patch.

The model is the one of every kind of field that the stores' own suite uses; each body is wrong in one way.
"""

from __future__ import annotations

import json
from typing import Any


def holding(name: str, text: str) -> bytes:
    """An object that would be fine but for one member, given as JSON text."""
    members = {"title": '"fine"', name: text}
    return ("{" + ", ".join(f"{json.dumps(key)}: {value}" for key, value in members.items()) + "}").encode()


NOT_JSON: dict[str, bytes] = {
    "empty": b"",
    "blank": b" \r\n\t",
    "open brace": b"{",
    "close brace": b"}",
    "cut short": b'{"title": "a',
    "cut in an escape": b'{"title": "\\u12',
    "bare word": b"title",
    "nul": b"nul",
    "nan": b"NaN",
    "infinity": b"-Infinity",
    "nan as title": holding("title", "NaN"),
    "infinity in a float": holding("float", "Infinity"),
    "infinity in a dict": holding("dict", '{"a": -Infinity}'),
    "single quotes": b"{'title': 'a'}",
    "comment": b'{"title": "a"} // really',
    "trailing comma": b'{"title": "a",}',
    "trailing text": b'{"title": "a"} x',
    "two documents": b'{"title": "a"}{"title": "b"}',
    "form": b"title=a&integer=1",
    "xml": b"<title>a</title>",
    "leading zero": holding("integer", "01"),
    "plus sign": holding("integer", "+1"),
    "hexadecimal": holding("integer", "0x10"),
    "no digit before the point": holding("float", ".5"),
    "no digit behind the point": holding("float", "1."),
    "raw NUL": b'{"title": "a\x00b"}',
    "raw newline": b'{"title": "a\nb"}',
    "raw escape": b'{"title": "a\x1bb"}',
    "escaped NUL": b'{"title": "a\\u0000b"}',
    "escaped NUL in a name": b'{"title": "a", "dict": {"\\u0000": 1}}',
    "high surrogate": b'{"title": "\\ud800"}',
    "low surrogate": b'{"title": "\\udc00"}',
    "surrogates the wrong way round": b'{"title": "\\udc00\\ud800"}',
    "surrogate in a name": b'{"title": "a", "\\ud800": 1}',
    "surrogate deep inside": b'{"title": "a", "dict": {"a": [{"b": "\\udfff"}]}}',
    "surrogate as bytes": b'{"title": "\xed\xa0\x80"}',
    "not UTF-8": b'{"title": "\xff"}',
    "overlong UTF-8": b'{"title": "\xc0\xaf"}',
    "cut UTF-8": b'{"title": "\xe2\x82"}',
    "beyond Unicode": b'{"title": "\xf4\x90\x80\x80"}',
    "byte order mark": b'\xef\xbb\xbf{"title": "a"}',
    "UTF-16": '{"title": "a"}'.encode("utf-16"),
    "UTF-32": '{"title": "a"}'.encode("utf-32-le"),
    "name twice": b'{"title": "a", "title": "b"}',
    "name twice, alike": b'{"title": "a", "title": "a"}',
    "name twice, escaped": b'{"title": "a", "t\\u0069tle": "b"}',
    "name twice, deep inside": b'{"title": "a", "dict": {"b": {"c": 1, "c": 2}}}',
    "name twice, in a list": b'{"title": "a", "list": [{"b": 1, "b": 1}]}',
    "deep list": b"[" * 100_000,
    "deep list, closed": b"[" * 100_000 + b"]" * 100_000,
    "deep objects": b'{"a":' * 50_000,
    "deep objects, closed": b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
    "deep in a list field": holding("list", "[" * 70 + "]" * 70),
    "deep in a dict field": holding("dict", '{"a":' * 65 + "1" + "}" * 65),
    "brackets in a string, then deep": holding("list", '["]]]]", ' + "[" * 70 + "]" * 70 + "]"),
    "endless integer": holding("integer", "9" * 5000),
    "endless integer in a dict": holding("dict", '{"a": ' + "9" * 5000 + "}"),
    "endless integer in a list": holding("list", "[" + "9" * 100_000 + "]"),
}

NO_OBJECT: dict[str, bytes] = {
    "null": b"null",
    "true": b"true",
    "number": b"1",
    "text": b'"title"',
    "list of null": b"[null]",
    "list of numbers": b"[1]",
    "list of lists": b"[[]]",
    "list of texts": b'["title"]',
}

MISFITS: dict[str, tuple[str, ...]] = {
    "title": ("null", "1", "true", "[]", "{}", '["a"]', json.dumps("x" * 201), json.dumps("😀" * 201)),
    "text": ("1", "false", "[]", "{}", json.dumps("x" * 201)),
    "long": ("1", "0.5", "[null]"),
    "integer": (
        *(
            '"5"',
            '"٣"',
            '""',
            "true",
            "false",
            "1.0",
            "1.5",
            "1e2",
            "-0.0",
            "1e400",
            "-1e400",
            "1e999999999",
            "[]",
            "{}",
        ),
        *(str(2**63), str(-(2**63) - 1), "1" + "0" * 390, "[1]"),
    ),
    "float": ('"1.5"', '"nan"', "true", "1e309", "-1e309", "1e400", "1e999999999", "9" * 390, "[]", "{}"),
    "decimal": (
        *(
            '"NaN"',
            '"sNaN"',
            '"Infinity"',
            '"-Infinity"',
            '""',
            '" "',
            '"1,5"',
            '"٣"',
            '"0x1"',
            '"1_000"',
            "true",
            "[]",
        ),
        *("12345678901.00", '"12345678901"', "1.234", '"1.234"', "1e400", "1e999999999", "1e-999999999", "9" * 390),
        *('"1e999999999"', '"1e-999999999"', '"' + "9" * 5000 + '"'),
    ),
    "boolean": ("0", "1", '"true"', '""', "[]", "1.0"),
    "date": (
        *('"2020-02-30"', '"2020-1-1"', '"20200101"', '"2020-W01-1"', '"0000-01-01"', '"10000-01-01"', '""', '"today"'),
        *('"２０２０-01-01"', '"2020-01-01T00:00:00Z"', '" 2020-01-01"', "20200101", "0", "[]"),
    ),
    "moment": (
        *('"2020-01-01"', '"2020-13-01T00:00:00Z"', '"2020-02-30T00:00:00Z"', '"2020-01-01T25:00:00Z"', '""', '"now"'),
        *('"0001-01-01T00:00:00+23:59"', '"9999-12-31T23:59:59-23:59"', '"2020-01-01T00:00:00+99:99"', "0", "1e9"),
        *('"２０２０-01-01T00:00:00Z"', '"2020-01-01T00:00:00 Z "', "[]"),
    ),
    "uuid": ('"x"', '""', '"0"', "0", '"12345678-1234-5678-1234-56781234567g"', json.dumps("0" * 33), "[]"),
    "list": ("{}", '"[]"', "1", "true", '["\\ud800"]', '["\\u0000"]', "[1e400]", f"[{2**70}]"),
    "dict": ("[]", '"{}"', "1", "true", '{"a": "\\ud800"}', '{"\\u0000": 1}', '{"a": 1e400}', f'{{"a": {2**70}}}'),
    "unknown": ("1",),
    "Title": ('"a"',),
    "__class__": ('"a"',),
    "title ": ('"a"',),
    "": ('"a"',),
    "id": ("99", "null", '"1"', "true"),
    "resource_uri": ('"/things/99/"', '"http://example.org/"', "null", "1"),
}


def bodies() -> dict[str, bytes]:
    """All of them, by what is wrong."""
    found = {**NOT_JSON, **NO_OBJECT}
    for name, texts in MISFITS.items():
        found |= {f"{name}: {text[:40]}": holding(name, text) for text in texts}
    return found


JSON_PATCHES: dict[str, Any] = {
    "no list": {"op": "remove", "path": "/text"},
    "a number": 1,
    "a list of numbers": [1],
    "an empty operation": [{}],
    "no op": [{"path": "/title", "value": "a"}],
    "no path": [{"op": "add", "value": "a"}],
    "no value": [{"op": "add", "path": "/title"}],
    "unknown op": [{"op": "become", "path": "/title", "value": "a"}],
    "op is null": [{"op": None, "path": "/title", "value": "a"}],
    "op is a list": [{"op": ["add"], "path": "/title", "value": "a"}],
    "path is a number": [{"op": "add", "path": 1, "value": "a"}],
    "path without a slash": [{"op": "replace", "path": "title", "value": "a"}],
    "bad escape": [{"op": "replace", "path": "/ti~2tle", "value": "a"}],
    "nothing there": [{"op": "replace", "path": "/nothing", "value": "a"}],
    "nothing to remove": [{"op": "remove", "path": "/nothing"}],
    "the whole away": [{"op": "remove", "path": ""}],
    "the whole a list": [{"op": "replace", "path": "", "value": []}],
    "the whole null": [{"op": "replace", "path": "", "value": None}],
    "the key": [{"op": "replace", "path": "/id", "value": 99}],
    "the required one away": [{"op": "remove", "path": "/title"}],
    "into a text": [{"op": "add", "path": "/title/0", "value": "a"}],
    "a test that fails": [{"op": "test", "path": "/title", "value": "not this"}],
    "index 00": [{"op": "add", "path": "/list", "value": [1]}, {"op": "replace", "path": "/list/00", "value": 1}],
    "index -1": [{"op": "add", "path": "/list", "value": [1]}, {"op": "replace", "path": "/list/-1", "value": 1}],
    "index -": [{"op": "add", "path": "/list", "value": [1]}, {"op": "remove", "path": "/list/-"}],
    "index 5": [{"op": "add", "path": "/list", "value": [1]}, {"op": "add", "path": "/list/5", "value": 1}],
    "index ٣": [{"op": "add", "path": "/list", "value": [1]}, {"op": "add", "path": "/list/٣", "value": 1}],
    "index huge": [
        {"op": "add", "path": "/list", "value": []},
        {"op": "add", "path": "/list/" + "9" * 5000, "value": 1},
    ],
    "into itself": [
        {"op": "add", "path": "/dict", "value": {"a": {}}},
        {"op": "move", "from": "/dict", "path": "/dict/a"},
    ],
    "from nowhere": [{"op": "copy", "from": "/nothing", "path": "/text"}],
    "no from": [{"op": "move", "path": "/text"}],
    "doubling": [
        {"op": "add", "path": "/list", "value": ["x" * 100]},
        *[{"op": "copy", "from": "/list", "path": "/list/-"}] * 60,
    ],
    "deeper and deeper": [
        {"op": "add", "path": "/dict", "value": {"a": 1}},
        *[{"op": "copy", "from": "/dict", "path": "/dict/b"}] * 100,
    ],
    "a misfit": [{"op": "replace", "path": "/integer", "value": "5"}],
}
"""JSON patches that must not succeed on any item."""
