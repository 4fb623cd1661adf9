"""What each `type` of problem document means: the page that its link leads to."""

from __future__ import annotations

from typing import Final

from werkzeug.exceptions import NotFound

from rest_kit.errors import did_you_mean

EXPLANATIONS: Final[dict[str, str]] = {
    "bad-request": (
        "The request is not well-formed HTTP: a body shorter than declared, a Content-Length that is no number."
    ),
    "malformed-body": (
        "The body is not the JSON that its Content-Type promises; `errors` says what and, where known, at which place."
    ),
    "invalid-input": (
        "Values misfit the model. `errors` has one entry for each, with a JSON Pointer into the body and a stable code."
    ),
    "invalid-parameter": (
        "A query parameter is unknown or its value cannot be used. `errors` names each, with the nearest valid one."
    ),
    "not-authenticated": "Nobody is logged in, and somebody must be; WWW-Authenticate says how one can be.",
    "authentication-failed": (
        "Credentials were sent, and they are not good: unknown, wrong, expired, or of somebody who is disabled."
    ),
    "permission-denied": "Whoever is calling may not do this.",
    "throttled": (
        "This has been asked for as often as is allowed. RateLimit-Policy says how often that is, Retry-After in how "
        "many seconds it can be asked for again."
    ),
    "idempotency-key-reused": (
        "The Idempotency-Key was sent before, with another request. A new request takes a new key."
    ),
    "idempotency-key-in-use": (
        "The first request with this Idempotency-Key is still running. Sent again a little later, it gets its reply."
    ),
    "idempotency-reply-lost": (
        "The first request with this Idempotency-Key was carried out, but its reply could not be made; it is not "
        "carried out again. Read what has become of the data."
    ),
    "https-required": (
        "The request came over plain HTTP, and nothing was done. Send it again over HTTPS, with new credentials: those "
        "that it held could be read on the way."
    ),
    "not-found": "There is nothing at this address, or nothing that you may see.",
    "method-not-allowed": "The verb is not served at this address; the Allow header lists those that are.",
    "read-only": (
        "The data behind this resource cannot be written as they are; the detail says what would change that."
    ),
    "not-acceptable": "None of the media types in Accept can be had here; the detail lists those that can.",
    "conflict": (
        "The write contradicts other data: a value that must be unique is taken, a reference leads nowhere, "
        "the object has changed, or a rule of the database refuses it."
    ),
    "cursor-gone": "The events behind that cursor are no longer kept: read the collection again, and go on from there.",
    "precondition-failed": "If-Match or If-None-Match does not hold: read the object again, and decide anew.",
    "precondition-required": (
        "This resource takes changes only with If-Match, so that nobody overwrites what they have not read."
    ),
    "body-too-large": "The body is larger than this resource takes.",
    "unsupported-media-type": (
        "This resource does not take bodies of that Content-Type; the detail lists those that it takes."
    ),
    "range-not-satisfiable": "The range of bytes lies beyond the end of the file; Content-Range says how long it is.",
    "unsupported": "The store behind this resource cannot do this.",
    "too-much-to-scan": (
        "The API that holds the data cannot filter, search or order in this way, and has more records than may be read "
        "for doing it here. The detail says for which field; a narrower filter would help."
    ),
    "remote-error": (
        "The data are in another API, which has failed or has answered what cannot be understood. Nothing is known to "
        "have been changed; a write may have been done all the same, so look before you send it again."
    ),
    "remote-timeout": (
        "The data are in another API, which has not answered in time. A write may have been done all the same, so look "
        "before you send it again."
    ),
    "unavailable": "This cannot be done here and now; the detail says why, Retry-After when to try again.",
    "store-unavailable": "The data cannot be reached at the moment; Retry-After says when to try again.",
    "outcome-unknown": (
        "The connection to the data was lost while the write was being committed. It may have been kept, or not: read "
        "before you repeat it."
    ),
    "store-unreadable": (
        "The file or table holds something that cannot be read as the model says; the server's log names the place."
    ),
    "store-full": (
        "The disk or quota is full, or the last key that the store could make has been given out. Nothing was changed."
    ),
    "http": "Nothing beyond what the status itself means (RFC 9110 §15).",
    "internal": "A fault of the server's own. Its log has the details under the request id.",
}


def error_page(slug: str) -> dict[str, str]:
    """The explanation of one problem type (NotFound)."""
    if slug not in EXPLANATIONS:
        raise NotFound(f"no such problem type{did_you_mean(slug, EXPLANATIONS)}")
    return {"type": slug, "explanation": EXPLANATIONS[slug]}
