"""Which dialect an API speaks, told from one reply of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from datastores.remote.client import Client, Request, json_of
from datastores.remote.infer import schema_of
from datastores.remote.store import RemoteDataStore
from datastores.remote.transport import Reply
from rest_kit.errors import RemoteError


def detect(url: str, options: Mapping[str, Any]) -> str | None:
    """The name of the dialect of a collection; None where its reply tells none (ConfigurationError, RemoteError)."""
    store = RemoteDataStore({"url": url, "dialect": "rest_kit"}, options)
    try:
        return _of_client(store._client())
    finally:
        store.close()


def _of_client(client: Client) -> str | None:
    request = Request("GET", client.address.collection([]))
    reply = client.call(request, client.deadline())
    if reply.status >= 400:
        raise RemoteError(f"the API answers {reply.status}")
    body = json_of(request, reply)
    if isinstance(body, list):
        return _of_array(client, reply)
    if not isinstance(body, dict):
        return None
    return next((name for name, members in _ENVELOPES.items() if members <= body.keys()), None)


_ENVELOPES = {"rest_kit": {"object_list", "meta"}, "drf": {"results", "count", "next"}}


def _of_array(client: Client, reply: Reply) -> str | None:
    """The dialect of an API that answers with a bare array: its headers tell, or that it describes itself."""
    if "content-range" in reply.headers:
        return "postgrest"
    if reply.headers.get("x-powered-by") == "Express":
        return "json-server"
    return "rest_kit" if schema_of(client) is not None else None
