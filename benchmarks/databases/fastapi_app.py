"""FastAPI with pydantic's models and SQLAlchemy's ORM: asynchronous over servers, in its threads over SQLite."""

# no `from __future__ import annotations`: FastAPI reads the annotations, of which some are local
import datetime
from collections.abc import AsyncIterator, Iterator
from typing import Annotated, Any, Literal

from fastapi import Depends, FastAPI, HTTPException, Query
from pydantic import BaseModel, ConfigDict
from sqlalchemy import create_engine
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import Session, sessionmaker

from benchmarks.databases import Places
from benchmarks.databases.calling import AsgiApplication
from benchmarks.databases.table import BookRow, chosen, counted, page_of
from benchmarks.workload import MAX_PAGE


class Book(BaseModel):
    """A book."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    title: str
    author: str
    price: float
    published: datetime.date
    in_stock: bool


class Meta(BaseModel):
    """Where a page lies."""

    offset: int
    count: int
    total_count: int


class Page(BaseModel):
    """A page of books."""

    meta: Meta
    object_list: list[Book]


class Asked(BaseModel):
    """The parameters of a list."""

    offset: Annotated[int, Query(ge=0)] = 0
    count: Annotated[int, Query(ge=0)] = MAX_PAGE
    author: str | None = None
    price__gte: float | None = None
    ordering: Literal["price", "-price"] | None = None


def add_sync(app: FastAPI, name: str, url: URL) -> None:
    """The routes over a database whose driver blocks; FastAPI runs them in threads."""
    sessions = sessionmaker(create_engine(url))

    def session() -> Iterator[Session]:
        with sessions() as opened:
            yield opened

    Opened = Annotated[Session, Depends(session)]

    @app.get(f"/{name}/", response_model=Page)
    def listed(asked: Annotated[Asked, Query()], session: Opened) -> Any:
        query = asked.model_dump()
        rows = chosen(query)
        page, meta = page_of(rows, query)
        total = session.scalar(counted(rows))
        return {"meta": {**meta, "total_count": total}, "object_list": session.scalars(page).all()}

    @app.get(f"/{name}/{{pk}}/", response_model=Book)
    def item(pk: int, session: Opened) -> Any:
        book = session.get(BookRow, pk)
        if book is None:
            raise HTTPException(404)
        return book


def add_async(app: FastAPI, name: str, url: URL) -> Any:
    """The routes over a database whose driver does not block; the engine."""
    engine = create_async_engine(url)
    sessions = async_sessionmaker(engine)

    async def session() -> AsyncIterator[AsyncSession]:
        async with sessions() as opened:
            yield opened

    Opened = Annotated[AsyncSession, Depends(session)]

    @app.get(f"/{name}/", response_model=Page)
    async def listed(asked: Annotated[Asked, Query()], session: Opened) -> Any:
        query = asked.model_dump()
        rows = chosen(query)
        page, meta = page_of(rows, query)
        total = await session.scalar(counted(rows))
        return {"meta": {**meta, "total_count": total}, "object_list": (await session.scalars(page)).all()}

    @app.get(f"/{name}/{{pk}}/", response_model=Book)
    async def item(pk: int, session: Opened) -> Any:
        book = await session.get(BookRow, pk)
        if book is None:
            raise HTTPException(404)
        return book

    return engine


def make(places: Places) -> AsgiApplication:
    """FastAPI."""
    app = FastAPI()
    engines = []
    for name, url in places.items():
        if name == "postgresql":
            engines.append(add_async(app, name, url))
        else:
            add_sync(app, name, url)

    async def close() -> None:
        for engine in engines:
            await engine.dispose()

    return AsgiApplication(app, close)
