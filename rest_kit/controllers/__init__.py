"""A controller serves one resource; a dispatcher serves many as one WSGI application."""

from __future__ import annotations

from rest_kit.controllers.actions import action
from rest_kit.controllers.controller import Controller
from rest_kit.controllers.dispatcher import WSGIDispatcher
from rest_kit.controllers.sweeping import sweep_files

__all__ = ["Controller", "WSGIDispatcher", "action", "sweep_files"]
