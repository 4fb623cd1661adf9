"""Projects, their tasks, and whose they are: `python examples/projects.py`, or `gunicorn examples.projects:app`.

Somebody registers at `/api/users/`, gets a token at `/api/login`, and sends it as `Authorization: Token ...`. Each
user sees the projects and tasks that are the user's own, and nobody else's; an admin sees all. Everything is kept in
one SQLite file, `projects.db`, which also holds what the throttles count, so that all workers count together.
"""

import os

from datastores import SQLiteDataStore
from rest_kit import models
from rest_kit.authentication import TokenAuthentication, Tokens, UserModel, Users
from rest_kit.controllers import Controller, WSGIDispatcher, action
from rest_kit.pagination import Pagination
from rest_kit.permissions import IsAdminUser, IsAuthenticated, IsOwner
from rest_kit.routes import Route
from rest_kit.throttling import AddressRateThrottle, UserRateThrottle

FILE = os.environ.get("PROJECTS_FILE", "projects.db")


class ProjectModel(models.Model):
    fields = [
        models.PkField(name="id"),
        models.StringField(name="name", required=True, max_length=100),
        models.IntForeign(name="owner", resource="users", read_only=True, on_delete="cascade"),
    ]
    validators = [models.UniqueTogether("name", "owner")]


class TaskModel(models.Model):
    fields = [
        models.PkField(name="id"),
        models.StringField(name="title", required=True, max_length=200),
        models.BooleanField(name="completed", default=False),
        models.DateTimeField(name="created_at", auto_now_add=True),
        models.IntForeign(
            name="project_id", resource="projects", related_name="tasks", on_delete="cascade", required=True
        ),
        models.IntForeign(name="owner", resource="users", read_only=True, on_delete="cascade"),
    ]


class UserApp(Controller):
    """Anybody may register, some times a day; nobody is shown who else is here."""

    resource = {
        "resource_name": "users",
        "resource": {"name": FILE, "table": "users"},
        "model": UserModel,
        "datastore": SQLiteDataStore,
    }
    controller = {
        "list_verbs": ["POST"],
        "unique_verbs": [],
        "options": {"permissions": [], "throttle": [AddressRateThrottle("20/day")], "bulk_max": 1},
    }


class ProjectApp(Controller):
    resource = {
        "resource_name": "projects",
        "resource": {"name": FILE, "table": "projects"},
        "model": ProjectModel,
        "datastore": SQLiteDataStore,
    }


class TaskApp(Controller):
    resource = {
        "resource_name": "tasks",
        "resource": {"name": FILE, "table": "tasks"},
        "model": TaskModel,
        "datastore": SQLiteDataStore,
    }
    controller = {
        "options": {
            "pagination": Pagination(20),
            "ordering": "-created_at",
            "filter_fields": ["completed", "project_id"],
            "search_fields": ["title"],
            "idempotency": True,
        }
    }

    @action(detail=True, methods=["POST"])
    def toggle(self, request, pk):
        """Complete a task, or take that back."""
        task = self.get_object(request, pk)
        task.completed = not task.completed
        task.save()
        return {"completed": task.completed}


users = Users(UserApp)
tokens = TokenAuthentication(Tokens(SQLiteDataStore({"name": FILE, "table": "tokens"}), users))


def me(request):
    """Who is calling."""
    return {"id": request.user.pk, "username": request.user.name}


app = WSGIDispatcher(
    [UserApp, ProjectApp, TaskApp],
    name="Projects",
    prefix="/api",
    authentication=[tokens],
    permissions=[IsOwner() | IsAdminUser()],
    throttle=[UserRateThrottle("10/s", "1000/hour")],
    storage=f"sqlite:///{FILE}",
    routes=[
        *tokens.routes("/login", throttle=[AddressRateThrottle("10/min")]),
        Route("/me", me, permissions=[IsAuthenticated()]),
    ],
)

if __name__ == "__main__":
    from werkzeug.serving import run_simple

    run_simple("127.0.0.1", 5000, app, use_debugger=True, use_reloader=True)
