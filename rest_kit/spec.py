"""Configuration: the three dicts of a controller, checked at once and turned into one frozen `Spec`.

Every mistake is found before any request is served, and all of them are reported together: an unknown key with the
nearest valid one, a missing key, a wrong type, a class where an instance is meant, a verb that the store cannot serve.
"""

from __future__ import annotations

import difflib
import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Literal, TypedDict

import marshmallow
import msgspec

from rest_kit.authentication import Authentication
from rest_kit.deprecation import Deprecation
from rest_kit.errors import ConfigurationError, did_you_mean
from rest_kit.models import Model, PkField
from rest_kit.models.files import file_fields, misplaced_files
from rest_kit.pagination import BasePagination, Pagination
from rest_kit.params import Parameters
from rest_kit.permissions import Permission
from rest_kit.permissions.fields import FieldPermissions, read_field_permissions
from rest_kit.policies import NO_POLICIES, Policies, read_policies
from rest_kit.request import DEFAULT_MAX_BODY
from rest_kit.storage import Storage, open_storage
from rest_kit.store import DataStore, check_keys
from rest_kit.throttling import Throttle
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

_NAME: Final = re.compile(r"[A-Za-z0-9._~-]+\Z")


class ResourceDict(TypedDict, total=False):
    """A controller's `resource`: what the data are, and where."""

    resource_name: str
    resource: Any
    datastore: type[DataStore]
    model: type[Model] | type[marshmallow.Schema] | Model
    options: Mapping[str, Any]


class ControllerOptions(TypedDict, total=False):
    """The `options` of a controller's `controller` dict."""

    pagination: BasePagination
    filter_fields: Sequence[str]
    search_fields: Sequence[str]
    ordering_fields: Sequence[str]
    ordering: str | Sequence[str]
    strict: bool
    bulk_max: int
    max_body: int
    require_if_match: bool
    idempotency: bool | str | Storage
    require_idempotency_key: bool
    formatters: Sequence[Callable[[Any, Any], Any]]
    expand_fields: Sequence[str]
    expand_max: int
    authentication: Authentication | Sequence[Authentication]
    permissions: Permission | Sequence[Permission]
    throttle: Throttle | Sequence[Throttle]
    field_permissions: Mapping[str, Permission | Mapping[str, Permission]]
    deprecated: Deprecation


class ControllerDict(TypedDict, total=False):
    """A controller's `controller`: which verbs, and how requests are read."""

    list_verbs: Sequence[str]
    unique_verbs: Sequence[str]
    options: ControllerOptions


class ViewOptions(TypedDict, total=False):
    """The `options` of a controller's `view` dict."""

    formatters: Sequence[Formatter | Literal["add_resource_uri", "remove_id"]]
    envelope: bool
    foreign_keys: Literal["pk", "uri"]


class ViewDict(TypedDict, total=False):
    """A controller's `view`: how replies are written."""

    response_class: type[Response] | Sequence[type[Response]]
    options: ViewOptions


_RESOURCE_KEYS: Final[dict[str, Any]] = {
    "resource_name": str,
    "resource": object,
    "datastore": type,
    "model": (type, Model),
    "options": Mapping,
}
_CONTROLLER_KEYS: Final[dict[str, Any]] = {
    "list_verbs": (list, tuple, set, frozenset),
    "unique_verbs": (list, tuple, set, frozenset),
    "options": Mapping,
}
_VIEW_KEYS: Final[dict[str, Any]] = {"response_class": (type, list, tuple), "options": Mapping}
_NAMES: Final = (list, tuple)
_CONTROLLER_OPTIONS: Final[dict[str, Any]] = {
    "pagination": BasePagination,
    "filter_fields": _NAMES,
    "search_fields": _NAMES,
    "ordering_fields": _NAMES,
    "ordering": (str, list, tuple),
    "strict": bool,
    "bulk_max": int,
    "max_body": int,
    "require_if_match": bool,
    "idempotency": (bool, str, Storage),
    "require_idempotency_key": bool,
    "formatters": _NAMES,
    "expand_fields": _NAMES,
    "expand_max": int,
    "authentication": object,
    "permissions": object,
    "throttle": object,
    "field_permissions": Mapping,
    "deprecated": Deprecation,
}
_VIEW_OPTIONS: Final[dict[str, Any]] = {"formatters": _NAMES, "envelope": bool, "foreign_keys": str}
VIEW_FORMATTERS: Final[Mapping[str, Formatter]] = {"add_resource_uri": add_resource_uri, "remove_id": remove_id}
"""The formatters of objects that can be named."""
NO_NAMES: Final[Mapping[str, Any]] = {}
FOREIGN_KEYS: Final = ("pk", "uri")
"""How a reference to another resource is shown."""
_OWN_OPTIONS: Final = ("multiprocess", "files")
"""Resource options that the controller reads itself, whatever the store."""


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
        self.resource = self._dict("resource", resource, _RESOURCE_KEYS)
        self.controller = self._dict("controller", controller, _CONTROLLER_KEYS)
        self.view = self._dict("view", view, _VIEW_KEYS)
        self.options = self._options("controller", self.controller, _CONTROLLER_OPTIONS)
        self.view_options = self._options("view", self.view, _VIEW_OPTIONS)

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
        if inspect.isclass(value) and issubclass(value, BasePagination):
            return [f"{where}[{key!r}] must be an instance, not the class: {value.__name__}(20)"]
        return check_keys({key: value}, known, where)

    def build(self) -> Spec:
        name = self._name()
        model = self._model()
        store = self._store()
        list_verbs = self._verbs("list_verbs", LIST_VERBS)
        unique_verbs = self._verbs("unique_verbs", UNIQUE_VERBS)
        formatters = self._callables("view", self.view_options, [add_resource_uri], VIEW_FORMATTERS)
        input_formatters = self._callables("controller", self.options, [])
        pagination = self.options.get("pagination") or Pagination(100)
        responses = self._responses()
        policies, misfits = read_policies(self.options, "controller options")
        field_permissions, wrong = read_field_permissions(self.options)
        self.problems += misfits + wrong
        idempotency = self._idempotency()
        self._check_values()
        if store is not None:
            self._bind(store, model)
            self._check_policies(store, policies, None if wrong else field_permissions)
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
            responses=responses,
            formatters=formatters,
            input_formatters=input_formatters,
            options=self.options,
            envelope=self.view_options.get("envelope", True),
            strict=self.options.get("strict", True),
            bulk_max=self.options.get("bulk_max", DEFAULT_BULK_MAX),
            max_body=self.options.get("max_body", DEFAULT_MAX_BODY),
            require_if_match=self.options.get("require_if_match", False),
            idempotency=idempotency,
            require_idempotency_key=self.options.get("require_idempotency_key", False),
            multiprocess=self.resource.get("options", {}).get("multiprocess") == "allow",
            expand_fields=tuple(self.options["expand_fields"]) if "expand_fields" in self.options else None,
            expand_max=self.options.get("expand_max", DEFAULT_EXPAND_MAX),
            foreign_keys=self.view_options.get("foreign_keys", "pk"),
            policies=policies,
            field_permissions=field_permissions,
            files=self.resource.get("options", {}).get("files"),
            deprecated=self.options.get("deprecated"),
        )

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
        options = {k: v for k, v in self.resource.get("options", {}).items() if k not in _OWN_OPTIONS}
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
        given = self.resource.get("options", {}).get("multiprocess", "allow")
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
        given = self.resource.get("options", {}).get("files")
        where = "resource options['files']"
        if inspect.isclass(given) and issubclass(given, FileStorage):
            self.problems.append(f"{where} must be an instance, not the class: {given.__name__}('uploads')")
        elif given is not None and not isinstance(given, FileStorage):
            self.problems.append(f"{where} must be a file storage, such as DirectoryStorage('uploads'), not {given!r}")
        names = list(file_fields(model.fields)) if model is not None else []
        if names and given is None:
            text = "says where the bytes go, such as DirectoryStorage('uploads'), and is missing"
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
