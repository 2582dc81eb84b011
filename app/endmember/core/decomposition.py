"""Component maps and spectra by non-negative matrix factorisation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from endmember.core.counts import SpectrumImage
from endmember.core.poisson_nmf import Factors, poisson_factors
from endmember.core.progress import Report, silent
from endmember.core.scree import check_same_axis
from endmember.core.spectrum import FloatArray

Method = Literal["poisson", "frobenius"]


@dataclass(frozen=True, eq=False, slots=True)
class Decomposition:
    """Components of one or several maps, the one with most counts first.

    `maps` holds for each image its component maps (K, rows, columns) in counts; `spectra` (K, C)
    have unit area, so that maps times spectra are counts. `losses` is the loss after each
    iteration: the Poisson deviance, or half the squared error of the scaled counts. Component
    spectra lose traces and have gaps in their background: they are for maps, not to be quantified.
    """

    maps: tuple[FloatArray, ...]
    spectra: FloatArray
    losses: FloatArray
    converged: bool

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


def _frobenius_factors(
    images: Sequence[SpectrumImage],
    components: int,
    seed: int,
    report: Report,
    max_iterations: int,
    tolerance: float,
) -> Factors:
    """scikit-learn's NMF on counts scaled after Keenan & Kotula 2004, scaled back afterwards."""
    import scipy.sparse as sp
    from sklearn.decomposition import non_negative_factorization

    channels = images[0].axis.channels
    counts: Any = sp.vstack(
        [
            sp.csr_matrix(
                (image.counts.astype(np.float64), image.channels.astype(np.int32), image.starts),
                shape=(image.rows * image.columns, channels),
            )
            for image in images
        ],
        format="csr",
    )
    row = np.sqrt(np.asarray(counts.mean(axis=1)).ravel())
    column = np.sqrt(np.asarray(counts.mean(axis=0)).ravel())
    pixel_kept, channel_kept = row > 0, column > 0
    row, column = row[pixel_kept], column[channel_kept]
    scaled = sp.csr_matrix(
        sp.diags(1 / row) @ counts[pixel_kept][:, channel_kept] @ sp.diags(1 / column)
    )
    del counts
    half_square = 0.5 * float((scaled.data**2).sum())
    # tol=0 keeps scikit-learn from warning: one iteration at a time is asked for on purpose
    options: dict[str, Any] = {
        "n_components": components, "max_iter": 1, "tol": 0.0, "random_state": seed
    }  # fmt: skip
    init = "nndsvda" if components <= min(scaled.shape) else "random"
    weights, profiles, _ = non_negative_factorization(scaled, init=init, **options)
    losses: list[float] = []
    converged = False
    while not converged and len(losses) < max_iterations:
        report(len(losses) / max_iterations)
        weights, profiles, _ = non_negative_factorization(
            scaled, W=weights, H=profiles, init="custom", **options
        )
        cross = float((weights * (scaled @ profiles.T)).sum())
        square = float(((weights.T @ weights) * (profiles @ profiles.T)).sum())
        losses.append(half_square - cross + 0.5 * square)
        converged = len(losses) > 1 and losses[-2] - losses[-1] < tolerance * losses[-1]
    full_weights = np.zeros((len(pixel_kept), components))
    full_weights[pixel_kept] = weights * row[:, None]
    full_profiles = np.zeros((channels, components))
    full_profiles[channel_kept] = (profiles * column).T
    return Factors(full_weights, full_profiles, np.array(losses), converged)


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
    "frobenius" is scikit-learn's NMF on counts divided by sqrt(pixel mean x channel mean) (Keenan &
    Kotula 2004), scaled back. It ends when an iteration lowers the loss by less than `tolerance` of
    itself, or after `max_iterations`. The same seed gives the same result.

    Raises
    ------
    ValueError
        if the maps differ in energy axis, hold no counts, have fewer channels or pixels than
        components, or the method is unknown.
    Cancelled
        from `report`, between iterations.
    """
    _check(images, components)
    if method == "poisson":
        found = poisson_factors(images, components, seed, report, max_iterations, tolerance)
    elif method == "frobenius":
        found = _frobenius_factors(images, components, seed, report, max_iterations, tolerance)
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
