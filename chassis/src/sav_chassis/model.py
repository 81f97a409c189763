"""The base classes of every service's models."""

import enum
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, ClassVar, Generic, Literal, Self, cast, get_args, get_origin
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import JSON, BigInteger, DateTime, Dialect, Enum, Select, Table, Text, event, insert, inspect
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import DeclarativeBase, Mapped, ORMExecuteState, Session, declared_attr, mapped_column
from sqlalchemy.types import TypeDecorator
from typing_extensions import TypeVar, get_original_bases

from sav_contracts.messages import View

# Where the view does not matter, plain `Aggregate` will do.
ViewT = TypeVar("ViewT", bound=View, default=Any)


class JsonColumn(TypeDecorator[Any]):
    """A column that stores messages as JSON and reads them back as such: `JsonColumn(list[InvoiceLine])`.

    Assign a new value to change it: a change in place is not noticed.
    """

    impl = JSON
    cache_ok = True

    def __init__(self, form: Any) -> None:
        super().__init__(none_as_null=True)
        self.form = form
        self._adapter: TypeAdapter[Any] = TypeAdapter(form)

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        return None if value is None else self._adapter.dump_python(value, mode="json")

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        return None if value is None else self._adapter.validate_python(value)


class Base(DeclarativeBase):
    """A table of a service; column types follow from the annotations."""

    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: DateTime(timezone=True),
        str: Text,
        int: BigInteger,
        # Stored as text: a new value needs no migration, and SQL shows the word.
        enum.Enum: Enum(
            enum.Enum, native_enum=False, values_callable=lambda kind: [member.value for member in kind]
        ),
        Literal: Enum(enum.Enum, native_enum=False),
    }

    @classmethod
    def of_values(cls, **values: Any) -> Self:
        """What `cls(**values)` makes, at a tenth of the cost: for many at once. Names are not checked, defaults not set."""
        record = cast("Self", inspect(cls).class_manager.new_instance())
        vars(record).update(values)
        return record


@event.listens_for(Session, "do_orm_execute")
def _read_anew(execution: ORMExecuteState) -> None:
    """A row that is locked is as it is now, also where the session read it before it had the lock.

    `session.get` does not do: it refuses a row that somebody changed since it was read.
    """
    if isinstance(execution.statement, Select) and execution.statement._for_update_arg is not None:
        execution.update_execution_options(populate_existing=True)


async def write(session: AsyncSession, records: Mapping[type[Base], Sequence[Base]]) -> None:
    """Inserts new rows with one statement for each model, in this order; the session does not know them."""
    for model, its in records.items():
        names = inspect(model).column_attrs.keys()
        # What a record does not say is left to the defaults of its columns.
        values = [{name: vars(record)[name] for name in names if name in vars(record)} for record in its]
        await session.execute(insert(cast("Table", model.__table__)), values)


# Brings what follows from the rest of a record up to date: `(record, tx)`.
Settling = Callable[[Any, Any], Awaitable[None]]
S = TypeVar("S", bound=Settling)


class Aggregate(Base, Generic[ViewT]):
    """What is loaded, changed and announced (as this view) as a unit.

    Only `tx.emit` changes `version` and `updated_at`.
    """

    __abstract__ = True

    # Whether it is created by another service's event, which may not have arrived yet.
    follows_event: ClassVar[bool] = False
    # What `settles` registered, in the order of its modules.
    settling: ClassVar[tuple[Settling, ...]] = ()

    id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    @declared_attr.directive
    def __mapper_args__(cls) -> dict[str, Any]:
        # The chassis counts one version for each event; the column still guards against lost updates.
        return {"version_id_col": cls.version, "version_id_generator": False}

    def view(self) -> ViewT:
        """The public snapshot."""
        return self.shown_as().model_validate(self, from_attributes=True)

    @classmethod
    @cache
    def shown_as(cls) -> type[ViewT]:
        """The class of its public snapshot."""
        [shown] = (get_args(base)[0] for base in get_original_bases(cls) if get_origin(base) is Aggregate)
        return cast("type[ViewT]", shown)

    @classmethod
    def kind(cls) -> str:
        """The kind of record, as its view and its events call it."""
        return cls.shown_as().kind()


def settles(model: type[Aggregate[Any]]) -> Callable[[S], S]:
    """Registers a function that runs for each record of this model that a transaction announces, before its view is taken.

    For what follows from the record as a whole, whoever changed it: it may change the record and set timers, but emits
    nothing. Several of one model look after different fields: none relies on another.
    """

    def register(function: S) -> S:
        model.settling = (*model.settling, function)
        return function

    return register


async def settle(tx: Any, records: Iterable[Aggregate[Any]]) -> None:
    """Runs what `settles` registered, once for each of these records."""
    for record in dict.fromkeys(records):
        for settling in type(record).settling:
            await settling(record, tx)
