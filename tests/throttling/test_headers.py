"""What callers are told with every reply (draft-ietf-httpapi-ratelimit-headers-11)."""

from __future__ import annotations

import re

from rest_kit.throttling import AddressRateThrottle, AnonRateThrottle, UserRateThrottle
from tests.throttling.support import Passwords, Site

MEMBER = re.compile(r'"(?:[ !#-\[\]-~]|\\["\\])+"(?:;[a-z]+=[0-9]{1,15})+')


def test_every_reply_says_how_many_are_left() -> None:
    site = Site(UserRateThrottle("100/min"))
    reply = site.client.get("/things/1/")
    assert reply.headers["RateLimit-Policy"] == '"user";q=100;w=60'
    assert reply.headers["RateLimit"] == '"user";r=99;t=60'
    site.wait(29.5)
    assert site.client.get("/things/1/").headers["RateLimit"] == '"user";r=98;t=31'
    assert site.client.get("/things/9/").headers["RateLimit"] == '"user";r=97;t=31', "errors count, and tell it"
    site.wait(31)
    assert site.client.get("/things/").headers["RateLimit"] == '"user";r=97;t=29'


def test_all_that_count_are_told_in_one_field() -> None:
    site = Site(
        AddressRateThrottle("1000/h"), AnonRateThrottle("20/min"), UserRateThrottle("5/s"), authentication=Passwords()
    )
    reply = site.client.get("/things/1/")
    assert reply.headers.getall("RateLimit-Policy") == ['"address";q=1000;w=3600, "anon";q=20;w=60, "user";q=5;w=1']
    assert reply.headers.getall("RateLimit") == ['"address";r=999;t=3600, "anon";r=19;t=60, "user";r=4;t=1']
    reply = site.client.get("/things/1/", Authorization="ada:secret")
    assert reply.headers.getall("RateLimit") == ['"address";r=998;t=3600, "user";r=4;t=1']
    reply = site.client.get("/things/1/", Authorization="ada:wrong")
    assert reply.status_int == 401
    assert reply.headers.getall("RateLimit") == [
        '"address";r=997;t=3600, "anon-failed";r=19;t=60, "user-failed";r=4;t=1'
    ]


def test_the_fields_are_lists_of_strings_with_parameters() -> None:
    site = Site(AnonRateThrottle("1/s", "3/m", methods=["GET"], scope="a.b~c"), UserRateThrottle("5/30s"))
    for _ in range(3):
        reply = site.client.get("/things/1/")
        for field in ("RateLimit", "RateLimit-Policy"):
            members = reply.headers[field].split(", ")
            assert len(members) == 3
            assert all(MEMBER.fullmatch(member) for member in members)
    assert reply.status_int == 429


def test_who_is_refused_waits_for_all_that_are_used_up() -> None:
    site = Site(AddressRateThrottle("2/h"), AnonRateThrottle("1/s"), authentication=Passwords())
    assert site.statuses(1) == [200]
    reply = site.client.get("/things/1/", environ={"REMOTE_ADDR": "192.0.2.1"})
    assert reply.status_int == 429
    assert reply.headers["RateLimit"] == '"address";r=0;t=3600, "anon";r=0;t=1'
    assert reply.headers["Retry-After"] == "3600"
