"""How many components a map holds: eigenvalues of the scaled counts against pure noise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numba
import numpy as np

from endmember.core.counts.sparse_sums import BLOCKS, for_each_block, sums_and_squares
from endmember.core.counts.spectrum import FloatArray
from endmember.core.counts.spectrum_image import IntArray, SpectrumImage
from endmember.core.progress import Report, part_of, parts_of, silent

LARGEST_NUMBER_OF_GROUPS = 600
ROWS_AT_ONCE = 1024  # pixels, whose rows stay in the processor's cache
PILES = 256  # of shuffled counts: each fits the processor's cache
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
def _below(state, limit):  # type: ignore[no-untyped-def]
    """A random whole number from 0 to `limit` - 1, `limit` below 2**32."""
    high = _random(state) >> np.uint64(32)
    return np.int64((high * np.uint64(limit)) >> np.uint64(32))


@numba.njit(cache=True, nogil=True)
def _deal_block(starts, groups, counts, first, last, state, sizes, dealt):  # type: ignore[no-untyped-def]
    """Put each single count of some pixels on one of the piles, drawn at random.

    `sizes` (piles,) receives the sizes; `dealt` the groups, where it is not empty: then `sizes`
    must hold the place of each pile's next count.
    """
    piles = len(sizes)
    for entry in range(starts[first], starts[last]):
        for _ in range(counts[entry]):
            pile = _below(state, piles)
            if len(dealt):
                dealt[sizes[pile]] = groups[entry]
            sizes[pile] += 1


@numba.njit(cache=True, nogil=True)
def _shuffle(singles, first, last, state):  # type: ignore[no-untyped-def]
    """Fisher and Yates' shuffle of singles[first:last]."""
    for place in range(last - 1, first, -1):
        other = first + _below(state, place - first + 1)
        singles[place], singles[other] = singles[other], singles[place]


@dataclass(frozen=True, slots=True)
class _Events:
    """Counts by pixel; `groups` says in which group of channels each entry lies."""

    starts: IntArray
    groups: IntArray
    counts: IntArray


def _eigenvalues(maps: Sequence[_Events], sums: FloatArray, report: Report) -> FloatArray:
    """Eigenvalues of sum_p z_p z_p^T / P, z_pg = x_pg / sqrt(n_p N_g / N), largest first."""
    gram = np.zeros((len(sums), len(sums)))
    pixels = 0
    for events, within in zip(maps, parts_of(report, len(maps)), strict=True):
        partial = np.zeros((BLOCKS, *gram.shape))

        def work(block: int, first: int, last: int, events=events, partial=partial) -> None:  # type: ignore[no-untyped-def]
            # a product of dense rows, mostly zeros as they are, is faster than pairs of counts
            # in single precision: a sum over so many rows is right to 1e-6, the noise to 1e-3
            rows = np.empty((ROWS_AT_ONCE, len(sums)), dtype=np.float32)
            for start in range(first, last, ROWS_AT_ONCE):
                stop = min(start + ROWS_AT_ONCE, last)
                some = rows[: stop - start]
                _scaled_rows(events.starts, events.groups, events.counts, start, stop, some)
                partial[block] += some.T @ some

        for_each_block(len(events.starts) - 1, work, within)
        gram += partial.sum(axis=0)
        pixels += int(np.count_nonzero(np.diff(events.starts)))
    scale = np.sqrt(sums)
    values = np.linalg.eigvalsh(gram / np.outer(scale, scale))[::-1]
    return np.asarray(values * (sums.sum() / pixels))


def _grouped(image: SpectrumImage, groups: IntArray, report: Report) -> _Events:
    small = groups.astype(np.int16)
    out = np.empty(len(image.channels), dtype=np.int16)

    def work(_: int, first: int, last: int) -> None:
        _group_block(image.starts, image.channels, small, first, last, out)

    for_each_block(len(image.starts) - 1, work, report)
    return _Events(image.starts, out, image.counts)


def independent_counts(
    starts: IntArray,
    channels: IntArray,
    counts: IntArray,
    seed: tuple[int, ...],
    report: Report = silent,
) -> tuple[IntArray, IntArray]:
    """The same counts with their channels dealt out anew: pixels and channels independent.

    Sums over pixels and over channels stay as they were, so this is the exact null hypothesis.
    Each count goes to a random pile, then each pile, small enough for the processor's cache, is
    shuffled (Rao, Sankhya A 23, 1961, 305): every order is as likely as any other. The entries of
    pixel p are `starts[p]:starts[p + 1]` of `channels` and `counts`; returns new starts (P + 1,)
    and the channel of each single count.
    """
    pixels = len(starts) - 1
    totals = sums_and_squares(starts, counts)[0].astype(np.int64)
    before = np.concatenate([[0], np.cumsum(totals)])
    states = np.random.SeedSequence(seed).generate_state(BLOCKS + PILES, np.uint64)
    arrays = starts, channels, counts
    sizes = np.zeros((BLOCKS, PILES), dtype=np.int64)
    nothing = np.empty(0, dtype=channels.dtype)

    def measure(block: int, first: int, last: int) -> None:
        _deal_block(*arrays, first, last, states[block : block + 1].copy(), sizes[block], nothing)

    for_each_block(pixels, measure, part_of(report, 0.0, 0.3))
    # pile by pile, and in each pile block by block
    ends = np.cumsum(sizes.T.ravel())
    places = np.ascontiguousarray((ends - sizes.T.ravel()).reshape(PILES, BLOCKS).T)
    piles = np.concatenate([[0], ends.reshape(PILES, BLOCKS)[:, -1]])
    singles = np.empty(before[-1], dtype=channels.dtype)

    def deal(block: int, first: int, last: int) -> None:
        _deal_block(*arrays, first, last, states[block : block + 1].copy(), places[block], singles)

    for_each_block(pixels, deal, part_of(report, 0.3, 0.6))

    def shuffle(_: int, first: int, last: int) -> None:
        for pile in range(first, last):
            state = states[BLOCKS + pile : BLOCKS + pile + 1].copy()
            _shuffle(singles, piles[pile], piles[pile + 1], state)

    for_each_block(PILES, shuffle, part_of(report, 0.6, 1.0), few=0)
    return before, singles


def _independent(events: _Events, seed: tuple[int, int], report: Report) -> _Events:
    starts, singles = independent_counts(events.starts, events.groups, events.counts, seed, report)
    return _Events(starts, singles, np.broadcast_to(np.uint8(1), singles.shape))


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
    within = parts_of(part_of(report, 0.0, 0.1), len(images))
    maps = [_grouped(image, groups, part) for image, part in zip(images, within, strict=True)]
    values = _eigenvalues(maps, sums, part_of(report, 0.1, 0.4))
    within = parts_of(part_of(report, 0.4, 0.7), len(images))
    drawn = [_independent(e, (seed, n), within[n]) for n, e in enumerate(maps)]
    level = 0.0
    if len(sums) > 1:
        level = float(_eigenvalues(drawn, sums, part_of(report, 0.7, 1.0))[1])
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
