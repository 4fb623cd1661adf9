"""Who is calling: classes that read credentials off requests, and where users and tokens are kept."""

from __future__ import annotations

from rest_kit.authentication.base import Authentication
from rest_kit.authentication.basic import BasicAuthentication, DiscouragedWarning
from rest_kit.authentication.json_web_tokens import JWTAuthentication
from rest_kit.authentication.logins import credentials
from rest_kit.authentication.remote_user import RemoteUserAuthentication
from rest_kit.authentication.sessions import Session, SessionAuthentication
from rest_kit.authentication.signed import SignedTokenAuthentication
from rest_kit.authentication.tokens import ApiKeyAuthentication, Token, TokenAuthentication, TokenModel, Tokens
from rest_kit.authentication.users import UserModel, Users
from rest_kit.passwords import check_password, hash_password

__all__ = [
    "ApiKeyAuthentication",
    "Authentication",
    "BasicAuthentication",
    "DiscouragedWarning",
    "JWTAuthentication",
    "RemoteUserAuthentication",
    "Session",
    "SessionAuthentication",
    "SignedTokenAuthentication",
    "Token",
    "TokenAuthentication",
    "TokenModel",
    "Tokens",
    "UserModel",
    "Users",
    "check_password",
    "credentials",
    "hash_password",
]
