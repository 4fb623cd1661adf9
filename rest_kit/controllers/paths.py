"""A request's path as segments, percent-decoded one by one where the server still has them encoded."""

from __future__ import annotations

from urllib.parse import unquote_to_bytes

from werkzeug.exceptions import NotFound

from rest_kit.request import Environ


def segments(environ: Environ) -> list[str]:
    """The path's segments without the one slash at either end; an empty one in between shows a `//` (NotFound).

    WSGI servers decode the path before it is split, which makes `%2F` a slash like any other; where the raw target
    is at hand (`RAW_URI`, `REQUEST_URI`) and holds one, that is split first and decoded afterwards. A raw target that
    is not the path, because somebody ahead of us has rewritten one of the two, does not count.
    """
    raw: str | None = environ.get("RAW_URI") or environ.get("REQUEST_URI")
    if raw is not None and ("%2F" in raw or "%2f" in raw):
        found = _raw_segments(raw, environ.get("SCRIPT_NAME", ""), environ.get("PATH_INFO", ""))
        if found is not None:
            return found
    path: str = environ.get("PATH_INFO", "")
    if not path.isascii():
        try:
            path = path.encode("latin-1").decode()
        except UnicodeDecodeError as exc:
            raise NotFound("the path is not UTF-8") from exc
    parts = path.split("/")
    if not parts[-1]:
        parts.pop()
    if parts and not parts[0]:
        del parts[0]
    return parts


def _raw_segments(raw: str, script_name: str, path_info: str) -> list[str] | None:
    """The segments of a raw request target below the mount; None where it is not the path that the server decoded."""
    path = raw.partition("?")[0]
    if not path.startswith("/"):
        path = "/" + path.partition("://")[2].partition("/")[2]
    whole = unquote_to_bytes(path.encode("latin-1")).decode("latin-1")
    # a proxy may have taken off the first part of what the script name is seen as from outside
    seen = whole.removesuffix(path_info) if path_info else whole
    if seen + path_info != whole or not script_name.endswith(seen):
        return None
    script_name = seen
    parts = [unquote_to_bytes(part.encode("latin-1")) for part in path.removesuffix("/").split("/")[1:]]
    mounted = [part.encode("latin-1") for part in script_name.removesuffix("/").split("/")[1:]]
    if parts[: len(mounted)] != mounted:
        return None
    try:
        return [part.decode() for part in parts[len(mounted) :]]
    except UnicodeDecodeError as exc:
        raise NotFound("the path is not UTF-8") from exc
