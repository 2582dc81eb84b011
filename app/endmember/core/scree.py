"""How many components a map holds: eigenvalues of the scaled counts against pure noise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numba
import numpy as np

from endmember.core.counts import IntArray, SpectrumImage
from endmember.core.progress import Report, silent
from endmember.core.sparse_sums import BLOCKS, for_each_block
from endmember.core.spectrum import FloatArray

LARGEST_NUMBER_OF_GROUPS = 600
MARGIN = 4.0  # in units of the fluctuation of a largest noise eigenvalue


@dataclass(frozen=True, slots=True)
class Scree:
    """Eigenvalues of the scaled, uncentred counts, largest first, where noise alone has variance 1.

    `noise_level` is the largest eigenvalue, after the trivial first, that pure counting noise
    reaches, with a margin for its fluctuation. `suggested` is the number of eigenvalues above it.
    The eigenvalues are not explained variance: the counts are not centred.
    """

    eigenvalues: FloatArray
    noise_level: float
    suggested: int


def _groups(spectrum: FloatArray) -> IntArray:
    """The group of each channel: neighbours are joined until each group holds enough counts.

    An entry of an almost empty channel, once scaled to variance 1, is a rare huge number, and a
    few of them make eigenvalues far above the edge of the noise. Sums of Poisson counts are
    Poisson counts, so joining channels removes these entries and changes nothing else.
    """
    least = spectrum.sum() / LARGEST_NUMBER_OF_GROUPS / 2
    groups = np.zeros(len(spectrum), dtype=np.int64)
    number, held = 0, 0.0
    for channel, counts in enumerate(spectrum):
        groups[channel] = number
        held += counts
        if held >= least:
            number, held = number + 1, 0.0
    groups[groups == number] = max(number - 1, 0)  # what was left over joins the last full group
    return groups


@numba.njit(cache=True, nogil=True)
def _gram_block(starts, groups, counts, first, last, out):  # type: ignore[no-untyped-def]
    """Add x_p x_p^T / n_p of each pixel p with n_p counts to `out` (upper and lower half)."""
    row = np.zeros(len(out))
    met = np.empty(len(out), dtype=np.int64)
    for pixel in range(first, last):
        filled = 0
        total = 0.0
        for entry in range(starts[pixel], starts[pixel + 1]):
            group = groups[entry]
            if row[group] == 0.0:
                met[filled] = group
                filled += 1
            row[group] += counts[entry]
            total += counts[entry]
        for i in range(filled):
            scaled = row[met[i]] / total
            for j in range(filled):
                out[met[i], met[j]] += scaled * row[met[j]]
        for i in range(filled):
            row[met[i]] = 0.0


@dataclass(frozen=True, slots=True)
class _Events:
    """Counts by pixel; `groups` says in which group of channels each entry lies."""

    starts: IntArray
    groups: IntArray
    counts: IntArray


def _eigenvalues(maps: Sequence[_Events], sums: FloatArray) -> FloatArray:
    """Eigenvalues of sum_p z_p z_p^T / P, z_pg = x_pg / sqrt(n_p N_g / N), largest first."""
    gram = np.zeros((len(sums), len(sums)))
    pixels = 0
    for events in maps:
        partial = np.zeros((BLOCKS, *gram.shape))

        def work(block: int, first: int, last: int, events=events, partial=partial) -> None:  # type: ignore[no-untyped-def]
            _gram_block(events.starts, events.groups, events.counts, first, last, partial[block])

        for_each_block(len(events.starts) - 1, work)
        gram += partial.sum(axis=0)
        pixels += int(np.count_nonzero(np.diff(events.starts)))
    scale = np.sqrt(sums)
    values = np.linalg.eigvalsh(gram / np.outer(scale, scale))[::-1]
    return np.asarray(values * (sums.sum() / pixels))


def _independent(maps: Sequence[_Events], rng: np.random.Generator) -> list[_Events]:
    """The same counts with their channels dealt out anew: pixels and channels independent.

    Sums over pixels and over channels stay as they were, so this is the exact null hypothesis.
    """
    drawn = []
    for events in maps:
        singles = np.repeat(events.groups, events.counts)
        rng.shuffle(singles)
        before = np.concatenate([[0], np.cumsum(events.counts, dtype=np.int64)])
        ones = np.broadcast_to(np.uint8(1), singles.shape)
        drawn.append(_Events(before[events.starts], singles, ones))
    return drawn


def _fluctuation(pixels: int, channels: int) -> float:
    """Scale of the largest eigenvalue of white noise (Johnstone, Ann. Stat. 29, 2001, eq. 1.3)."""
    p, c = np.sqrt(pixels), np.sqrt(channels)
    return float((p + c) * (1 / p + 1 / c) ** (1 / 3) / pixels)


def scree(
    images: Sequence[SpectrumImage], count: int = 20, seed: int = 0, report: Report = silent
) -> Scree:
    """Eigenvalues of one or several maps after scaling for Poisson noise, and the noise level.

    Each count is divided by sqrt(mean of its pixel x mean of its channel) as in Keenan & Kotula
    (Surf. Interface Anal. 36, 2004, 203); empty pixels and channels drop out, and neighbouring
    channels with few counts are first joined. Not centred. `eigenvalues` has at most `count`
    values. The noise level comes from the same counts with their channels shuffled between pixels.

    Raises
    ------
    ValueError
        if there is no map, the maps have different energy axes, or they hold no counts.
    """
    check_same_axis(images)
    spectrum = np.sum([image.spectrum().counts for image in images], axis=0)
    groups = _groups(spectrum)
    sums = np.bincount(groups, weights=spectrum).astype(np.float64)
    maps = [
        _Events(image.starts, groups.astype(np.int16)[image.channels], image.counts)
        for image in images
    ]
    values = _eigenvalues(maps, sums)
    report(0.4)
    drawn = _independent(maps, np.random.default_rng(seed))
    report(0.7)
    level = float(_eigenvalues(drawn, sums)[1]) if len(sums) > 1 else 0.0
    pixels = sum(int(np.count_nonzero(np.diff(image.starts))) for image in images)
    level += MARGIN * _fluctuation(pixels, len(sums))
    report(1.0)
    return Scree(values[:count], level, max(1, int(np.count_nonzero(values > level))))


def check_same_axis(images: Sequence[SpectrumImage]) -> None:
    """Raise ValueError unless there are maps, on one energy axis, holding counts."""
    if not images:
        raise ValueError("there is no map to decompose: open at least one")
    if any(image.axis != images[0].axis for image in images):
        raise ValueError(
            "the maps have different energy axes and cannot be decomposed together: "
            "decompose each on its own, or bring them to one axis"
        )
    if sum(image.total for image in images) == 0:
        raise ValueError("the maps hold no counts in the energy range: widen the range")
