"""Configuration: the three dicts of a controller, checked at once and turned into one frozen `Spec`.

Every mistake is found before any request is served, and all of them are reported together: an unknown key with the
nearest valid one, a missing key, a wrong type, a class where an instance is meant, a verb that the store cannot serve.
"""

from __future__ import annotations

import difflib
import inspect
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

import marshmallow
import msgspec

from rest_kit.deprecation import Deprecation
from rest_kit.errors import ConfigurationError, class_given, did_you_mean
from rest_kit.models import Model, PkField
from rest_kit.models.files import file_fields, misplaced_files
from rest_kit.options import CONTROLLER_KEYS, CONTROLLER_OPTIONS, OWN_OPTIONS, RESOURCE_KEYS, VIEW_KEYS, VIEW_OPTIONS
from rest_kit.pagination import BasePagination, Pagination
from rest_kit.params import Parameters
from rest_kit.permissions.fields import FieldPermissions, read_field_permissions
from rest_kit.policies import NO_POLICIES, Policies, read_policies
from rest_kit.request import DEFAULT_MAX_BODY
from rest_kit.storage import Storage, open_storage
from rest_kit.store import DataStore, check_keys
from rest_kit.uploads import FileStorage
from rest_kit.views import Formatter, JsonResponse, Response, add_resource_uri, remove_id

DICTS: Final = ("resource", "controller", "view")
LIST_VERBS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")
UNIQUE_VERBS: Final = ("GET", "PUT", "PATCH", "DELETE")
READING: Final = frozenset({"GET", "HEAD", "OPTIONS"})
RESERVED_RESOURCES: Final = frozenset(
    {"schema", "spore", "docs", "redoc", "openapi.json", "healthz", "readyz", "events", "stream"}
)
RESERVED_KEYS: Final = frozenset({"events", "stream"})
"""Words that stand for something else where a primary key would stand."""
DEFAULT_BULK_MAX: Final = 1000
DEFAULT_EXPAND_MAX: Final = 1000

VIEW_FORMATTERS: Final[Mapping[str, Formatter]] = {"add_resource_uri": add_resource_uri, "remove_id": remove_id}
"""The formatters of objects that can be named."""
NO_NAMES: Final[Mapping[str, Any]] = {}
FOREIGN_KEYS: Final = ("pk", "uri")
"""How a reference to another resource is shown."""

_NAME: Final = re.compile(r"[A-Za-z0-9._~-]+\Z")


class Spec(msgspec.Struct, frozen=True):
    """One controller's configuration, complete and checked; verbs left out are None: all that the store serves."""

    name: str
    store: DataStore
    list_verbs: frozenset[str] | None
    unique_verbs: frozenset[str] | None
    pagination: BasePagination
    responses: tuple[type[Response], ...]
    formatters: tuple[Formatter, ...]
    input_formatters: tuple[Callable[[Any, Any], Any], ...]
    options: dict[str, Any]
    envelope: bool
    strict: bool
    bulk_max: int
    max_body: int
    require_if_match: bool
    idempotency: bool | Storage
    require_idempotency_key: bool
    multiprocess: bool
    expand_fields: tuple[str, ...] | None
    expand_max: int
    foreign_keys: str
    policies: Policies = NO_POLICIES
    field_permissions: FieldPermissions | None = None
    files: FileStorage | None = None
    """Where the bytes of file fields lie; None where the model has none."""
    deprecated: Deprecation | None = None


def is_segment(text: str) -> bool:
    """Whether a text stands for itself as one segment of a URL's path."""
    return _NAME.match(text) is not None and text not in (".", "..")


def misspelt(names: Mapping[str, Any]) -> list[str]:
    """A sentence for each attribute of a controller class that looks like one of the three dicts, but for its name."""
    found = []
    for name, value in names.items():
        near = difflib.get_close_matches(name, DICTS, n=1, cutoff=0.75)
        if isinstance(value, Mapping) and name not in DICTS and near:
            found.append(f"the attribute {name!r} is none of the three dicts; did you mean {near[0]!r}?")
    return found


def build_spec(owner: str, resource: Any, controller: Any, view: Any) -> Spec:
    """The Spec of the three dicts (ConfigurationError listing every problem)."""
    return _Builder(owner, resource, controller, view).build()


class _Builder:
    """Reads the three dicts, noting problems as it goes."""

    def __init__(self, owner: str, resource: Any, controller: Any, view: Any) -> None:
        self.owner = owner
        self.problems: list[str] = []
        self.resource = self._dict("resource", resource, RESOURCE_KEYS)
        self.controller = self._dict("controller", controller, CONTROLLER_KEYS)
        self.view = self._dict("view", view, VIEW_KEYS)
        self.own_options: Mapping[str, Any] = self.resource.get("options", {})
        self.options = self._options("controller", self.controller, CONTROLLER_OPTIONS)
        self.view_options = self._options("view", self.view, VIEW_OPTIONS)

    def _dict(self, name: str, given: Any, known: dict[str, Any]) -> dict[str, Any]:
        if not isinstance(given, Mapping):
            self.problems.append(f"{name} must be a dict, not {given!r}")
            return {}
        self.problems += check_keys(given, known, name)
        return {key: value for key, value in given.items() if not check_keys({key: value}, known, name)}

    def _options(self, name: str, given: dict[str, Any], known: dict[str, Any]) -> dict[str, Any]:
        options = given.get("options", {})
        problems = [p for key, value in options.items() for p in self._option(key, value, known, f"{name} options")]
        self.problems += problems
        return {key: value for key, value in options.items() if not self._option(key, value, known, name)}

    def _option(self, key: str, value: Any, known: dict[str, Any], where: str) -> list[str]:
        problem = class_given(value, BasePagination, f"{where}[{key!r}]", "Pagination(20)")
        return [problem] if problem else check_keys({key: value}, known, where)

    def build(self) -> Spec:
        name = self._name()
        model = self._model()
        store = self._store()
        list_verbs = self._verbs("list_verbs", LIST_VERBS)
        unique_verbs = self._verbs("unique_verbs", UNIQUE_VERBS)
        pagination = self.options.get("pagination") or Pagination(100)
        others = {**self._how_to_show(), **self._how_to_ask(), **self._who_may(store, model)}
        self._check_values()
        if store is not None:
            self._check_files(store.bound_model)
            self._check_paging(store, pagination)
            self._check_writable(store, list_verbs, unique_verbs)
        self._check_names(store, model, pagination)
        if self.problems or store is None:
            raise ConfigurationError(self.problems, owner=self.owner)
        return Spec(
            name=name,
            store=store,
            list_verbs=list_verbs,
            unique_verbs=unique_verbs,
            pagination=pagination,
            options=self.options,
            multiprocess=self.own_options.get("multiprocess") == "allow",
            files=self.own_options.get("files"),
            **others,
        )

    def _how_to_show(self) -> dict[str, Any]:
        """What the Spec says of replies."""
        return {
            "formatters": self._callables("view", self.view_options, [add_resource_uri], VIEW_FORMATTERS),
            "responses": self._responses(),
            "envelope": self.view_options.get("envelope", True),
            "foreign_keys": self.view_options.get("foreign_keys", "pk"),
            "deprecated": self.options.get("deprecated"),
        }

    def _how_to_ask(self) -> dict[str, Any]:
        """What the Spec says of requests."""
        option = self.options.get
        return {
            "input_formatters": self._callables("controller", self.options, []),
            "strict": option("strict", True),
            "bulk_max": option("bulk_max", DEFAULT_BULK_MAX),
            "max_body": option("max_body", DEFAULT_MAX_BODY),
            "require_if_match": option("require_if_match", False),
            "idempotency": self._idempotency(),
            "require_idempotency_key": option("require_idempotency_key", False),
            "expand_fields": tuple(self.options["expand_fields"]) if "expand_fields" in self.options else None,
            "expand_max": option("expand_max", DEFAULT_EXPAND_MAX),
        }

    def _who_may(self, store: DataStore | None, model: Model | None) -> dict[str, Any]:
        """What the Spec says of callers, checked against the model, which the store is given for that."""
        policies, misfits = read_policies(self.options, "controller options")
        fields, wrong = read_field_permissions(self.options)
        self.problems += misfits + wrong
        if store is not None:
            self._bind(store, model)
            self._check_policies(store, policies, None if wrong else fields)
        return {"policies": policies, "field_permissions": fields}

    def _name(self) -> str:
        name: str = self.resource.get("resource_name", "")
        if "resource_name" not in self.resource:
            self.problems.append("resource has no 'resource_name', the segment of the URL")
        elif not is_segment(name):
            self.problems.append(f"resource['resource_name'] must be letters, digits or - . _ ~, not {name!r}")
        elif name in RESERVED_RESOURCES:
            self.problems.append(f"resource['resource_name'] {name!r} is a route of the dispatcher's own")
        return name

    def _model(self) -> Model | None:
        given = self.resource.get("model")
        if given is None or isinstance(given, Model):
            return given
        try:
            if issubclass(given, Model):
                model: Model = given()
                return model
            if issubclass(given, marshmallow.Schema):
                return Model.from_schema(given)
        except ConfigurationError as exc:
            self.problems += exc.problems
            return None
        self.problems.append(f"resource['model'] must be a models.Model or a marshmallow Schema, not {given.__name__}")
        return None

    def _store(self) -> DataStore | None:
        cls = self.resource.get("datastore")
        if "resource" not in self.resource:
            self.problems.append("resource has no 'resource', where the data lie")
        if cls is None:
            if not any("'datastore'" in problem for problem in self.problems):
                self.problems.append("resource has no 'datastore', such as PythonListDataStore")
            return None
        if not issubclass(cls, DataStore):
            self.problems.append(f"resource['datastore'] must be a DataStore class, not {cls.__name__}")
            return None
        options = {k: v for k, v in self.own_options.items() if k not in OWN_OPTIONS}
        self._check_multiprocess()
        try:
            return cls(self.resource.get("resource"), options) if "resource" in self.resource else None
        except ConfigurationError as exc:
            self.problems += exc.problems
            return None

    def _check_values(self) -> None:
        """Check options whose type alone does not say whether they can be meant."""
        for key in ("bulk_max", "max_body", "expand_max"):
            if self.options.get(key, 1) < 1:
                self.problems.append(f"controller options[{key!r}] must be positive, not {self.options[key]!r}")
        shown = self.view_options.get("foreign_keys", "pk")
        if shown not in FOREIGN_KEYS:
            hint = did_you_mean(shown, FOREIGN_KEYS)
            self.problems.append(f"view options['foreign_keys'] must be 'pk' or 'uri', not {shown!r}{hint}")

    def _idempotency(self) -> bool | Storage:
        """Whether requests may come with a key, and where their replies are kept if that is said here."""
        given: bool | str | Storage = self.options.get("idempotency", False)
        if given is False and self.options.get("require_idempotency_key"):
            self.problems.append("controller options['require_idempotency_key'] needs 'idempotency': True, or a URL")
        if isinstance(given, bool):
            return given
        try:
            return open_storage(given)
        except ConfigurationError as exc:
            self.problems += [f"controller options['idempotency']: {problem}" for problem in exc.problems]
            return False

    def _check_multiprocess(self) -> None:
        given = self.own_options.get("multiprocess", "allow")
        if given not in ("allow", "refuse"):
            self.problems.append(f"resource options['multiprocess'] must be 'allow' or 'refuse', not {given!r}")

    def _verbs(self, key: str, known: tuple[str, ...]) -> frozenset[str] | None:
        if key not in self.controller:
            return None
        verbs = list(self.controller[key])
        for verb in verbs:
            if verb not in (*known, "HEAD", "OPTIONS"):
                self.problems.append(f"controller[{key!r}] has {verb!r}{did_you_mean(str(verb).upper(), known)}")
        return frozenset(verbs)

    def _callables(
        self, name: str, options: dict[str, Any], default: list[Any], named: Mapping[str, Any] = NO_NAMES
    ) -> tuple[Any, ...]:
        """The formatters of an option, those that are named included."""
        given = [named.get(one, one) if isinstance(one, str) else one for one in options.get("formatters", default)]
        for one in given:
            if not callable(one):
                hint = did_you_mean(one, named) if isinstance(one, str) else ""
                self.problems.append(f"{name} options['formatters'] holds {one!r}, which cannot be called{hint}")
        return tuple(given)

    def _responses(self) -> tuple[type[Response], ...]:
        given = self.view.get("response_class", JsonResponse)
        classes = tuple(given) if isinstance(given, (list, tuple)) else (given,)
        for one in classes:
            if not (inspect.isclass(one) and issubclass(one, Response)):
                self.problems.append(f"view['response_class'] must hold Response classes (JsonResponse), not {one!r}")
        if not classes:
            self.problems.append("view['response_class'] is empty; JsonResponse is the usual one")
        return classes

    def _bind(self, store: DataStore, model: Model | None) -> None:
        """Give the store its model, where there is one."""
        if model is None:
            return
        try:
            store.bind(model)
        except ConfigurationError as exc:
            self.problems += exc.problems

    def _check_policies(self, store: DataStore, policies: Policies, fields: FieldPermissions | None) -> None:
        """Check what permissions look at, where the model is known already."""
        model = store.bound_model
        if model is not None and model.pk is not None and fields is not None:
            self.problems += fields.check(model)
        if model is not None:
            self.problems += [problem for one in policies.permissions or () for problem in one.check(model)]

    def _check_files(self, model: Model | None) -> None:
        """A model with files needs a place for them, and nothing else does."""
        given = self.own_options.get("files")
        where = "resource options['files']"
        example = "DirectoryStorage('uploads')"
        if given is not None and not isinstance(given, FileStorage):
            problem = class_given(given, FileStorage, where, example)
            self.problems.append(problem or f"{where} must be a file storage, such as {example}, not {given!r}")
        names = list(file_fields(model.fields)) if model is not None else []
        if names and given is None:
            text = f"says where the bytes go, such as {example}, and is missing"
            self.problems.append(f"the model has the file {names[0]!r}: {where} {text}")
        if given is not None and not names:
            self.problems.append(f"{where} is given, but the model has no FileField")
        for name in (name for name in names if not is_segment(name)):
            self.problems.append(f"the file {name!r} must be named in letters, digits or - . _ ~, for its address")
        for name in misplaced_files(model.fields if model is not None else ()):
            self.problems.append(f"{name!r} has a FileField within, which only a field of the model itself can be")

    def _check_names(self, store: DataStore | None, model: Model | None, pagination: BasePagination) -> None:
        """Check whatever names fields, as soon as the fields are known."""
        known = (store.bound_model if store is not None else None) or model
        if known is None:
            return
        try:
            Parameters(known if known.pk else known.with_pk(PkField("id")), self.options, pagination.parameters)
        except ConfigurationError as exc:
            self.problems += exc.problems

    def _check_paging(self, store: DataStore, pagination: BasePagination) -> None:
        """The store can page as the policy asks; one that says only later what it can do is asked again then."""
        if pagination.needs_order and not store.capabilities.keyset:
            self.problems.append("controller options['pagination'] pages by cursor, which the store cannot")
        if pagination.total and not store.capabilities.total:
            self.problems.append("controller options['pagination'] counts, which the store cannot: total='none'")

    def _check_writable(self, store: DataStore, *verbs: frozenset[str] | None) -> None:
        if store.bound_model is None or store.capabilities.writable:
            return
        for listed in verbs:
            for verb in sorted((listed or frozenset()) - READING):
                why_not = store.capabilities.why_not
                self.problems.append(f"controller lists {verb}, but nothing can be written: {why_not}")
