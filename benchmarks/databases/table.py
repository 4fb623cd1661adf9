"""The table of books as SQLAlchemy's ORM maps it, which also makes and fills it in every database."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Double, Engine, Select, String, func, insert, select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from benchmarks.workload import AUTHOR_LENGTH, MAX_PAGE, TABLE_SIZE, TITLE_LENGTH, generate


class Base(DeclarativeBase):
    """Whatever is mapped."""


class BookRow(Base):
    """A book in the table."""

    __tablename__ = "books"

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(TITLE_LENGTH))
    author: Mapped[str] = mapped_column(String(AUTHOR_LENGTH), index=True)
    price: Mapped[float] = mapped_column(Double)
    published: Mapped[datetime.date]
    in_stock: Mapped[bool]


ANALYZE = {"postgresql": "VACUUM ANALYZE books", "mysql": "ANALYZE TABLE books", "sqlite": "ANALYZE"}


def fill(engine: Engine) -> None:
    """Make the table and put the books into it."""
    Base.metadata.create_all(engine)
    books = [{**book, "published": datetime.date.fromisoformat(book["published"])} for book in generate(TABLE_SIZE)]
    with engine.begin() as connection:
        connection.execute(insert(BookRow), books)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql(ANALYZE[engine.dialect.name])


def chosen(query: Mapping[str, Any]) -> Select[tuple[BookRow]]:
    """The rows that typed parameters ask for, in no order yet."""
    rows = select(BookRow)
    if query.get("author") is not None:
        rows = rows.where(BookRow.author == query["author"])
    if query.get("price__gte") is not None:
        rows = rows.where(BookRow.price >= query["price__gte"])
    return rows


def counted(rows: Select[tuple[BookRow]]) -> Select[tuple[int]]:
    """How many rows there are."""
    return select(func.count()).select_from(rows.subquery())


def page_of(rows: Select[tuple[BookRow]], query: Mapping[str, Any]) -> tuple[Select[tuple[BookRow]], dict[str, int]]:
    """The rows of the page, in their order, and where it lies."""
    offset, size = query["offset"], min(query["count"], MAX_PAGE)
    if query.get("ordering") == "-price":
        rows = rows.order_by(BookRow.price.desc())
    return rows.order_by(BookRow.id).limit(size).offset(offset), {"offset": offset, "count": size}
