"""What `rest-kit serve` says when it is ready: every URL, and what to expect behind it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import rest_kit
from rest_kit.errors import StoreCorrupt, StoreUnavailable
from rest_kit.query import Page, Query

if TYPE_CHECKING:
    from rest_kit.cli.sources import Served
    from rest_kit.controllers import Controller


def announcement(served: Served, host: str, port: int) -> str:
    """The text, several lines; counting the rows may read the data (StoreCorrupt)."""
    base = f"http://{'localhost' if host in ('0.0.0.0', '::') else f'[{host}]' if ':' in host else host}:{port}"
    return "\n".join(_lines(served, base))


def _lines(served: Served, base: str) -> Iterator[str]:
    yield f"rest_kit {rest_kit.__version__} is serving at {base}/  (Ctrl-C ends it)"
    yield ""
    for controller in served.controllers:
        yield f"  {base}{controller.mount}"
        yield from (f"      {line}" for line in _told(controller))
    if served.controllers:
        first = served.controllers[0]
        yield ""
        yield f"  {base}/schema/{first.spec.name}/   fields, filters and verbs, for each resource"
        yield f"  {base}/healthz   {base}/readyz"
    if any(controller.store.capabilities.in_process for controller in served.controllers):
        yield ""
        yield "  one worker with threads: a list lives in one process, several would each have their own"
    for note in served.notes:
        yield f"  {note}"


def _told(controller: Controller) -> list[str]:
    """What to expect behind a URL, or why that is not known yet."""
    try:
        able = controller.store.capabilities
        limits = [f"read-only: {able.why_not}"] if not able.writable and able.why_not else []
        return [_summary(controller), *limits]
    except StoreCorrupt:
        raise
    except StoreUnavailable as exc:
        return [f"cannot be read at the moment: {exc}"]


def _summary(controller: Controller) -> str:
    served = controller.prepare()
    pk = served.presenter.pk  # alone, as a row that cannot be read keeps nobody from being told of the others
    total = controller.store.find(Query(fields=(pk,), page=Page(0), total=True)).total
    verbs = [verb for verb in served.list_allow if verb not in ("HEAD", "OPTIONS")]
    items = [verb for verb in served.item_allow if verb not in ("HEAD", "OPTIONS")]
    return f"{total} rows, key {pk}; list: {' '.join(verbs)}; item: {' '.join(items)}"
