"""The base of every model of a definition: unknown fields are refused with the nearest name."""

from __future__ import annotations

from inspect import Parameter, Signature
from typing import TYPE_CHECKING, Any, ClassVar, cast

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from orchestration_kit.errors import did_you_mean, listed


def fields_of(value: object) -> dict[str, Any]:
    """Return what a model is made of where it is given as a mapping; nothing where it is anything else."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


class Model(BaseModel):
    """A pydantic model that refuses unknown fields, naming the one that was probably meant."""

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid", validate_assignment=True, defer_build=True)

    @classmethod
    def __pydantic_init_subclass__(cls, **_: Any) -> None:
        """Show the fields on Shift+Tab also before pydantic has built the model, which waits for its first use."""
        parameters = [
            Parameter(name, Parameter.KEYWORD_ONLY, default=Parameter.empty if field.is_required() else field.default)
            for name, field in cls.model_fields.items()
        ]
        cls.__signature__ = Signature(sorted(parameters, key=lambda one: one.default is not Parameter.empty))

    @model_validator(mode="before")
    @classmethod
    def _refuse_unknown_fields(cls, fields: Any) -> Any:
        given = fields_of(fields)
        if not given.keys() <= cls.model_fields.keys():
            known = list(cls.model_fields)
            unknown = [str(name) for name in given if name not in cls.model_fields]
            raise ValueError(
                f"{cls.__name__} has no field {unknown[0]!r}."
                f"{did_you_mean(unknown[0], known)} Its fields: {listed(known, limit=20)}."
            )
        return fields

    if not TYPE_CHECKING:

        def __setattr__(self, name: str, value: Any) -> None:
            before = dict(self.__dict__)
            try:
                super().__setattr__(name, value)
            except ValidationError:
                self.__dict__.update(before)  # pydantic has set the value already when a whole-model check refuses it
                raise
