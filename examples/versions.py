"""One list of customers in two versions, side by side: `python examples/versions.py`.

`/v1/customers/` shows a name in one piece, is deprecated, and says until when it will be there; `/v2/customers/` has
it in two. Both serve the same rows: what is changed through one is changed in the other.
"""

import datetime

from datastores import PythonListDataStore
from rest_kit import models
from rest_kit.controllers import Controller, WSGIDispatcher
from rest_kit.deprecation import Deprecation
from rest_kit.views import add_resource_uri

customers = [
    {"id": 1, "first_name": "Ada", "last_name": "Lovelace", "city": "London"},
    {"id": 2, "first_name": "Emmy", "last_name": "Noether", "city": "Erlangen"},
]


class CustomerModel(models.Model):
    fields = [
        models.PkField(name="id"),
        models.StringField(name="first_name", required=True, max_length=50),
        models.StringField(name="last_name", required=True, max_length=50),
        models.StringField(name="city", max_length=50),
    ]


def whole_name(response, customer):
    """The name in one piece, as the first version had it."""
    parts = [customer.pop(name) for name in ("first_name", "last_name") if name in customer]
    return {**customer, "name": " ".join(parts)} if parts else customer


class CustomerApp(Controller):
    resource = {
        "resource_name": "customers",
        "resource": customers,
        "model": CustomerModel,
        "datastore": PythonListDataStore,
    }


class OldCustomerApp(CustomerApp):
    controller = {"list_verbs": ["GET"], "unique_verbs": ["GET", "DELETE"]}
    view = {"options": {"formatters": [whole_name, add_resource_uri]}}


app = WSGIDispatcher(
    name="Customers",
    versions={"v1": [OldCustomerApp], "v2": [CustomerApp]},
    deprecated={
        "v1": Deprecation(
            since=datetime.date(2026, 1, 1),
            sunset=datetime.date(2027, 1, 1),
            link="https://example.org/moving-to-v2",
        )
    },
)

if __name__ == "__main__":
    from werkzeug.serving import run_simple

    run_simple("127.0.0.1", 5000, app, use_debugger=True, use_reloader=True)
