"""Custom actions as they are declared: methods of a controller with an address of their own below the resource.

    @action(detail=True, methods=["POST"])
    def complete(self, request, pk):             # POST /tasks/7/complete/
        ...

The decorator notes on the function what is asked for. They are gathered when the controller's class is made, together
with whatever is wrong with them; `acting` serves them.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, TypeVar

import msgspec

from rest_kit.policies import Policies, read_policies
from rest_kit.request import ITEM_ACTIONS, LIST_ACTIONS
from rest_kit.routes import call_problems, in_capitals, method_problems, size_problems
from rest_kit.spec import RESERVED_KEYS, is_segment

FunctionT = TypeVar("FunctionT", bound=Callable[..., Any])

_MARK: Final = "_rest_kit_action"
_TAKEN: Final = frozenset({*LIST_ACTIONS.values(), *ITEM_ACTIONS.values()})
"""What requests without an action are called, by permissions and throttles."""
_ATTRIBUTES: Final = frozenset(
    (
        *("access", "background", "full_name", "hooks", "idempotency", "keys", "mount", "spec", "storage", "store"),
        *("_accesses", "_for_now", "_graph", "_reserved", "_served"),
    )
)
"""What every controller has beside its class's own attributes; a test compares them with those of a real one."""


class Action(msgspec.Struct, frozen=True):
    """One action as it was declared, for the method `attribute` of a controller; `name` is its segment of the URL.

    `problems` tells what is wrong with the declaration.
    """

    attribute: str
    name: str
    detail: bool
    methods: tuple[str, ...]
    policies: Policies
    max_body: int | None
    description: str
    problems: tuple[str, ...] = ()


def action(
    *,
    detail: bool,
    methods: Sequence[str] = ("GET",),
    name: str | None = None,
    authentication: Any = None,
    permissions: Any = None,
    throttle: Any = None,
    max_body: int | None = None,
) -> Callable[[FunctionT], FunctionT]:
    """Serve a controller's method at `/<resource>/<pk>/<name>/`, or without `detail` at `/<resource>/<name>/`.

    The method takes the request, with `detail` the primary key too, and returns what is to be shown; it may be
    `async`. `methods`: which verbs it answers (in any case; HEAD comes with GET). `name`: the segment of the URL, the
    method's own name if left out. `authentication`, `permissions`, `throttle`: policies in place of the controller's.
    `max_body`: how many bytes a body may have. What is wrong is told when the class is made (ConfigurationError).
    """
    given = {"authentication": authentication, "permissions": permissions, "throttle": throttle}

    def mark(function: FunctionT) -> FunctionT:
        attribute = getattr(function, "__name__", repr(function))
        owner = f"@action {attribute}"
        policies, problems = read_policies(given, owner)
        verbs = in_capitals(methods)
        problems += method_problems(verbs, owner) + _name_problems(attribute if name is None else name, owner)
        if not isinstance(detail, bool):
            problems.append(f"{owner} detail must be True, for one object, or False, for the list, not {detail!r}")
        if max_body is not None:
            problems += size_problems(max_body, owner)
        declared = Action(
            attribute=attribute,
            name=attribute if name is None else name,
            detail=detail,
            methods=tuple(verbs) if isinstance(verbs, list) else (),
            policies=policies,
            max_body=max_body,
            description=inspect.getdoc(function) or "",
            problems=tuple(problems),
        )
        setattr(function, _MARK, declared)
        return function

    return mark


def _name_problems(name: Any, owner: str) -> list[str]:
    if not isinstance(name, str) or not is_segment(name) or not name[0].isalpha():
        return [f"{owner} name must be a letter, and more letters, digits or - . _ ~ behind it, not {name!r}"]
    if name in RESERVED_KEYS:
        return [f"{owner} name {name!r} stands for something else in URLs"]
    return []


def actions_of(cls: type, base: type) -> tuple[dict[str, Action], list[str]]:
    """By method, the actions of a controller class, inherited ones included, and what is wrong with them.

    A method that takes the place of an inherited action is that action, unless it is decorated anew; None in its place
    removes it.
    """
    found = dict(_gathered(cls, base))
    problems = [problem for declared in found.values() for problem in _problems(cls, base, declared)]
    return found, problems + _twice(found.values())


def _gathered(cls: type, base: type) -> Mapping[str, Action]:
    found: dict[str, Action] = {}
    for parent in reversed([one for one in cls.__mro__ if one not in base.__mro__]):
        for attribute, value in vars(parent).items():
            declared = getattr(getattr(value, "__func__", value), "__dict__", {}).get(_MARK)
            if isinstance(declared, Action):
                found[attribute] = msgspec.structs.replace(declared, attribute=attribute)
            elif attribute in found:
                _overridden(found, attribute, value)
    return found


def _overridden(found: dict[str, Action], attribute: str, value: Any) -> None:
    """Something that is not decorated stands in the place of an action."""
    if not inspect.isfunction(value):
        del found[attribute]
    elif value.__doc__:
        found[attribute] = msgspec.structs.replace(found[attribute], description=inspect.getdoc(value) or "")


def _problems(cls: type, base: type, declared: Action) -> list[str]:
    """What is wrong with one action of a class."""
    attribute = declared.attribute
    problems = list(declared.problems)
    if hasattr(base, attribute) or attribute in _ATTRIBUTES:
        problems.append(f"@action {attribute}: every controller has an attribute of this name; choose another")
    if attribute in _TAKEN:
        problems.append(f"@action {attribute}: requests without an action are called so; choose another")
    function = inspect.getattr_static(cls, attribute)
    parameters = ("self", "request", "pk") if declared.detail else ("self", "request")
    if not inspect.isfunction(function):
        return [*problems, f"@action {attribute} must be a plain method that takes ({', '.join(parameters)})"]
    return problems + call_problems(function, f"@action {attribute}", parameters)


def _twice(declared: Iterable[Action]) -> list[str]:
    """A sentence for every address that two actions share."""
    taken: dict[tuple[bool, str], str] = {}
    problems = []
    for one in declared:
        other = taken.setdefault((one.detail, one.name), one.attribute)
        if other != one.attribute:
            problems.append(f"@action {one.attribute} and {other} have one address; give one of them another name")
    return problems
