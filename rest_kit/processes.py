"""What only one process has is no good where several are serving: there, it is refused with what would help."""

from __future__ import annotations

from werkzeug.exceptions import ServiceUnavailable

from rest_kit.request import Request


def refuse_unshared(request: Request, what: str, remedies: str) -> None:
    """Refuse a request where several processes are serving, as far as the server tells (503).

    `what` begins the sentence that is told, as in "logins are kept"; `remedies` end it.
    """
    if request.environ.get("wsgi.multiprocess"):
        raise ServiceUnavailable(f"{what} in one process, and several are serving: {remedies}")
