"""A list of people as a REST API: `python examples/quickstart.py`, then open http://127.0.0.1:5000/people/."""

from datastores import PythonListDataStore
from rest_kit import models
from rest_kit.controllers import Controller, WSGIDispatcher
from rest_kit.pagination import Pagination
from rest_kit.views import JsonResponse

people = [{"name": "Ada", "age": n, "id": n} for n in range(100)]


class PersonModel(models.Model):
    fields = [
        models.IntegerField(name="age", required=True),
        models.StringField(name="name", required=True),
        models.PkField(name="id"),
    ]


class PersonApp(Controller):
    resource = {
        "resource_name": "people",
        "resource": people,
        "model": PersonModel,
        "datastore": PythonListDataStore,
    }
    controller = {
        "list_verbs": ["GET", "POST"],
        "unique_verbs": ["GET", "PUT", "PATCH", "DELETE"],
        "options": {"pagination": Pagination(20)},
    }
    view = {"response_class": JsonResponse}


app = WSGIDispatcher([PersonApp])

if __name__ == "__main__":
    from werkzeug.serving import run_simple

    run_simple("127.0.0.1", 5000, app, use_debugger=True, use_reloader=True)
