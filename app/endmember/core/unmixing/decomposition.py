"""Component maps and spectra by non-negative matrix factorisation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from endmember.core.counts.spectrum import EnergyAxis, FloatArray
from endmember.core.counts.spectrum_image import SpectrumImage
from endmember.core.progress import Report, silent
from endmember.core.unmixing.least_squares_nmf import least_squares_factors
from endmember.core.unmixing.poisson_nmf import TINY, Factors, refine
from endmember.core.unmixing.poisson_start import poisson_factors
from endmember.core.unmixing.scree import check_same_axis

Method = Literal["poisson", "frobenius"]


@dataclass(frozen=True, eq=False, slots=True, weakref_slot=True)
class Decomposition:
    """Components of one or several maps, the one with most counts first.

    `maps` holds for each image its component maps (K, rows, columns) in counts; `spectra` (K, C)
    have unit area, so that maps times spectra are counts. `losses` is the loss after each
    iteration: the Poisson deviance, or half the squared error of the scaled counts. Component
    spectra lose traces and have gaps in their background: they are for maps, not to be quantified.
    `axis` is that of `spectra`, None where it is the one of the maps.
    """

    maps: tuple[FloatArray, ...]
    spectra: FloatArray
    losses: FloatArray
    converged: bool
    axis: EnergyAxis | None = None

    @property
    def iterations(self) -> int:
        """Number of iterations done."""
        return len(self.losses)


def _check(images: Sequence[SpectrumImage], components: int) -> None:
    check_same_axis(images)
    spectrum = np.sum([image.spectrum().counts for image in images], axis=0)
    channels = int(np.count_nonzero(spectrum))
    pixels = sum(int(np.count_nonzero(np.diff(image.starts))) for image in images)
    if components < 1:
        raise ValueError(f"{components} components cannot be asked for: ask for at least 1")
    for number, name in ((channels, "channels"), (pixels, "pixels")):
        if components > number:
            raise ValueError(
                f"{components} components are more than the {number} {name} with counts: "
                "ask for fewer components"
            )


def decompose(
    images: Sequence[SpectrumImage],
    components: int,
    method: Method = "poisson",
    seed: int = 0,
    report: Report = silent,
    max_iterations: int = 300,
    tolerance: float = 1e-6,
) -> Decomposition:
    """Split maps on one energy axis into `components` components common to all.

    "poisson" maximises the Poisson likelihood of the counts (Lee & Seung 2001, Kullback-Leibler);
    "frobenius" is NMF by least squares on counts divided by sqrt(pixel mean x channel mean) (Keenan
    & Kotula 2004), scaled back. It ends when an iteration lowers the loss by less than `tolerance`
    of itself, for "poisson" when the next can do no more either, or after `max_iterations`. The
    same seed gives the same result.

    Raises
    ------
    ValueError
        if the maps differ in energy axis, hold no counts, have fewer channels or pixels than
        components, or the method is unknown.
    Cancelled
        from `report`, which is called several times in an iteration.
    """
    _check(images, components)
    if method == "poisson":
        found = poisson_factors(images, components, seed, report, max_iterations, tolerance)
    elif method == "frobenius":
        found = least_squares_factors(images, components, seed, report, max_iterations, tolerance)
    else:
        raise ValueError(f'the method "{method}" is unknown: choose "poisson" or "frobenius"')
    report(1.0)
    return _ordered(images, found)


def _ordered(images: Sequence[SpectrumImage], found: Factors) -> Decomposition:
    """Profiles of unit area, weights in counts, the largest component first."""
    area = found.profiles.sum(axis=0)
    weights = found.weights * area
    order = np.argsort(-weights.sum(axis=0), kind="stable")
    weights = weights[:, order]
    spectra = (found.profiles / np.where(area > 0, area, 1.0)).T[order]
    maps, first = [], 0
    for image in images:
        pixels = image.rows * image.columns
        maps.append(
            np.ascontiguousarray(
                weights[first : first + pixels].T.reshape(-1, image.rows, image.columns)
            )
        )
        first += pixels
    for array in (*maps, spectra, found.losses):
        array.flags.writeable = False
    return Decomposition(tuple(maps), np.ascontiguousarray(spectra), found.losses, found.converged)


REFINING_PASSES = 5  # over the counts: two EM steps and two of Newton, from profiles nearly right


def refined(
    images: Sequence[SpectrumImage],
    found: Decomposition,
    method: Method = "poisson",
    report: Report = silent,
) -> Decomposition:
    """The components of a decomposition fitted to other counts of the same maps, in their order.

    "poisson": a few passes from the present profiles. "frobenius": the present profiles are kept,
    and the weights of the pixels found by their Poisson likelihood.

    Raises
    ------
    ValueError
        if the maps differ in energy axis or hold no counts.
    """
    check_same_axis(images)
    passes = REFINING_PASSES if method == "poisson" else 1
    factors = refine(images, np.asarray(found.spectra.T) + TINY, passes, 0.0, report)
    maps, first = [], 0
    for image in images:
        pixels = image.rows * image.columns
        own = factors.weights[first : first + pixels]
        maps.append(np.ascontiguousarray(own.T.reshape(-1, image.rows, image.columns)))
        first += pixels
    spectra = np.ascontiguousarray(factors.profiles.T)
    return Decomposition(tuple(maps), spectra, factors.losses, factors.converged, images[0].axis)
