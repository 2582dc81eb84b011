"""How much of each precipitate is left in the mask of the pure matrix, measured from spectra."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from endmember.core.counts.spectrum import FloatArray
from endmember.core.counts.spectrum_image import BoolArray, SpectrumImage
from endmember.core.masks.mask_algebra import Partition
from endmember.core.unmixing.abundance import unit_area

ALIKE = 1e10  # condition number from which spectra cannot be told apart
OUTSTANDING = 5.0  # robust standard deviations of the smoothed abundance
PRESENT = 3.0


def core_of_matrix(part: Partition, margin_px: float = 3.0) -> BoolArray:
    """Matrix pixels (rows, columns) at least `margin_px` pixels from every precipitate's mask."""
    from scipy.ndimage import distance_transform_edt

    masked = np.zeros_like(part.matrix)
    for mask in part.components.values():
        masked |= mask
    if not masked.any():
        return part.matrix.copy()
    return np.asarray(part.matrix & (distance_transform_edt(~masked) > margin_px), dtype=bool)


def matrix_purity(
    image: SpectrumImage,
    part: Partition,
    endmembers: Mapping[str, FloatArray],
    margin_px: float = 3.0,
) -> dict[str, tuple[float, float]]:
    """Share e_k of the matrix mask's counts that come from precipitate k, with its sigma.

    The summed spectrum of the matrix mask is fitted by (1 - sum e_k) b_core + sum e_k p_k, with p_k
    the `endmembers` (C,) at unit area and b_core the spectrum of the core, the matrix pixels more
    than `margin_px` from every mask. What is measured is the difference to the core: a precipitate
    that lies wholly in the core is not seen. Only the ring between the core and the masks is
    independent of b_core; the error comes from the counts of both. Channels are weighted by the
    whole matrix spectrum, whose noise is independent, to first order, of the difference of ring
    and core, so the noise of the core does not bias e_k.

    A mask drawn on the same counts takes pixels in which noise looks like precipitate and leaves
    those in which it looks like matrix. At 160 counts per pixel this lowers e_k by about its sigma
    (1e-4), in the spectrum itself and not only in its measurement; the sigma does not hold it.

    Raises
    ------
    ValueError
        if there is no core or no ring, or an endmember has no counts.
    """
    if not endmembers:
        return {}
    core_mask = core_of_matrix(part, margin_px)
    core = image.spectrum(core_mask).counts
    ring = image.spectrum(part.matrix & ~core_mask).counts
    n_core, n_ring = float(core.sum()), float(ring.sum())
    if n_core == 0 or n_ring == 0:
        lacking = "further than" if n_core == 0 else "within"
        raise ValueError(
            f"no matrix pixel with counts lies {lacking} {margin_px:g} px from the masks, so the "
            "purity of the matrix cannot be measured: make the masks smaller or leave more matrix"
        )
    pooled = (core + ring) / (n_core + n_ring)
    used = pooled > 0
    pure = unit_area(np.array(list(endmembers.values()), dtype=np.float64))
    design = (pure - pooled)[:, used]
    weighted = design / pooled[used]
    estimator = _inverse(weighted @ design.T) @ weighted
    difference = (ring / n_ring - core / n_core)[used]
    against_pooled = estimator @ difference
    share = n_ring / (n_core + n_ring)
    # ring and core as fitted: where the precipitate has peaks, the ring holds more than `pooled`
    change = against_pooled @ design
    expected_ring = np.maximum(pooled[used] + (1.0 - share) * change, 0.0)
    expected_core = np.maximum(pooled[used] - share * change, 0.0)
    variance = expected_ring / n_ring + expected_core / n_core
    sigma = np.sqrt((estimator**2) @ variance)
    # pooled = (1 - sum e) b_core + sum e p, so p - pooled is shorter than p - b_core, which makes
    # the fitted values larger by the factor 1 + share * (their sum)
    share /= 1.0 + share * against_pooled.sum()
    return {
        name: (float(share * e), float(share * s))
        for name, e, s in zip(endmembers, against_pooled, sigma, strict=True)
    }


def _inverse(normal: FloatArray) -> FloatArray:
    if np.linalg.cond(normal) > ALIKE:
        raise ValueError(
            "two precipitates have the same spectrum, or one that of the matrix, so the purity of "
            "the matrix cannot be measured: merge these phases"
        )
    return np.asarray(np.linalg.inv(normal), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Missed:
    """A patch of matrix pixels that looks like a precipitate: its centre and size in pixels."""

    x: int
    y: int
    pixels: int


def missed_precipitates(
    abundance: FloatArray, part: Partition, smoothing_px: float = 2.0
) -> tuple[Missed, ...]:
    """Patches of the matrix mask where the abundance of a precipitate stands out, largest first.

    `abundance` (rows, columns) is smoothed, and pixels of the core of the matrix more than
    `OUTSTANDING` robust standard deviations above its median are joined to patches; those smaller
    than a smoothed noise peak are left out. This sees what `matrix_purity` cannot: precipitates far
    from every mask.
    """
    from scipy.ndimage import center_of_mass, label

    core = core_of_matrix(part)
    if not core.any():
        return ()
    score = _standing_out(abundance, core, smoothing_px)
    patches, number = label(core & (score > OUTSTANDING))
    sizes = np.bincount(patches.ravel(), minlength=number + 1)
    least = 2 * np.pi * smoothing_px**2
    found = []
    for index in range(1, number + 1):
        if sizes[index] >= least:
            y, x = center_of_mass(patches == index)
            found.append(Missed(round(x), round(y), int(sizes[index])))
    return tuple(sorted(found, key=lambda patch: -patch.pixels))


def empty_share(
    abundance: FloatArray, mixture: BoolArray, part: Partition, smoothing_px: float = 2.0
) -> float:
    """The share of a mixture's mask in which the smoothed abundance map shows no precipitate.

    No precipitate: less than `PRESENT` robust standard deviations above the core of the matrix.
    A mask that follows its precipitate has a narrow rim of such pixels; one that fills its
    rectangle holds mostly matrix. Zero where there is no core to compare with.
    """
    core = core_of_matrix(part)
    if not core.any():
        return 0.0
    return float(np.mean(_standing_out(abundance, core, smoothing_px)[mixture] < PRESENT))


def _standing_out(abundance: FloatArray, core: BoolArray, smoothing_px: float) -> FloatArray:
    """The smoothed abundance in robust standard deviations from its median over the core."""
    from scipy.ndimage import gaussian_filter

    smooth = gaussian_filter(np.nan_to_num(abundance), smoothing_px)
    median = np.median(smooth[core])
    spread = 1.4826 * np.median(np.abs(smooth[core] - median))
    return np.asarray((smooth - median) / max(float(spread), 1e-12))
