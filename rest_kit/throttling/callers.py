"""Who is counted: a user by primary key, anybody else by network address."""

from __future__ import annotations

import ipaddress
from functools import lru_cache

from rest_kit.request import Request


def user_of(request: Request) -> str:
    """A name for the user who is logged in, which no other user has."""
    user = request.user
    return f"{user.label} user {user.pk!r}" if user.pk is not None else f"user named {user.name!r}"


def address_of(request: Request) -> str:
    """A name for where a request comes from: an IPv4 address, or the /64 network of an IPv6 address."""
    address = request.address
    return "address " + (network_of(address) if ":" in address else address)


@lru_cache(maxsize=4096)
def network_of(address: str) -> str:
    """The network that an IPv6 address belongs to, as a subscriber is given so many addresses that no one matters."""
    try:
        found = ipaddress.IPv6Address(address.partition("%")[0])
    except ValueError:
        return address
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.IPv6Network((int(found) >> 64 << 64, 64)))
