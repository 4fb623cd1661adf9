"""falcon, with marshmallow for what comes in and what goes out, and SQLAlchemy's ORM."""

from __future__ import annotations

import falcon
import marshmallow
from sqlalchemy import create_engine
from sqlalchemy.orm import Session, sessionmaker

from benchmarks.contenders.falcon_marshmallow import answer, asked
from benchmarks.contenders.schemas import BookSchema
from benchmarks.databases import Places
from benchmarks.databases.calling import WsgiApplication
from benchmarks.databases.table import BookRow, chosen, counted, page_of

Sessions = sessionmaker[Session]


class RowSchema(BookSchema):
    """A book whose date is one."""

    published = marshmallow.fields.Date(required=True)


one, many = RowSchema(), RowSchema(many=True)


class BookList:
    """The table."""

    def __init__(self, sessions: Sessions) -> None:
        self.sessions = sessions

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        query = asked(req)
        rows = chosen(query)
        page, meta = page_of(rows, query)
        with self.sessions() as session:
            total = session.scalar(counted(rows))
            books = session.scalars(page).all()
            answer(resp, {"meta": {**meta, "total_count": total}, "object_list": many.dump(books)})


class BookItem:
    """One row."""

    def __init__(self, sessions: Sessions) -> None:
        self.sessions = sessions

    def on_get(self, req: falcon.Request, resp: falcon.Response, pk: int) -> None:
        with self.sessions() as session:
            book = session.get(BookRow, pk)
            if book is None:
                raise falcon.HTTPNotFound
            answer(resp, one.dump(book))


def make(places: Places) -> WsgiApplication:
    """falcon with marshmallow and SQLAlchemy."""
    app = falcon.App()
    engines = {name: create_engine(url) for name, url in places.items()}
    for name, engine in engines.items():
        sessions = sessionmaker(engine)
        app.add_route(f"/{name}/", BookList(sessions))
        app.add_route(f"/{name}/{{pk:int}}/", BookItem(sessions))

    def close() -> None:
        for engine in engines.values():
            engine.dispose()

    return WsgiApplication(app, close)
