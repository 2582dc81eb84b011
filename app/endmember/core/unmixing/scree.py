"""How many components a map holds: eigenvalues of the scaled counts against pure noise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numba
import numpy as np

from endmember.core.counts.sparse_sums import BLOCKS, for_each_block
from endmember.core.counts.spectrum import FloatArray
from endmember.core.counts.spectrum_image import IntArray, SpectrumImage
from endmember.core.progress import Report, part_of, parts_of, silent

LARGEST_NUMBER_OF_GROUPS = 600
ROWS_AT_ONCE = 1024  # pixels, whose rows stay in the processor's cache
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
def _scaled_rows(starts, groups, counts, first, last, out):  # type: ignore[no-untyped-def]
    """Write x_p / sqrt(n_p) of the pixels first:last with n_p counts into the rows of `out`."""
    for pixel in range(first, last):
        row = out[pixel - first]
        row[:] = 0.0
        total = 0.0
        for entry in range(starts[pixel], starts[pixel + 1]):
            row[groups[entry]] += counts[entry]
            total += counts[entry]
        if total > 0.0:
            row /= np.sqrt(total)


@numba.njit(cache=True, nogil=True)
def _group_block(starts, channels, groups, first, last, out):  # type: ignore[no-untyped-def]
    """Translate the channels of each entry into groups."""
    for entry in range(starts[first], starts[last]):
        out[entry] = groups[channels[entry]]


@numba.njit(cache=True, nogil=True)
def _random(state):  # type: ignore[no-untyped-def]
    """64 random bits from `state` (1,): splitmix64 (Steele, Lea & Flood, OOPSLA 2014)."""
    state[0] += np.uint64(0x9E3779B97F4A7C15)
    bits = state[0]
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return bits ^ (bits >> np.uint64(31))


@numba.njit(cache=True, nogil=True)
def _drawn_rows(totals, shares, groups, state, first, last, out):  # type: ignore[no-untyped-def]
    """Write counts drawn for the pixels first:last, scaled, into the rows of `out`.

    Each pixel keeps its number of counts; `shares` (G,) and `groups` (G, 2) are of `alias_table`.
    """
    size = np.uint64(len(shares))
    low_half, half = np.uint64(0xFFFFFFFF), np.uint64(32)
    for pixel in range(first, last):
        row = out[pixel - first]
        row[:] = 0.0
        bits = np.uint64(0)
        for n in range(totals[pixel]):
            bits = bits >> half if n % 2 else _random(state)
            place = (bits & low_half) * size  # group, and where in its share, of 32 bits each
            group = np.int64(place >> half)
            # looked up, since half of the branches would be foreseen wrongly
            row[groups[group, np.int64((place & low_half) >= shares[group])]] += np.float32(1.0)
        if totals[pixel] > 0:
            row /= np.sqrt(totals[pixel])


def alias_table(weights: FloatArray) -> tuple[IntArray, IntArray]:
    """To draw one of G groups in one step: shares (G,) in units of 2^-32, and groups (G, 2).

    Each has a place of equal size: its own share first, filled up by one other group (Walker, ACM
    Trans. Math. Softw. 3, 1977, 253).
    """
    left = weights / weights.sum() * len(weights)
    shares, others = np.ones(len(left)), np.arange(len(left))
    small = [n for n, part in enumerate(left) if part < 1.0]
    large = [n for n, part in enumerate(left) if part >= 1.0]
    while small and large:
        one, filling = small.pop(), large[-1]
        shares[one], others[one] = left[one], filling
        left[filling] -= 1.0 - left[one]
        if left[filling] < 1.0:
            small.append(large.pop())
    own = np.arange(len(left))
    return (shares * 2.0**32).astype(np.uint64), np.stack([own, others], axis=1)


@dataclass(frozen=True, slots=True)
class _Events:
    """Counts by pixel; `groups` says in which group of channels each entry lies."""

    starts: IntArray
    groups: IntArray
    counts: IntArray

    @property
    def pixels(self) -> int:
        return len(self.starts) - 1

    def scaled_rows(self, _: int, first: int, last: int, out: FloatArray) -> None:
        """Rows x_p / sqrt(n_p) of the pixels first:last with n_p counts."""
        _scaled_rows(self.starts, self.groups, self.counts, first, last, out)


class NoiseOnly:
    """As many counts in each pixel of a map, their groups drawn by the mean spectrum: only noise.

    `sums` (groups,) are the counts of all maps. For one use: its random numbers go on.
    """

    def __init__(self, image: SpectrumImage, sums: FloatArray, seed: tuple[int, int]) -> None:
        self.totals = image.count_map().ravel().astype(np.int64)
        self.pixels = len(self.totals)
        self._table = alias_table(sums)
        self._states = np.random.SeedSequence(seed).generate_state(BLOCKS, np.uint64)

    def scaled_rows(self, block: int, first: int, last: int, out: FloatArray) -> None:
        """As `_Events.scaled_rows`; the rows of a block must be asked for in their order."""
        state = self._states[block : block + 1]
        _drawn_rows(self.totals, *self._table, state, first, last, out)


def _eigenvalues(
    maps: Sequence[_Events | NoiseOnly], sums: FloatArray, report: Report
) -> FloatArray:
    """Eigenvalues of sum_p z_p z_p^T, z_pg = x_pg / sqrt(n_p N_g / N), largest first."""
    gram = np.zeros((len(sums), len(sums)))
    for events, within in zip(maps, parts_of(report, len(maps)), strict=True):
        partial = np.zeros((BLOCKS, *gram.shape))

        def work(block: int, first: int, last: int, events=events, partial=partial) -> None:  # type: ignore[no-untyped-def]
            # a product of dense rows, mostly zeros as they are, is faster than pairs of counts
            # in single precision: a sum over so many rows is right to 1e-6, the noise to 1e-3
            rows = np.empty((ROWS_AT_ONCE, len(sums)), dtype=np.float32)
            for start in range(first, last, ROWS_AT_ONCE):
                stop = min(start + ROWS_AT_ONCE, last)
                some = rows[: stop - start]
                events.scaled_rows(block, start, stop, some)
                partial[block] += some.T @ some

        for_each_block(events.pixels, work, within)
        gram += partial.sum(axis=0)
    scale = np.sqrt(sums)
    values = np.linalg.eigvalsh(gram / np.outer(scale, scale))[::-1]
    return np.asarray(values * sums.sum())


def _grouped(image: SpectrumImage, groups: IntArray, report: Report) -> _Events:
    small = groups.astype(np.int16)
    out = np.empty(len(image.channels), dtype=np.int16)

    def work(_: int, first: int, last: int) -> None:
        _group_block(image.starts, image.channels, small, first, last, out)

    for_each_block(len(image.starts) - 1, work, report)
    return _Events(image.starts, out, image.counts)


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
    values. The noise level comes from as many counts in each pixel drawn by the mean spectrum.

    Raises
    ------
    ValueError
        if there is no map, the maps have different energy axes, or they hold no counts.
    """
    check_same_axis(images)
    spectrum = np.sum([image.spectrum().counts for image in images], axis=0)
    groups = _groups(spectrum)
    sums = np.bincount(groups, weights=spectrum).astype(np.float64)
    within = parts_of(part_of(report, 0.0, 0.1), len(images))
    maps = [_grouped(image, groups, part) for image, part in zip(images, within, strict=True)]
    pixels = sum(int(np.count_nonzero(np.diff(image.starts))) for image in images)
    values = _eigenvalues(maps, sums, part_of(report, 0.1, 0.5)) / pixels
    level = 0.0
    if len(sums) > 1:
        noise = [NoiseOnly(image, sums, (seed, n)) for n, image in enumerate(images)]
        level = float(_eigenvalues(noise, sums, part_of(report, 0.5, 1.0))[1]) / pixels
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
