"""Tweets in an SQLite file that is made at the first write: `python examples/tweets.py`."""

from datastores import SQLiteDataStore
from rest_kit import models
from rest_kit.controllers import Controller, WSGIDispatcher
from rest_kit.pagination import Pagination
from rest_kit.views import JsonResponse


class TweetModel(models.Model):
    fields = [
        models.StringField(name="message", required=True, max_length=280),
        models.StringField(name="user", required=True),
        models.PkField(name="id"),
    ]


class TweetApp(Controller):
    resource = {
        "resource_name": "tweets",
        "resource": {"name": "twitter.db", "table": "tweets"},
        "model": TweetModel,
        "datastore": SQLiteDataStore,
    }
    controller = {
        "list_verbs": ["GET", "POST"],
        "unique_verbs": ["GET", "PUT", "DELETE"],
        "options": {"pagination": Pagination(20)},
    }
    view = {"response_class": JsonResponse}


app = WSGIDispatcher([TweetApp])

if __name__ == "__main__":
    from werkzeug.serving import run_simple

    run_simple("127.0.0.1", 5000, app, use_debugger=True, use_reloader=True)
