"""What the contenders over plain objects share: choosing and adding books, from the list or through SQLAlchemy."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count
from operator import itemgetter
from pathlib import Path
from typing import Any

from sqlalchemy import Boolean, Float, Select, String, create_engine, func, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker

from benchmarks.workload import MAX_PAGE, Book


class Base(DeclarativeBase):
    """Whatever is mapped."""


class BookRow(Base):
    """A book in the table."""

    __tablename__ = "books"

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String)
    author: Mapped[str] = mapped_column(String)
    price: Mapped[float] = mapped_column(Float)
    published: Mapped[str] = mapped_column(String)
    in_stock: Mapped[bool] = mapped_column(Boolean)


class Library:
    """Books in a list."""

    def __init__(self, books: list[Book]) -> None:
        self.books = books
        self.by_id = {book["id"]: book for book in books}
        self.ids = count(len(books) + 1)

    def get(self, pk: int) -> Book | None:
        """The book with that id."""
        return self.by_id.get(pk)

    def page(self, query: Mapping[str, Any]) -> dict[str, Any]:
        """The page that typed parameters ask for."""
        books = self.books
        if "in_stock" in query and "price__gte" in query:
            in_stock, least = query["in_stock"], query["price__gte"]
            books = [book for book in books if book["in_stock"] is in_stock and book["price"] >= least]
        if query.get("ordering") == "-price":
            books = sorted(books, key=itemgetter("price"), reverse=True)
        offset, size = query["offset"], min(query["count"], MAX_PAGE)
        return {
            "meta": {"offset": offset, "count": size, "total_count": len(books)},
            "object_list": books[offset : offset + size],
        }

    def add(self, data: Mapping[str, Any]) -> Book:
        """A validated book, stored."""
        book = {"id": next(self.ids), **data}
        self.books.append(book)
        self.by_id[book["id"]] = book
        return book


class Table:
    """Books in SQLite, through SQLAlchemy's ORM."""

    def __init__(self, path: Path) -> None:
        self.sessions = sessionmaker(create_engine(f"sqlite:///{path}"))

    def session(self) -> Session:
        """A session for one request."""
        return self.sessions()

    def page(self, session: Session, query: Mapping[str, Any]) -> dict[str, Any]:
        """The page that typed parameters ask for."""
        chosen: Select[tuple[BookRow]] = select(BookRow)
        if "author" in query:
            chosen = chosen.where(BookRow.author == query["author"])
        if "price__gte" in query:
            chosen = chosen.where(BookRow.price >= query["price__gte"])
        total = session.scalar(select(func.count()).select_from(chosen.subquery()))
        if query.get("ordering") == "-price":
            chosen = chosen.order_by(BookRow.price.desc())
        offset, size = query["offset"], min(query["count"], MAX_PAGE)
        books = session.scalars(chosen.order_by(BookRow.id).limit(size).offset(offset)).all()
        return {"meta": {"offset": offset, "count": size, "total_count": total}, "object_list": books}
