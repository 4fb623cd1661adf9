"""Two ways to say what changes in a JSON document: JSON Merge Patch (RFC 7396) and JSON Patch (RFC 6902).

Both work on copies, compare as JSON does (true is not 1), and a JSON Patch may not make the document grow without
bound by copying it into itself.
"""

from __future__ import annotations

import copy
import re
from decimal import Decimal
from typing import Any, Final

from rest_kit.errors import Conflict, Fault, MalformedBody
from rest_kit.jsonio import MAX_DEPTH

MAX_OPERATIONS: Final = 1000
MAX_NODES: Final = 100_000

_INDEX: Final = re.compile(r"(0|[1-9][0-9]{0,9})\Z")
_VALUE_OPS: Final = ("add", "replace", "test")
_FROM_OPS: Final = ("move", "copy")


def merge_patch(target: Any, patch: Any) -> Any:
    """The target with the patch merged in: members given replace, null removes, everything else stays."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merge_patch(merged.get(name), value)
    return merged


def json_equal(one: Any, other: Any) -> bool:
    """Whether two JSON values are the same (RFC 6902 §4.6): numbers by value, booleans never equal to numbers."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict):
        return (
            isinstance(other, dict)
            and one.keys() == other.keys()
            and all(json_equal(value, other[name]) for name, value in one.items())
        )
    if isinstance(one, list):
        return isinstance(other, list) and len(one) == len(other) and all(map(json_equal, one, other))
    # a number that was parsed with all its digits equals the double that it stands for
    if isinstance(one, Decimal) and isinstance(other, float):
        one = float(one)
    elif isinstance(one, float) and isinstance(other, Decimal):
        other = float(other)
    return bool(one == other)


def json_patch(document: Any, operations: Any) -> Any:
    """The document after all the operations, or none of them.

    MalformedBody where the patch is no patch; Conflict where it does not apply (a missing path, a test that fails).
    """
    _check_form(operations)
    document = copy.deepcopy(document)
    budget = MAX_NODES
    for place, operation in enumerate(operations):
        op, path = operation["op"], _parts(operation["path"])
        if op in _FROM_OPS:
            source = _parts(operation["from"])
            value = copy.deepcopy(_find(document, source, place))
            budget -= _size(value, len(path), place)
            if budget < 0:
                raise MalformedBody(Fault("json_patch", "the patch copies too much", (place,)))
            if op == "move":
                if path[: len(source)] == source and path != source:
                    raise _inapplicable("a value cannot be moved into itself", place)
                document = _remove(document, source, place)
            document = _add(document, path, value, place)
        elif op == "remove":
            document = _remove(document, path, place)
        elif op == "test":
            if not json_equal(_find(document, path, place), operation["value"]):
                raise _inapplicable("the test does not hold", place)
        else:
            if op == "replace":
                document = _remove(document, path, place) if path else None
            _size(operation["value"], len(path), place)
            document = _add(document, path, copy.deepcopy(operation["value"]), place)
    return document


def _check_form(operations: Any) -> None:
    """Every operation has the members that its kind needs (RFC 6902 §4); all that is wrong is said at once."""
    if not isinstance(operations, list):
        raise MalformedBody(Fault("json_patch", "a JSON Patch is an array of operations"))
    if len(operations) > MAX_OPERATIONS:
        raise MalformedBody(Fault("json_patch", f"a JSON Patch may have at most {MAX_OPERATIONS} operations"))
    faults = [Fault("json_patch", text, (n,)) for n, one in enumerate(operations) if (text := _malformed(one))]
    if faults:
        raise MalformedBody(faults)


def _malformed(operation: Any) -> str | None:
    """What is wrong with the form of one operation."""
    if not isinstance(operation, dict):
        return "an operation is an object"
    op = operation.get("op")
    if op not in (*_VALUE_OPS, *_FROM_OPS, "remove"):
        return "op must be add, remove, replace, move, copy or test"
    for member in ("path", "from") if op in _FROM_OPS else ("path",):
        pointer = operation.get(member)
        if not isinstance(pointer, str) or (pointer and not pointer.startswith("/")) or re.search("~(?![01])", pointer):
            return f"{member} must be a JSON Pointer"
    if op in _VALUE_OPS and "value" not in operation:
        return f"{op} needs a value"
    return None


def _parts(pointer: str) -> list[str]:
    """The reference tokens of a JSON Pointer (RFC 6901)."""
    return [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]


def _inapplicable(text: str, place: int) -> Conflict:
    return Conflict(f"operation {place} of the patch does not apply: {text}", code="json_patch")


def _position(array: list[Any], part: str, place: int, *, inserting: bool = False) -> int:
    if inserting and part == "-":
        return len(array)
    position = int(part) if _INDEX.match(part) else -1
    if not 0 <= position < len(array) + inserting:
        raise _inapplicable(f"there is no position {part!r}", place)
    return position


def _find(document: Any, path: list[str], place: int) -> Any:
    for part in path:
        if isinstance(document, dict) and part in document:
            document = document[part]
        elif isinstance(document, list):
            document = document[_position(document, part, place)]
        else:
            raise _inapplicable(f"there is no member {part!r}", place)
    return document


def _add(document: Any, path: list[str], value: Any, place: int) -> Any:
    if not path:
        return value
    parent = _find(document, path[:-1], place)
    if isinstance(parent, dict):
        parent[path[-1]] = value
    elif isinstance(parent, list):
        parent.insert(_position(parent, path[-1], place, inserting=True), value)
    else:
        raise _inapplicable("the parent is neither an object nor an array", place)
    return document


def _remove(document: Any, path: list[str], place: int) -> Any:
    if not path:
        raise _inapplicable("the whole document cannot be removed", place)
    _find(document, path, place)
    parent = _find(document, path[:-1], place)
    if isinstance(parent, dict):
        del parent[path[-1]]
    else:
        del parent[_position(parent, path[-1], place)]
    return document


def _size(value: Any, depth: int, place: int) -> int:
    """How many values a JSON value is made of; refused where it would nest too deeply at that depth."""
    size, level = 0, [value]
    while level:
        if depth > MAX_DEPTH:
            raise MalformedBody(Fault("json_patch", f"the document would nest beyond {MAX_DEPTH}", (place,)))
        size += len(level)
        level = [child for one in level if isinstance(one, (dict, list)) for child in _children(one)]
        depth += 1
    return size


def _children(value: dict[str, Any] | list[Any]) -> list[Any]:
    return list(value.values()) if isinstance(value, dict) else value
