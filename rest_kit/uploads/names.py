"""The names that senders give their files: a word for people, made harmless, and never a part of a path."""

from __future__ import annotations

import mimetypes
import re
import unicodedata
from typing import Final
from urllib.parse import quote

MAX_NAME: Final = 120
"""How many code points of a name are kept."""
_MAX_ENDING: Final = 12
_DEVICES: Final = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])(\.|\Z)", re.IGNORECASE)
_UNFIT: Final = re.compile(r'[<>:"|?*]')
_ATTR_CHAR: Final = "!#$&+-.^_`|~"
"""What RFC 8187 §3.2.1 leaves as it is, beside letters and digits."""


def safe_name(given: str, fallback: str) -> str:
    """The last part of a sender's file name, without what any system could stumble over, or the fallback.

    Control and formatting characters (those that turn the direction of text too) go, as do the dots and spaces at
    either end; a name that Windows takes for a device gets a `_` in front.
    """
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", given[-4096:]))[-1]
    shown = "".join(" " if unicodedata.category(c) in ("Zs", "Zl", "Zp") else c for c in last if _is_visible(c))
    name = _shortened(_UNFIT.sub("_", shown).strip(" .")) or fallback
    return f"_{name}" if _DEVICES.match(name) else name


def _is_visible(char: str) -> bool:
    return not unicodedata.category(char).startswith("C")


def _shortened(name: str) -> str:
    """The name within its length, its ending kept."""
    if len(name) <= MAX_NAME:
        return name
    stem, dot, ending = name.rpartition(".")
    if not dot or len(ending) > _MAX_ENDING:
        return name[:MAX_NAME].rstrip(" .")
    return f"{stem[: MAX_NAME - len(ending) - 1].rstrip(' .')}.{ending}"


def name_for(field: str, media_type: str) -> str:
    """What a file is called that came without a name."""
    return field + (mimetypes.guess_extension(media_type) or "")


def attachment(name: str) -> str:
    """The Content-Disposition that has a file saved under a name (RFC 6266 §4.3, RFC 8187)."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    plain = re.sub(r"[^A-Za-z0-9 !#$&()+,.=@^_`{}~-]", "_", plain).strip(" .") or "file"
    extended = "" if plain == name else f"; filename*=UTF-8''{quote(name, safe=_ATTR_CHAR)}"
    return f'attachment; filename="{plain}"{extended}'
