"""What the results tell a person, step by step, as far as the results are there."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import Any, NamedTuple

from endmember.session.decisions.open_decisions import open_decisions
from endmember.session.decisions.recipe import Recipe
from endmember.session.documents.map_files import change_of_content
from endmember.session.state.session import Failure, Session
from endmember.session.statistics.map_consistency import consistency_sentences, map_consistency
from endmember.session.steps.energy_checks import off_sentence
from endmember.session.steps.formula_units import formula_units


class Remark(NamedTuple):
    """One warning: the step and the map it is about ("" for all maps), and the sentence."""

    step: str
    map: str
    sentence: str


def remarks(session: Session) -> list[Remark]:
    """Every warning of the results that are there, in the order of the steps, each once.

    What a person has still to decide is told as well.
    """
    found: list[Remark] = []
    for name in session.recipe.map_names:
        found += _of_map(session, name)
        if _value(session, "read", name) is not None:
            decisions = open_decisions(session.recipe, name)
            found += [Remark(step, name, text) for step, text in decisions.items()]
    of_recipe = (*_misspelt(session.recipe), *_densities_missing(session.recipe))
    found += [Remark("quantification", "", text) for text in of_recipe]
    quantified = _value(session, "quantification", None)
    if quantified is not None:
        found += [Remark("quantification", "", text) for text in quantified.warnings]
        agreeing = map_consistency(quantified, session.recipe.sample.matrix)
        found += [Remark("quantification", "", text) for text in consistency_sentences(agreeing)]
        _, told = formula_units(quantified, session.recipe.sample.formula_unit)
        found += [Remark("quantification", "", text) for text in told]
    spreads = _value(session, "background_spread", None)
    if spreads is not None:
        found += [Remark("quantification", "", text) for text in spreads.warnings]
    seen: set[str] = set()
    return [r for r in found if not (r.sentence in seen or seen.add(r.sentence))]  # type: ignore[func-returns-value]


def _value(session: Session, step: str, name: str | None) -> Any:
    result = session.result(step, name)
    return None if isinstance(result, Failure) else result


def _of_map(session: Session, name: str) -> Iterator[Remark]:
    if (sentence := change_of_content(session, name)) is not None:
        yield Remark("read", name, sentence)
    decomposed = _value(session, "decomposition", name)
    check = _value(session, "energy_check", name)
    if check is not None and check.is_off:
        yield Remark("read", name, off_sentence(check, session.recipe.map_named(name)))
    for step in ("read", "decomposition", "masks", "subtraction", "abundance"):
        result = _value(session, step, name)
        if step == "masks" and decomposed is not None and not decomposed.found.converged:
            yield Remark(
                "decomposition",
                name,
                f"the decomposition did not converge within {decomposed.found.iterations} "
                "iterations: the component maps may still change",
            )
        for sentence in getattr(result, "warnings", ()):
            yield Remark(step, name, sentence)
    read = _value(session, "read", name)
    if read is not None and session.recipe.map_named(name).thickness_nm is None:
        yield Remark(
            "quantification",
            name,
            f'map "{name}": absorption is not corrected, since the foil thickness (thickness_nm) '
            "is not given; it moves light elements such as O by several at.%",
        )


def _misspelt(recipe: Recipe) -> list[str]:
    """Names in the tables by phase that are nearly those of a phase without an entry.

    Other names are no fault: one table may serve many recipes.
    """
    told = []
    for key, given in (
        ("density_g_cm3", recipe.sample.density_g_cm3),
        ("formula_unit", recipe.sample.formula_unit),
    ):
        missing = [phase for phase in recipe.phases if phase not in given]
        for name in given:
            near = (
                difflib.get_close_matches(name, missing, n=1) if name not in recipe.phases else ()
            )
            told += [
                f'{key} names "{name}", which is no phase: is {phase} meant?' for phase in near
            ]
    return told


def _densities_missing(recipe: Recipe) -> list[str]:
    """A phase without a density is not corrected for absorption even where thickness is known."""
    missing = [phase for phase in recipe.phases if phase not in recipe.sample.density_g_cm3]
    if not missing or not any(entry.thickness_nm is not None for entry in recipe.maps):
        return []
    return [
        f"absorption is not corrected in {', '.join(missing)}: give the density (density_g_cm3)"
    ]
