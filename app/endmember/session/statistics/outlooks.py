"""What the goals of a recipe need: more pixels, more maps, more minutes."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from endmember.core.fitting.subtraction import matrix_variance_share
from endmember.core.quantification.outlook import Noise, times_needed
from endmember.session.steps.compositions import SUM, Compositions

if TYPE_CHECKING:
    from endmember.core.quantification.composition import ElementResult
    from endmember.session.decisions.recipe import Recipe
    from endmember.session.state.session import Session
    from endmember.session.steps.compositions import Entry
    from endmember.session.steps.separation import MapPhases

TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True)
class Outlook:
    """One row of outlook.csv: what a goal needs; what cannot be said or reached is None.

    `figure` is "lod_ppm" or "relative_error_percent". `times_counts`: of everything, today's counts
    being 1. `maps_needed` maps like those of this row, `minutes_needed` at today's rate (the live
    time of the file), `pixels_needed` of this phase alone, with the matrix measured as it is.
    `state`: "reached"; "needs more"; "not by pixels of this phase" (the matrix that is subtracted
    is too noisy for it: only more of everything helps); "not measured"; "not detected" (there is no
    relative error of nothing).
    """

    phase: str
    map: str
    element: str
    figure: str
    present: float | None
    asked: float
    state: str
    times_counts: float | None = None
    pixels_now: int | None = None
    pixels_needed: int | None = None
    maps_now: int | None = None
    maps_needed: int | None = None
    minutes_now: float | None = None
    minutes_needed: float | None = None


def outlooks(session: Session) -> tuple[Outlook, ...]:
    """What each goal of the recipe needs in each phase, by mask: per map and for their sum."""
    recipe = session.recipe
    found: Compositions = session.result("quantification")
    return tuple(
        row
        for entry in found.entries
        if entry.source == "mask"
        for row in _of(session, entry, recipe)
    )


def _of(session: Session, entry: Entry, recipe: Recipe) -> Iterator[Outlook]:
    names = recipe.map_names if entry.map == SUM else (entry.map,)
    seconds = [session.result("read", name).image.live_time_s for name in names]
    minutes = None if None in seconds else sum(s or 0.0 for s in seconds) / 60.0
    now: dict[str, Any] = {
        "pixels_now": entry.pixels,
        "maps_now": len(names),
        "minutes_now": minutes or None,
    }
    for figure in ("lod_ppm", "relative_error_percent"):
        goals = getattr(recipe.goal, figure)
        for element, asked in goals.items():
            row = entry.composition[element]
            noise = _noise(session, entry, row)
            yield _outlook(entry, row, figure, float(asked), noise, now)


def _outlook(
    entry: Entry, row: ElementResult, figure: str, asked: float, noise: Noise, now: dict[str, Any]
) -> Outlook:
    present = row.lod_ppm
    if figure == "relative_error_percent":
        value, sigma = row.atomic_percent, row.atomic_percent_sigma
        certain = row.detected in ("yes", "quantifiable") and value and sigma
        present = 100.0 * sigma / value if certain and value and sigma else None
    place = (entry.phase, entry.map, row.element, figure, present, asked)
    if present is None:
        state = "not detected" if row.detected == "no" else "not measured"
        return Outlook(*place, state, **now)
    times = times_needed(present, asked, noise, "everything")
    pixels = times_needed(present, asked, noise, "own pixels")
    assert times is not None
    state = "reached" if times <= 1 else "needs more"
    if state == "needs more" and pixels is None:
        state = "not by pixels of this phase"
    minutes = now["minutes_now"]
    return Outlook(
        *place,
        state,
        times,
        pixels_needed=None if pixels is None else _whole(pixels * now["pixels_now"]),
        maps_needed=_whole(times * now["maps_now"]),
        minutes_needed=None if minutes is None else times * minutes,
        **now,
    )


def _whole(number: float) -> int:
    """Rounded up, but not for the last digit."""
    return math.ceil(number * (1.0 - TOLERANCE))


def _noise(session: Session, entry: Entry, row: ElementResult) -> Noise:
    """How much of the variance of an element's area comes from the matrix subtracted.

    Of the sum of the maps, the mean over the maps weighted by the variances of their areas.
    """
    recipe = session.recipe
    if entry.phase == recipe.sample.matrix or row.line is None:
        return Noise()
    precipitate = recipe.precipitate_named(entry.phase)
    total, of_matrix = 0.0, 0.0
    for name in recipe.map_names if entry.map == SUM else (entry.map,):
        phases: MapPhases = session.result("subtraction", name)
        if entry.phase not in phases.subtractions:
            continue
        fit = phases.mixtures[entry.phase].fit
        done = phases.subtractions[entry.phase]
        shares = matrix_variance_share(fit, phases.matrix.fit, precipitate.absent, done)
        index = fit.find(row.element, fit.family_of(row.element) or "")
        if index is None or fit.columns[index].name not in shares:
            continue
        share = shares[fit.columns[index].name]
        variance = float(fit.covariance[index, index]) / max(1.0 - share, 1e-6)
        total, of_matrix = total + variance, of_matrix + share * variance
    fixed = of_matrix / total if total > 0 else 0.0
    return Noise(1.0 - fixed, fixed)
