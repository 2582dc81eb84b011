"""The whole chain repeated on counts drawn anew: errors that nobody had to derive."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from endmember.core.counts.spectrum_image import smallest_unsigned
from endmember.core.progress import Report, part_of, parts_of, silent
from endmember.core.quantification.cliff_lorimer import Method
from endmember.core.unmixing.decomposition import refined
from endmember.session.decisions.recipe import changed
from endmember.session.statistics.recomposition import Place, by_mask, data_of, masks_of, recomposed
from endmember.session.steps.common_energies import on_one_axis
from endmember.session.steps.separation import MapMasks, make_masks

if TYPE_CHECKING:
    from endmember.core.counts.spectrum_image import SpectrumImage
    from endmember.core.quantification.composition import Composition
    from endmember.session.state.session import Session
    from endmember.session.steps.chain import Decomposed
    from endmember.session.steps.map_data import MapData

LEAST_REPLICATES = 2
STREAM = 5303  # keeps these random numbers apart from those of other steps


@dataclass(frozen=True, slots=True)
class BootstrapError:
    """One row of bootstrap.csv, in at.%.

    `atomic_percent_sigma` is the stated statistical error, `bootstrap_sigma` the scatter of the
    replicates and `bootstrap_sigma_error` that of this scatter; `ratio` the second over the first.
    `bootstrap_shift` is the mean of the replicates less the value: what noise does to masks and
    matrix moves it. `replicates` counts those in which the element was measured.
    """

    phase: str
    map: str
    element: str
    atomic_percent: float
    atomic_percent_sigma: float
    bootstrap_sigma: float
    bootstrap_sigma_error: float
    ratio: float
    bootstrap_shift: float
    replicates: int


def resampled(image: SpectrumImage, rng: np.random.Generator) -> SpectrumImage:
    """The map with each count n replaced by a Poisson number of mean n (Efron & Tibshirani 1993).

    Sums over many pixels scatter as they do from one measurement to the next. A single pixel is
    noisier than a measured one, by the root of 2: its own noise is in n already.
    """
    counts = rng.poisson(image.counts)
    kept = counts > 0
    before = np.concatenate([[0], np.cumsum(kept)])
    return replace(
        image,
        starts=before[image.starts].astype(np.int64),
        channels=image.channels[kept],
        counts=counts[kept].astype(smallest_unsigned(counts.max(initial=0))),
    )


def bootstrap(
    session: Session, replicates: int, report: Report = silent
) -> tuple[BootstrapError, ...]:
    """Masks, subtraction and composition on `replicates` resampled copies of all maps.

    The decomposition is not begun anew: the present profiles are refined on the new counts. The
    component that shows each precipitate stays. All by the seed of the decomposition.

    Raises
    ------
    ValueError
        if fewer than 2 replicates are asked for, or nothing could be measured in any.
    """
    if replicates < LEAST_REPLICATES:
        raise ValueError(
            f"a bootstrap of {replicates} has no scatter: ask for at least {LEAST_REPLICATES}"
        )
    data, present = data_of(session), by_mask(session.result("quantification"))
    found: list[dict[Place, Composition]] = []
    for number, within in enumerate(parts_of(report, replicates)):
        rng = np.random.default_rng([session.recipe.decomposition.seed, STREAM, number])
        again = {n: replace(d, image=resampled(d.image, rng)) for n, d in data.items()}
        try:
            masks = _masks(session, again, part_of(within, 0.0, 0.5))
            found.append(recomposed(session, again, masks, part_of(within, 0.5, 1.0)))
        except np.linalg.LinAlgError:  # a ValueError, but a fault of the program
            raise
        except ValueError:
            continue  # this replicate cannot be separated; `replicates` says how many could
    if not found:
        raise ValueError(
            "no resampled copy of the maps could be separated, so there is no bootstrap: sum over "
            "more pixels, or leave the bootstrap out"
        )
    return tuple(
        row
        for place, composition in present.items()
        for row in _rows(place, composition, [f[place] for f in found if place in f])
    )


def _masks(session: Session, data: Mapping[str, MapData], report: Report) -> dict[str, MapMasks]:
    """The masks of all maps from the present components, refined on these counts."""
    recipe, present = session.recipe, masks_of(session)
    masks: dict[str, MapMasks] = {}
    groups = session.table.groups("decomposition", recipe)
    for names, within in zip(groups, parts_of(report, len(groups)), strict=True):
        decomposed: Decomposed = session.result("decomposition", names[0])
        moved, _ = on_one_axis({name: data[name] for name in names})
        found = refined(
            [d.image for d in moved.values()],
            decomposed.found,
            recipe.decomposition.method,
            part_of(within, 0.0, 0.8),
        )
        for number, name in enumerate(names):
            precipitates = [
                changed(p, component=present[name].components.get(p.name, p.component))
                for p in recipe.precipitates
            ]
            masks[name] = make_masks(
                part_of(within, 0.8, 1.0),
                precipitates,
                recipe.segmentation,
                Method(recipe.sample.elements, recipe.sample.system_elements),
                recipe.map_named(name).excludes,
                data[name],
                found,
                number,
            )
    return masks


def _rows(
    place: Place, present: Composition, replicates: list[Composition]
) -> list[BootstrapError]:
    rows = []
    for row in present.rows:
        if row.atomic_percent is None or not row.atomic_percent_sigma:
            continue
        found = [one[row.element].atomic_percent for one in replicates]
        values = np.array([x for x in found if x is not None], np.float64)
        if len(values) < LEAST_REPLICATES:
            continue
        sigma = float(values.std(ddof=1))
        rows.append(
            BootstrapError(
                *place,
                row.element,
                row.atomic_percent,
                row.atomic_percent_sigma,
                sigma,
                sigma / (2.0 * (len(values) - 1)) ** 0.5,
                sigma / row.atomic_percent_sigma,
                float(values.mean()) - row.atomic_percent,
                len(values),
            )
        )
    return rows
