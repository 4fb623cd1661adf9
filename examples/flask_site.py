"""A Flask site of its own life, and an API under `/api/` beside it: `gunicorn examples.flask_site:application`.

The site has its pages, sessions, error pages, engine and tables. rest_kit serves two of the tables through that engine,
and the site knows nothing of it. `mounted` and `in_front` are two ways to put both together; take either.
"""

import datetime

import sqlalchemy as sa
from flask import Flask, redirect, render_template_string, request, session
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from datastores import SQLDataStore
from rest_kit.controllers import Controller, WSGIDispatcher

# --- the site, as it was before ---------------------------------------------------------------------------------------

engine = sa.create_engine("sqlite:///recipes.db", pool_size=4, max_overflow=2)


@sa.event.listens_for(engine, "connect")
def enforce_references(connection, record):
    connection.execute("PRAGMA foreign_keys = ON")


class Base(DeclarativeBase):
    pass


class Cook(Base):
    __tablename__ = "cooks"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(50), unique=True)


def now():
    return datetime.datetime.now(datetime.UTC).replace(tzinfo=None)


class Recipe(Base):
    __tablename__ = "recipes"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(sa.String(100))
    course: Mapped[str] = mapped_column(sa.Enum("starter", "main", "dessert", name="course"), default="main")
    minutes: Mapped[int | None]
    written: Mapped[datetime.datetime] = mapped_column(default=now)
    cook_id: Mapped[int] = mapped_column(sa.ForeignKey(Cook.id))
    cook: Mapped[Cook] = relationship()


site = Flask(__name__)
site.secret_key = "change me"
HOME = "{% for r in recipes %}<li>{{ r.title }}, by {{ r.cook.name }}</li>{% else %}No recipes yet{% endfor %}"


@site.get("/")
def home():
    with Session(engine) as database:
        return render_template_string(HOME, recipes=database.scalars(sa.select(Recipe).order_by(Recipe.title)).all())


@site.post("/login")
def login():
    session["cook"] = request.form["name"]
    return redirect("/")


@site.post("/recipes")
def add_recipe():
    name = session.get("cook", "anonymous")
    with Session(engine) as database, database.begin():
        cook = database.scalar(sa.select(Cook).where(Cook.name == name)) or Cook(name=name)
        database.add(Recipe(title=request.form["title"], cook=cook))
    return redirect("/")


@site.errorhandler(404)
def not_found(error):
    return "<h1>There is no such recipe</h1>", 404


@site.errorhandler(500)
def failed(error):
    return "<h1>The oven is out of order</h1>", 500


Base.metadata.create_all(engine)

# --- the API ----------------------------------------------------------------------------------------------------------


class RecipeApp(Controller):
    resource = {
        "resource_name": "recipes",
        "resource": {"engine": engine, "table": Recipe},
        "datastore": SQLDataStore,
    }
    controller = {"options": {"search_fields": ["title"], "ordering": "-written"}}


class CookApp(Controller):
    resource = {
        "resource_name": "cooks",
        "resource": {"engine": engine, "table": Cook},
        "datastore": SQLDataStore,
        "options": {"read_only": True},
    }


# The site in front: everything below /api goes to rest_kit, what it does not know too.
mounted = DispatcherMiddleware(site, {"/api": WSGIDispatcher([RecipeApp, CookApp], name="Recipes")})

# rest_kit in front: what it knows below /api it serves, everything else goes to the site.
in_front = WSGIDispatcher([RecipeApp, CookApp], name="Recipes", prefix="/api", fallback=site)

application = mounted
