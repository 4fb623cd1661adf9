"""Countries and time zones from the IANA time zone database's own files: `rest-kit serve examples.countries:app`.

`iso3166.tab` and `zone1970.tab` come from the IANA time zone database, where they are in the public domain. They have
no header line, and `#` begins a comment: both are said in `options`. They are served read-only here, as nobody should
edit the IANA's files by accident; leave `read_only` out, and they can be written, comments and all kept as they are.
"""

from pathlib import Path

from datastores import CSVDataStore
from rest_kit.controllers import Controller, WSGIDispatcher
from rest_kit.pagination import Pagination

HERE = Path(__file__).parent


class CountryApp(Controller):
    resource = {
        "resource_name": "countries",
        "resource": {"path": HERE / "iso3166.tab"},
        "datastore": CSVDataStore,
        "options": {
            "delimiter": "\t",
            "comment": "#",
            "columns": ["code", "name"],
            "key": "code",
            "read_only": True,
        },
    }


class TimeZoneApp(Controller):
    resource = {
        "resource_name": "zones",
        "resource": {"path": HERE / "zone1970.tab"},
        "datastore": CSVDataStore,
        "options": {
            "delimiter": "\t",
            "comment": "#",
            "columns": ["countries", "coordinates", "tz", "comments"],
            "key": "tz",
            "read_only": True,
        },
    }
    controller = {"options": {"pagination": Pagination(50)}}


app = WSGIDispatcher([CountryApp, TimeZoneApp], name="Countries and time zones")
