"""The spectrum image: counts kept sparse, because a STEM-EDXS map is over 95 % zeros."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from endmember.core.counts import sparse_sums
from endmember.core.counts.mask_sums import mask_sum
from endmember.core.counts.spectrum import EnergyAxis, FloatArray, Spectrum
from endmember.core.progress import Report, silent

LARGEST_COUNT = 2**53  # of one channel; beyond it floating numbers miss whole ones
BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.integer]
Room = Callable[[int, Any], npt.NDArray[Any]]
"""Makes a new array of a size and a type, as `numpy.empty` does."""


def in_memory(size: int, dtype: Any) -> npt.NDArray[Any]:
    """Room in the memory of this process."""
    return np.empty(size, dtype)


def smallest_unsigned(largest: int) -> npt.DTypeLike:
    """The smallest unsigned integer type that holds `largest`."""
    return np.min_scalar_type(int(largest))


@dataclass(frozen=True, eq=False, slots=True, weakref_slot=True)
class SpectrumImage:
    """A map of spectra, P = rows * columns pixels by C channels, as its non-zero counts.

    Pixel p (row-major) owns the entries `starts[p]:starts[p + 1]` of `channels` (which channel,
    rising) and `counts` (how many, at least 1). The arrays are read-only. `images` holds companion
    images (HAADF, BF ...) of shape (rows, columns) by name. Facts the file did not give are None.
    """

    starts: IntArray
    channels: IntArray
    counts: IntArray
    rows: int
    columns: int
    axis: EnergyAxis
    pixel_size_nm: float | None = None
    beam_energy_keV: float | None = None
    take_off_angle_deg: float | None = None
    live_time_s: float | None = None
    elements: tuple[str, ...] = ()
    images: Mapping[str, npt.NDArray[np.generic]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if len(self.starts) != self.rows * self.columns + 1:
            raise ValueError(
                f"{len(self.starts) - 1} pixels do not make a map of {self.rows} x {self.columns}"
            )
        for array in (self.starts, self.channels, self.counts):
            array.flags.writeable = False

    @classmethod
    def from_blocks(
        cls,
        blocks: Iterable[npt.NDArray[np.generic]],
        columns: int,
        axis: EnergyAxis,
        room: Room = in_memory,
    ) -> SpectrumImage:
        """Build from blocks of rows, each a dense array (rows, columns, channels) of counts.

        Only one dense block is held at a time. `room` makes the three arrays of the map.

        Raises
        ------
        ValueError
            if a count is negative, not finite or not a whole number.
        """
        lengths, channels, counts = [], [], []
        rows = 0
        for block in blocks:
            flat = np.ascontiguousarray(block.reshape(-1, axis.channels))
            _check_counts(flat)
            flat = flat.astype(smallest_unsigned(flat.max(initial=0)), copy=False)
            lengths.append(_filled(flat))
            size = int(lengths[-1].sum())
            channels.append(np.empty(size, smallest_unsigned(axis.channels - 1)))
            counts.append(np.empty(size, flat.dtype))
            _gather(flat, channels[-1], counts[-1])
            rows += len(block)
        starts = room(1 + sum(map(len, lengths)), np.int64)
        starts[0] = 0
        np.cumsum(np.concatenate(lengths), out=starts[1:])
        return cls(starts, _joined(channels, room), _joined(counts, room), rows, columns, axis)

    @classmethod
    def from_array(cls, cube: npt.NDArray[np.generic], axis: EnergyAxis) -> SpectrumImage:
        """Build from a dense array (rows, columns, channels) of counts; see `from_blocks`."""
        return cls.from_blocks([cube], cube.shape[1], axis)

    @property
    def shape(self) -> tuple[int, int, int]:
        """(rows, columns, channels)."""
        return self.rows, self.columns, self.axis.channels

    @property
    def total(self) -> int:
        """All counts of the map."""
        return int(self.counts.sum(dtype=np.uint64))

    def project(self, basis: FloatArray, report: Report = silent) -> FloatArray:
        """X B for `basis` (C, K): per pixel the basis summed over its counts. Returns (P, K)."""
        return sparse_sums.project(self.starts, self.channels, self.counts, basis, report)

    def accumulate(self, weights: FloatArray, report: Report = silent) -> FloatArray:
        """X^T A for `weights` (P, K): spectra summed with weights. Returns (C, K)."""
        return sparse_sums.accumulate(
            self.starts, self.channels, self.counts, weights, self.axis.channels, report
        )

    def spectrum(self, mask: BoolArray | None = None, report: Report = silent) -> Spectrum:
        """The spectrum summed over `mask` (rows, columns), or over the whole map.

        Raises
        ------
        ValueError
            if the mask has another shape than the map.
        """
        if mask is None:
            mask = np.ones((self.rows, self.columns), dtype=bool)
        if mask.shape != (self.rows, self.columns):
            raise ValueError(
                f"a mask of {mask.shape} does not fit a map of {(self.rows, self.columns)}"
            )
        total = mask_sum(self, np.ascontiguousarray(mask, dtype=bool).ravel(), report)
        return Spectrum(
            total, self.axis, self.beam_energy_keV, self.take_off_angle_deg, self.live_time_s
        )

    def window_map(self, low_keV: float, high_keV: float) -> FloatArray:
        """Counts per pixel in the channels with centres in [low_keV, high_keV), (rows, columns)."""
        inside = np.zeros((self.axis.channels, 1))
        inside[self.axis.span(low_keV, high_keV)] = 1.0
        return self.project(inside).reshape(self.rows, self.columns)

    def count_map(self) -> FloatArray:
        """All counts per pixel, shape (rows, columns)."""
        return self.sums_and_squares()[0].reshape(self.rows, self.columns)

    def sums_and_squares(self, report: Report = silent) -> tuple[FloatArray, FloatArray]:
        """Of each pixel all counts, and the sum of the squares of its channels, both (P,)."""
        return sparse_sums.sums_and_squares(self.starts, self.counts, report)

    def crop(self, x: int, y: int, width: int, height: int) -> SpectrumImage:
        """The rectangle with its top left pixel at (x, y).

        Raises
        ------
        ValueError
            if the rectangle is empty or does not lie wholly in the map.
        """
        if not (0 <= x < x + width <= self.columns and 0 <= y < y + height <= self.rows):
            raise ValueError(
                f"the crop [{x}, {y}, {width}, {height}] does not lie within the map of "
                f"{self.columns} x {self.rows} pixels"
            )
        return self._part(np.arange(y, y + height), x, width)

    def some_rows(self, rows: IntArray) -> SpectrumImage:
        """The map that holds the given rows only, one below the other in that order."""
        return self._part(rows, 0, self.columns)

    def _part(self, rows: IntArray, x: int, width: int) -> SpectrumImage:
        first = rows * self.columns + x  # the first pixel of each row
        runs = [slice(int(self.starts[p]), int(self.starts[p + width])) for p in first]
        lengths = np.diff(self.starts).reshape(self.rows, self.columns)
        kept = lengths[rows, x : x + width].ravel()
        images = {name: image[rows, x : x + width] for name, image in self.images.items()}
        return replace(
            self,
            starts=np.concatenate([[0], np.cumsum(kept)]).astype(np.int64),
            channels=np.concatenate([self.channels[run] for run in runs]),
            counts=np.concatenate([self.counts[run] for run in runs]),
            rows=len(rows),
            columns=width,
            images=images,
        )

    def between(self, low_keV: float, high_keV: float) -> SpectrumImage:
        """The map with only the channels whose centres lie in [low_keV, high_keV)."""
        span = self.axis.span(low_keV, high_keV)
        axis = self.axis.part(span)
        pixels = len(self.starts) - 1
        lengths = np.zeros(pixels, dtype=np.int64)
        limits = span.start, span.stop

        def measure(_: int, first: int, last: int) -> None:
            _count_within(self.starts, self.channels, *limits, first, last, lengths)

        sparse_sums.for_each_block(pixels, measure)
        starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        channels = np.empty(starts[-1], smallest_unsigned(max(axis.channels - 1, 0)))
        counts = np.empty(starts[-1], self.counts.dtype)
        old = self.starts, self.channels, self.counts

        def copy(_: int, first: int, last: int) -> None:
            _copy_within(*old, *limits, first, last, starts, channels, counts)

        sparse_sums.for_each_block(pixels, copy)
        return replace(self, starts=starts, channels=channels, counts=counts, axis=axis)

    def rebin(self, pixels: int = 1, channels: int = 1) -> SpectrumImage:
        """Sum blocks of `pixels` x `pixels` and runs of `channels`; what does not fill one is cut.

        Companion images are averaged over the same blocks.

        Raises
        ------
        ValueError
            if a factor is below 1 or larger than the map.
        """
        sides = self.rows, self.columns
        if not (1 <= pixels <= min(sides) and 1 <= channels <= self.axis.channels):
            raise ValueError(
                f"rebinning by {pixels} pixels and {channels} channels leaves nothing of a map of "
                f"{self.columns} x {self.rows} pixels and {self.axis.channels} channels"
            )
        rows, columns, length = (*(s // pixels for s in sides), self.axis.channels // channels)
        room = np.empty(len(self.counts), np.uint32 if self.total < 2**32 else np.uint64)
        starts, new_channels, counts = _merge(
            self.starts,
            self.channels,
            self.counts,
            self.columns,
            rows,
            columns,
            pixels,
            length,
            channels,
            room,
        )
        step = self.axis.step_keV
        axis = EnergyAxis(self.axis.start_keV + step * (channels - 1) / 2, step * channels, length)
        images = {
            name: image[: rows * pixels, : columns * pixels]
            .reshape(rows, pixels, columns, pixels)
            .mean(axis=(1, 3))
            for name, image in self.images.items()
        }
        return replace(
            self,
            starts=starts,
            channels=new_channels.astype(smallest_unsigned(max(length - 1, 0))),
            counts=counts.astype(smallest_unsigned(counts.max(initial=0))),
            rows=rows,
            columns=columns,
            axis=axis,
            pixel_size_nm=None if self.pixel_size_nm is None else self.pixel_size_nm * pixels,
            images=images,
        )


def _joined(parts: list[npt.NDArray[Any]], room: Room) -> npt.NDArray[Any]:
    """The parts one after the other, of the widest type that any of them needs."""
    whole = room(sum(map(len, parts)), np.result_type(*parts))
    return np.concatenate(parts, out=whole)


def _check_counts(values: npt.NDArray[np.generic]) -> None:
    if values.size == 0:
        return
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise ValueError(
            "the map holds values that are not numbers (NaN or infinite): open the counts as "
            "recorded"
        )
    wide = values.dtype.kind == "f" or values.dtype.itemsize > 4
    if wide and values.dtype.kind in "uif" and values.max() > LARGEST_COUNT:
        raise ValueError(
            f"the map holds values up to {float(values.max()):.3g}, too large for counts: open the "
            "counts as recorded"
        )
    if values.dtype.kind == "u":
        return
    if values.dtype.kind not in "if":
        raise ValueError(
            f"counts of type {values.dtype} cannot be used: they must be whole numbers"
        )
    if values.dtype.kind == "f" and not np.array_equal(values, np.floor(values)):
        raise ValueError(
            "the counts are not whole numbers: processed or normalised data cannot be used, "
            "open the counts as recorded"
        )
    if values.min() < 0:
        raise ValueError("the map holds negative counts: open the counts as recorded")


@numba.njit(cache=True, nogil=True)
def _filled(flat):  # type: ignore[no-untyped-def]
    """How many entries of each row (pixel) are not zero."""
    lengths = np.zeros(len(flat), dtype=np.int64)
    for pixel in range(flat.shape[0]):
        for channel in range(flat.shape[1]):
            if flat[pixel, channel]:
                lengths[pixel] += 1
    return lengths


@numba.njit(cache=True, nogil=True)
def _gather(flat, channels, counts):  # type: ignore[no-untyped-def]
    """Write down the entries that are not zero, row by row."""
    entry = 0
    for pixel in range(flat.shape[0]):
        for channel in range(flat.shape[1]):
            if flat[pixel, channel]:
                channels[entry] = channel
                counts[entry] = flat[pixel, channel]
                entry += 1


@numba.njit(cache=True, nogil=True)
def _count_within(starts, channels, low, high, first, last, lengths):  # type: ignore[no-untyped-def]
    for pixel in range(first, last):
        for entry in range(starts[pixel], starts[pixel + 1]):
            if low <= channels[entry] < high:
                lengths[pixel] += 1


@numba.njit(cache=True, nogil=True)
def _copy_within(  # type: ignore[no-untyped-def]
    starts, channels, counts, low, high, first, last, new_starts, new_channels, new_counts
):
    """Copy the entries of the channels low:high, counted from `low`."""
    for pixel in range(first, last):
        new = new_starts[pixel]
        for entry in range(starts[pixel], starts[pixel + 1]):
            if low <= channels[entry] < high:
                new_channels[new] = channels[entry] - low
                new_counts[new] = counts[entry]
                new += 1


@numba.njit(cache=True, nogil=True)
def _merge(  # type: ignore[no-untyped-def]
    starts, channels, counts, columns, new_rows, new_columns, pixels, length, run, new_counts
):
    """One pass: add the pixels of each block into a buffer, then emit what is not zero.

    `new_counts` is room for the counts, of a type that holds the largest sum.
    """
    new_starts = np.zeros(new_rows * new_columns + 1, dtype=np.int64)
    new_channels = np.empty(len(channels), dtype=np.uint32)
    buffer = np.zeros(length, dtype=np.int64)
    filled = 0
    for row in range(new_rows):
        for column in range(new_columns):
            for y in range(row * pixels, (row + 1) * pixels):
                for x in range(column * pixels, (column + 1) * pixels):
                    pixel = y * columns + x
                    for entry in range(starts[pixel], starts[pixel + 1]):
                        channel = channels[entry] // run
                        if channel < length:
                            buffer[channel] += counts[entry]
            for channel in range(length):
                if buffer[channel]:
                    new_channels[filled] = channel
                    new_counts[filled] = buffer[channel]
                    filled += 1
                    buffer[channel] = 0
            new_starts[row * new_columns + column + 1] = filled
    return new_starts, new_channels[:filled].copy(), new_counts[:filled].copy()
