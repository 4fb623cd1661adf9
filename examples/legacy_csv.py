"""A customer list as an old program exports it (`;`, cp1252, CRLF), read and written in place.

`python examples/legacy_csv.py`. Rows that nobody changes stay byte for byte as they are, and so do columns that the
model does not name.
"""

from pathlib import Path

from datastores import CSVDataStore
from rest_kit import models
from rest_kit.controllers import Controller, WSGIDispatcher


class CustomerModel(models.Model):
    fields = [
        models.StringPkField(name="Kundennr", max_length=6, regex=r"[0-9]{6}"),
        models.StringField(name="Name", required=True),
        models.StringField(name="Straße"),
        models.StringField(name="PLZ", regex=r"[0-9]{5}"),
        models.StringField(name="Ort"),
        models.DateField(name="Kunde seit"),
    ]


class CustomerApp(Controller):
    resource = {
        "resource_name": "customers",
        "resource": {"path": Path(__file__).with_name("kunden.csv")},
        "model": CustomerModel,
        "datastore": CSVDataStore,
        "options": {"encoding": "cp1252"},
    }


app = WSGIDispatcher([CustomerApp], name="Customers")

if __name__ == "__main__":
    from werkzeug.serving import run_simple

    run_simple("127.0.0.1", 5000, app, use_debugger=True, use_reloader=True)
