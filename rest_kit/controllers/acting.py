"""Custom actions as they are served: found below the resource, let in by their policies, their results shown.

An action with policies of its own works on the resource as those let it be seen: `Acting.served` is the controller's
resource made ready, but for its `access`.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from rest_kit.calling import call
from rest_kit.controllers.access import Access
from rest_kit.controllers.actions import Action
from rest_kit.controllers.objects import Item
from rest_kit.controllers.outcomes import reply_of, unserved
from rest_kit.permissions import SAFE_METHODS
from rest_kit.problems import Reply
from rest_kit.request import Request
from rest_kit.store import refuse

if TYPE_CHECKING:
    from rest_kit.controllers.served import Served


class Acting:
    """One action of one controller, made ready to be served; `access` decides who may use it.

    `plain` is the resource as its controller serves it, `served` the same by the policies of the action.
    """

    def __init__(self, declared: Action, served: Served, access: Access | None) -> None:
        self.declared = declared
        self.plain = served
        self.served = seen_through(access, served)
        self.run = getattr(served.owner, declared.attribute)
        self.max_body = served.spec.max_body if declared.max_body is None else declared.max_body
        self.verbs = frozenset([*declared.methods, *(["HEAD"] if "GET" in declared.methods else [])])

    def answer(self, request: Request, *keys: str) -> Reply:
        """Let the method answer, for the key as it stands in the URL where there is one."""
        if request.method not in self.verbs:
            return unserved(request, self.verbs)
        access = self.served.access
        request.action, request.view, request.max_body = self.declared.attribute, self.plain.owner, self.max_body
        if access is not None:
            request.pk = self.plain.key_if_any(keys[0]) if keys else None
            access.enter(request, self.declared.attribute)
        pks = [self.plain.key(key) for key in keys]
        request.pk = pks[0] if pks else None
        served = self.plain.seen_by(request)
        response = served.negotiate(request)

        def show(data: Any) -> tuple[str, bytes]:
            return response.content_type, response.render(shown(data, request, response))

        def reply(result: Any) -> Reply:
            return reply_of(result, request, show, served.presenter.vary)

        run = partial(call, self.run, request, *pks)
        once = served.idempotency
        if once is None or request.method in SAFE_METHODS:
            return reply(run())
        return once.run_once(request, run, self.max_body, shown=reply)


def seen_through(access: Access | None, served: Served) -> Served:
    """A resource as other policies let it be seen (ConfigurationError where they do not fit its model)."""
    if access is served.access:
        return served
    if access is not None:
        refuse(access.check(served.model), type(served.owner).__name__)
    twin = copy.copy(served)
    twin.access = access
    twin.polices = served.polices or access is not None
    return twin


def shown(data: Any, request: Request, response: Any) -> Any:
    """What an action returns, with the objects in it as the resource shows its items."""
    if isinstance(data, Item):
        return data.shown(request, response)
    if isinstance(data, Mapping):
        return {name: shown(value, request, response) for name, value in data.items()}
    if isinstance(data, (list, tuple)):
        return [shown(value, request, response) for value in data]
    return data
