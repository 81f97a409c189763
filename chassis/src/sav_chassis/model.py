"""What the models of every service are made of."""

import enum
from datetime import datetime
from typing import Any, ClassVar, Literal
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import JSON, BigInteger, DateTime, Dialect, Enum, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, declared_attr, mapped_column
from sqlalchemy.types import TypeDecorator

from sav_contracts.messages import View


class Kept(TypeDecorator[Any]):
    """A column that holds a message, or several (`Kept(list[InvoiceLine])`), as JSON; read back, they are that again.

    Assign a new value to change it: what is changed in place is not noticed.
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
        # Kept as text: a new value needs no migration, and readers in SQL see the word.
        enum.Enum: Enum(
            enum.Enum, native_enum=False, values_callable=lambda kind: [member.value for member in kind]
        ),
        Literal: Enum(enum.Enum, native_enum=False),
    }


class Aggregate(Base):
    """What is loaded, changed and told about as one. Only `tx.emit` changes `version` and `updated_at`."""

    __abstract__ = True

    # Whether it comes to be by another service's event: then its absence may be a matter of time.
    follows_event: ClassVar[bool] = False

    id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    @declared_attr.directive
    def __mapper_args__(cls) -> dict[str, Any]:
        # The chassis counts one version for each event; the column still guards against lost updates.
        return {"version_id_col": cls.version, "version_id_generator": False}

    def view(self) -> View:
        """The public snapshot."""
        raise NotImplementedError

    @classmethod
    def kind(cls) -> str:
        return cls.__name__.lower()
