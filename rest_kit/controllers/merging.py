"""What becomes of a stored record under a PUT or a PATCH: merged, validated, its fixed members held fast.

A client may send an object back as it has read it: the key, read-only fields and `resource_uri` are accepted
unchanged and refused changed. Every fault is found before any is raised.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from rest_kit.controllers.presenter import Presenter
from rest_kit.errors import Conflict, Fault, ValidationError
from rest_kit.models import Model
from rest_kit.models.files import file_fields
from rest_kit.patches import json_equal, json_patch, merge_patch
from rest_kit.types import MISSING, Record

Change = Callable[[dict[str, Any]], dict[str, Any]]
"""From an item as it is shown to the members that change."""


class Merging:
    """Makes, for one resource, the record to be stored of the one that is stored and of what a client sent."""

    def __init__(self, model: Model, presenter: Presenter) -> None:
        self.model = model
        self.presenter = presenter
        self.pk = presenter.pk
        self.kept = tuple(name for name in model.names if name not in model.writable)
        """What clients never set."""
        known = [name for name in self.kept if name not in model.concealed]
        self.fixed = tuple(dict.fromkeys([self.pk, *known, "resource_uri"]))
        """What can be sent back, but not changed."""
        self.stamps = frozenset(field.name for field in model.fields if field.auto_now)
        """Those of them that show when the object was last written."""
        self.reserved: frozenset[str] = frozenset()
        """Words that stand for something else where a primary key would stand."""
        self.files = tuple(file_fields(model.fields))

    def replacement(self, data: dict[str, Any], current: Record, uri: str) -> Record:
        """The record that a whole object makes of the current one.

        What clients cannot set stays as it is; so do write-only fields and files that are absent.
        """
        shown = self._shown(current, uri)
        given, faults = self._without_fixed(data, shown)
        self._keep_files(given, shown, current)
        unsent = [*self.presenter.hidden, *self.files]
        unseen = [name for name in unsent if name in self.model.writable and name not in given]
        for name in [*unseen, *([self.pk] if self.pk in self.model.writable else [])]:
            given[name] = self._as_sent(name, current[name])
        record = self._load(given, faults, partial=False)
        for name in self.kept:
            record[name] = current[name]
        return self._finished(record)

    def patched(self, change: Change, current: Record, uri: str) -> Record:
        """The record that a change makes of the current one; only what changes is validated anew."""
        shown = self._shown(current, uri)
        given, faults = self._without_fixed(change(shown), shown)
        self._keep_files(given, shown, current)
        return self._finished({**current, **self._load(given, faults, partial=True)})

    def assigned(self, values: Mapping[str, Any], current: Record) -> Record:
        """The record that values set by the server's own code make of the current one; read-only fields may change."""
        return self._finished({**current, **self.model.assign(values, current)})

    def settle(self, record: Record, was: Record, before: Record | None = None) -> None:
        """Validate, in place, what a hook has made of a record that was fine (ValidationError).

        What it has put back is as it is stored in `before`, and fine as well.
        """
        changed = differing(record, was)
        if before is not None:
            changed = {name: changed[name] for name in differing(record, before) if name in changed}
        record.update(self.model.assign(changed, was))
        self.model.check(record)

    def refuse_reserved(self, record: Record) -> None:
        """Refuse a new key that no address could lead to (ValidationError)."""
        pk = self.pk
        if str(record.get(pk)) in self.reserved:
            raise ValidationError(Fault("reserved", f"{record[pk]!r} stands for something else in URLs", (pk,)))

    def _shown(self, current: Record, uri: str) -> dict[str, Any]:
        """The object as a client has read it."""
        return {**self.presenter.shown(current, uri), "resource_uri": uri}

    def _as_sent(self, name: str, value: Any) -> Any:
        """A stored value as a client would send it to leave it as it is."""
        return None if value is None else self.model.by_name[name].as_sent(value)

    def _keep_files(self, given: dict[str, Any], shown: dict[str, Any], current: Record) -> None:
        """Take what comes back of a file as it was shown for the file itself."""
        for name in self.files:
            if isinstance(given.get(name), dict) and unchanged(given[name], shown.get(name)):
                given[name] = self._as_sent(name, current[name])

    def _without_fixed(self, data: dict[str, Any], shown: dict[str, Any]) -> tuple[dict[str, Any], list[Fault]]:
        """What was sent, less what may only come back as it was read, and what is wrong with that (Conflict)."""
        given, faults = dict(data), []
        for name in self.fixed:
            if name not in given or unchanged(given.pop(name), shown.get(name, MISSING)):
                continue
            if name in self.stamps:
                text = f"{name} shows that the object has changed since it was read"
                raise Conflict(text, code="stale", fields=(name,))
            faults.append(Fault("read_only", "may not be changed", (name,)))
        return given, faults

    def _load(self, given: dict[str, Any], faults: list[Fault], *, partial: bool) -> Record:
        """The model's reading of what was sent, its faults added to those found already (ValidationError)."""
        try:
            record = self.model.load(given, partial=partial)
        except ValidationError as exc:
            raise ValidationError([*faults, *exc.faults]) from exc
        if faults:
            raise ValidationError(faults)
        return record

    def _finished(self, record: Record) -> Record:
        """The record ready to be stored: automatic fields set, the rules over the whole object checked."""
        self.model.touch(record)
        self.model.check(record)
        return record


def differing(record: Mapping[str, Any], was: Record) -> Record:
    """The values that are not what they were, in their types too; None for those that are no longer there."""
    gone = {name: None for name in was if name not in record}
    return gone | {name: value for name, value in record.items() if name not in was or _differ(value, was[name])}


def _differ(value: Any, was: Any) -> bool:
    return type(value) is not type(was) or bool(value != was)


def unchanged(sent: Any, shown: Any) -> bool:
    """Whether a member comes back as it was shown: the same JSON value, and 1.0 is not 1."""
    return json_equal(sent, shown) and not (isinstance(shown, int) and not isinstance(sent, int))


def by_merge_patch(patch: dict[str, Any]) -> Change:
    """The change that a merge patch asks for."""

    def change(shown: dict[str, Any]) -> dict[str, Any]:
        return {
            name: merge_patch(shown.get(name), value) if isinstance(value, dict) else value
            for name, value in patch.items()
        }

    return change


def by_json_patch(operations: Any) -> Change:
    """The change that a JSON Patch asks for (MalformedBody, Conflict and ValidationError when it is applied)."""
    return lambda shown: _changed_members(shown, json_patch(shown, operations))


def _changed_members(shown: Mapping[str, Any], patched: Any) -> dict[str, Any]:
    """The members that differ after a JSON patch; one that was removed becomes null."""
    if not isinstance(patched, dict):
        raise ValidationError(Fault("type", "the patch leaves no object"))
    changes: dict[str, Any] = {name: None for name in shown if name not in patched}
    for name, value in patched.items():
        if name not in shown or not json_equal(value, shown[name]):
            changes[name] = value
    return changes
