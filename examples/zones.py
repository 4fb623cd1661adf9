"""Another API's time zones under a name of our own, with the countries of a local file: `python examples/zones.py`.

The zones are asked for as they are needed, and never kept: `ZONES_URL` says where. Run as a script, the other API is
started beside, so that no network is needed; it serves the IANA's `zone1970.tab`. Otherwise start it by
`rest-kit serve examples.zones:elsewhere --port 5001`. Who wants a snapshot rather than the other API's answers of the
moment takes one by `rest-kit copy http://127.0.0.1:5001/timezones/ snapshot.csv`, and serves that file.
"""

import os
import threading
from pathlib import Path

from datastores import CSVDataStore, PythonListDataStore, RemoteDataStore
from rest_kit import models
from rest_kit.controllers import Controller, WSGIDispatcher
from rest_kit.pagination import Pagination

HERE = Path(__file__).parent
ZONES_URL = os.environ.get("ZONES_URL", "http://127.0.0.1:5001/timezones/")

# --- the other API ----------------------------------------------------------------------------------------------------


def timezones():
    """What it has: each zone with the first of its countries, as the file lists the one first that names it."""
    for line in (HERE / "zone1970.tab").read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            codes, coordinates, tz, *_ = line.split("\t")
            yield {"tz": tz, "country": codes.partition(",")[0], "coordinates": coordinates}


class TimezoneModel(models.Model):
    fields = [
        models.StringPkField(name="tz"),
        models.StringField(name="country", required=True),
        models.StringField(name="coordinates", required=True),
    ]


class TimezoneApp(Controller):
    resource = {
        "resource_name": "timezones",
        "resource": list(timezones()),
        "model": TimezoneModel,
        "datastore": PythonListDataStore,
    }


elsewhere = WSGIDispatcher([TimezoneApp], name="Somebody else's time zones")

# --- ours -------------------------------------------------------------------------------------------------------------


class ZoneModel(models.Model):
    fields = [
        models.StringPkField(name="tz"),
        models.StringForeign(name="country", resource="countries", related_name="zones", required=True),
    ]


class ZoneApp(Controller):
    resource = {
        "resource_name": "zones",
        "resource": {"url": ZONES_URL, "dialect": "rest_kit"},
        "model": ZoneModel,
        "datastore": RemoteDataStore,
        "options": {"timeout": 5, "read_only": True},
    }
    controller = {"options": {"pagination": Pagination(50)}}


class CountryModel(models.Model):
    fields = [models.StringPkField(name="code"), models.StringField(name="name")]


class CountryApp(Controller):
    resource = {
        "resource_name": "countries",
        "resource": {"path": HERE / "iso3166.tab"},
        "model": CountryModel,
        "datastore": CSVDataStore,
        "options": {"delimiter": "\t", "comment": "#", "columns": ["code", "name"], "read_only": True},
    }


app = WSGIDispatcher([ZoneApp, CountryApp], name="Time zones and their countries")

if __name__ == "__main__":
    from werkzeug.serving import make_server, run_simple

    other = make_server("127.0.0.1", 5001, elsewhere, threaded=True)
    threading.Thread(target=other.serve_forever, daemon=True).start()
    run_simple("127.0.0.1", 5000, app, threaded=True)
