"""A list of things to do, with the actions that such a list has everywhere."""

from __future__ import annotations

import asyncio
import datetime
from typing import Any

from rest_kit import models
from rest_kit.controllers import Controller, action
from rest_kit.request import Request
from tests.http.support import Client, Storage, serve

NOON = datetime.datetime(2024, 5, 17, 12, tzinfo=datetime.UTC)


def not_urgent_and_done(record: dict[str, Any]) -> bool:
    """The rule of the model."""
    return not (record["completed"] and record["title"].startswith("URGENT"))


class Task(models.Model):
    """Something to do."""

    fields = [
        models.PkField("id"),
        models.StringField("title", required=True, max_length=20, unique=True),
        models.BooleanField("completed", default=False),
        models.DateTimeField("completed_at", read_only=True),
        models.ListField("labels"),
        models.StringField("note", write_only=True),
    ]
    validators = [not_urgent_and_done]


TITLES = ("Buy milk", "Buy eggs", "Write tests")


def rows() -> list[dict[str, Any]]:
    """Three tasks, of which the last is done."""
    return [
        {
            "id": pk,
            "title": title,
            "completed": pk == 3,
            "completed_at": NOON if pk == 3 else None,
            "labels": ["home"],
            "note": "hidden",
        }
        for pk, title in enumerate(TITLES, 1)
    ]


class TaskActions(Controller):
    """The actions, for any store."""

    @action(detail=True, methods=["POST"])
    def complete(self, request: Request, pk: int) -> Any:
        """Mark a task as done."""
        task = self.get_object(request, pk)
        task.completed = True
        task.completed_at = NOON
        task.save()
        return {"status": "completed"}

    @action(detail=True, methods=["POST"])
    def toggle(self, request: Request, pk: int) -> Any:
        """Turn done into open, and open into done."""
        task = self.get_object(request, pk)
        task["completed"] = not task["completed"]
        task.save()
        return {"completed": task.completed}

    @action(detail=False, methods=["POST"])
    async def complete_all(self, request: Request) -> Any:
        """Mark everything as done."""
        await asyncio.sleep(0)
        tasks = self.find(request, completed=False)
        for task in tasks:
            task.completed = True
        self.save_all(tasks)
        return {"status": "completed", "count": len(tasks)}

    @action(detail=False, methods=["get"])
    def recent(self, request: Request) -> Any:
        """The two newest."""
        return self.find(request, ordering="-id", count=2)

    @action(detail=True, methods=["PUT", "DELETE"], name="title")
    def rename(self, request: Request, pk: int) -> Any:
        """Give a task another title, or do away with it."""
        task = self.get_object(request, pk)
        if request.method == "DELETE":
            task.delete()
            return None
        task.title = request.data["title"]
        task.save()
        return task, 202


def tasks(storage: Storage, *bases: type, members: dict[str, Any] | None = None, **arguments: Any) -> Client:
    """A client of an application that serves the tasks from a store, at `/tasks/`."""
    resource = {"resource_name": "tasks", "model": Task, "datastore": storage.store_class}
    resource["resource"] = storage.filled(Task, rows())
    made = type("TaskApp", bases or (TaskActions,), {"resource": resource, **(members or {})})
    return serve(made, **arguments)
