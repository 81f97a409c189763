"""What may be wrong with an article of each family, and the safety questions that are asked then."""

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from sav_contracts.catalog.article import Family
from sav_contracts.claims.reclamation import ProblemType, Safety
from sav_contracts.claims.safety import Danger, Words
from sav_contracts.messages import Message, Query, View

QUESTIONS: Mapping[Danger, Words] = {
    "gas_smell": Words(en="Do you smell gas?", fr="Sentez-vous une odeur de gaz ?"),
    "co_alarm": Words(
        en="Has a carbon monoxide alarm gone off, or does anybody have a headache or nausea?",
        fr="Un détecteur de monoxyde de carbone s’est-il déclenché, ou quelqu’un a-t-il mal à la tête ou des nausées ?",
    ),
    "flooding": Words(
        en="Is water running that you cannot stop?",
        fr="L’eau coule-t-elle sans que vous puissiez l’arrêter ?",
    ),
}
LABELS: Mapping[ProblemType, Words] = {
    "leak": Words(en="Leak", fr="Fuite"),
    "no_heating": Words(en="No heating", fr="Pas de chauffage"),
    "no_hot_water": Words(en="No hot water", fr="Pas d’eau chaude"),
    "low_pressure": Words(en="Low pressure", fr="Pression insuffisante"),
    "electrical": Words(en="Electrical fault", fr="Panne électrique"),
    "noise": Words(en="Unusual noise", fr="Bruit anormal"),
    "breakage": Words(en="Broken piece", fr="Pièce cassée"),
    "other": Words(en="Something else", fr="Autre problème"),
}
_BURNS: tuple[Danger, ...] = ("gas_smell", "co_alarm")
_RUNS: tuple[Danger, ...] = ("flooding",)
_ALL: tuple[Danger, ...] = (*_BURNS, *_RUNS)

# The types of each family, with their questions; None is an article described in words, which may be anything.
PROBLEMS: Mapping[Family | None, Mapping[ProblemType, tuple[Danger, ...]]] = {
    "heating": {
        "no_heating": _BURNS,
        "no_hot_water": _BURNS,
        "leak": ("gas_smell", "flooding"),
        "low_pressure": _RUNS,
        "electrical": _BURNS,
        "noise": _BURNS,
        "breakage": _ALL,
        "other": _ALL,
    },
    "sanitary": {
        "leak": _RUNS,
        "no_hot_water": _BURNS,
        "low_pressure": _RUNS,
        "electrical": _RUNS,
        "noise": (),
        "breakage": _RUNS,
        "other": _ALL,
    },
    "part": {"leak": _RUNS, "electrical": (), "noise": (), "breakage": _RUNS, "other": _ALL},
    None: {
        "no_heating": _BURNS,
        "no_hot_water": _BURNS,
        "leak": ("gas_smell", "flooding"),
        "low_pressure": _RUNS,
        "electrical": _ALL,
        "noise": _BURNS,
        "breakage": _ALL,
        "other": _ALL,
    },
}


def unanswered(family: Family | None, problem_type: ProblemType, safety: Safety) -> tuple[Danger, ...]:
    """The questions of this type to which no answer was given."""
    asked = PROBLEMS[family].get(problem_type, ())
    return tuple(question for question in asked if question not in safety.model_fields_set)


class SafetyQuestion(Message):
    """A question to be asked; its answer is the field of that name in `safety`."""

    name: Danger
    text: Words


class ProblemTypeShown(Message):
    """A type of problem, and what is asked when somebody chooses it."""

    problem_type: ProblemType
    label: Words
    questions: tuple[SafetyQuestion, ...]


class ProblemsOfFamily(Message):
    """The types of one family; of an article that is described in words where `family` is null."""

    family: Family | None = Field(examples=["heating"])
    types: tuple[ProblemTypeShown, ...]


class ProblemTypes(Message):
    """The types of problems of each family of articles."""

    items: tuple[ProblemsOfFamily, ...]


class FindProblemTypes(Query[ProblemTypes]):
    """Get the types of problems for each family of articles, with their safety questions, for a form that reports a fault."""

    of: ClassVar[type[View] | None] = None


def problem_types() -> ProblemTypes:
    """All of the above, as a form reads it."""
    return ProblemTypes(
        items=tuple(
            ProblemsOfFamily(
                family=family,
                types=tuple(
                    ProblemTypeShown(
                        problem_type=kind,
                        label=LABELS[kind],
                        questions=tuple(SafetyQuestion(name=name, text=QUESTIONS[name]) for name in asked),
                    )
                    for kind, asked in types.items()
                ),
            )
            for family, types in PROBLEMS.items()
        )
    )
