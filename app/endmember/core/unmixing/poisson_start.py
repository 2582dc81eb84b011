"""Poisson factors of a map from nothing: from few counts to all of them.

Profiles are first fitted to the map in large pixels and channels, from several random starts; then
to some rows of the map at all energies, then to more of them. The coupling of the components shows
in few pixels as well as in many, and what the noise of few does to a profile is mended channel by
channel in a pass over all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from endmember.core.counts.spectrum import FloatArray
from endmember.core.counts.spectrum_image import IntArray, SpectrumImage
from endmember.core.progress import Report, part_of, parts_of, silent
from endmember.core.unmixing.poisson_nmf import EM_PASSES, TINY, Factors, refine

HEATS = ((6, 4), (2, 6), (1, 15))  # so many fits to the coarse map take so many passes, then the
# best of them go on; the first begin at random
COARSE_PIXELS = 800  # the map in large pixels has about as many
COARSE_CHANNELS = 250
FEWEST_PIXELS = 4000  # of some rows
EVERY = (64, 16, 4)  # so many-th row
SOME_PASSES, SOME_TOLERANCE = 5, 1e-5
LEAST_SHARE = 0.02  # of all weights of a pixel, that each begins with evenly


def _spread_start(dense: FloatArray, components: int, rng: np.random.Generator) -> FloatArray:
    """Profiles (C, K): pixels of `dense` (P, C) far from each other, mixed with the mean spectrum.

    The pixels are drawn as in k-means++ (Arthur & Vassilvitskii 2007), with distances between
    square roots of the spectra, in which counting noise is even.
    """
    roots = np.sqrt(dense / dense.sum(axis=1, keepdims=True))
    distance = np.ones(len(roots))
    chosen = []
    for _ in range(components):
        chosen.append(rng.choice(len(roots), p=distance / distance.sum()))
        distance = np.minimum(distance, ((roots - roots[chosen[-1]]) ** 2).sum(axis=1))
        if not distance.any():
            distance = np.ones(len(roots))
    mean = dense.sum(axis=0) / dense.sum()
    picked = dense[chosen] / dense[chosen].sum(axis=1, keepdims=True)
    return np.asarray((0.8 * picked + 0.2 * mean).T + 1e-9)


def coarse_profiles(
    images: Sequence[SpectrumImage], components: int, seed: int, report: Report = silent
) -> FloatArray:
    """Profiles (C, K) to start from: the best of a few fits to the map in large pixels."""
    pixels = sum(image.rows * image.columns for image in images)
    smallest = min(min(image.rows, image.columns) for image in images)
    fold = int(np.clip(np.sqrt(pixels / COARSE_PIXELS), 1, max(1, smallest // 4)))
    channels = images[0].axis.channels
    run = max(1, min(channels // COARSE_CHANNELS, channels // components))
    coarse = []
    for image, within in zip(images, parts_of(part_of(report, 0.0, 0.1), len(images)), strict=True):
        coarse.append(image.rebin(fold, run))
        within(1.0)
    dense = np.concatenate([image.project(np.eye(image.axis.channels)) for image in coarse])
    dense = dense[dense.sum(axis=1) > 0]
    rng = np.random.default_rng(seed)
    starts = [_spread_start(dense, components, rng) for _ in range(HEATS[0][0])]
    best = _best_fit(coarse, starts, part_of(report, 0.1, 0.9)).profiles
    fine = np.repeat(best / run, run, axis=0)
    rest = np.repeat(fine[-1:], channels - len(fine), axis=0)
    return np.asarray(np.concatenate([fine, rest]) + TINY)


def _by_image(weights: FloatArray, images: Sequence[SpectrumImage]) -> list[FloatArray]:
    """Weights (P, K) of the pixels of all images, one after another, as those of each."""
    ends = np.cumsum([image.rows * image.columns for image in images])
    return np.split(weights, ends[:-1])


def _best_fit(
    images: Sequence[SpectrumImage], starts: Sequence[FloatArray], report: Report
) -> Factors:
    """Where the best of some `starts` leads: all begin, and few go on to the end."""
    within = iter(parts_of(report, sum(number for number, _ in HEATS)))
    passes = HEATS[0][1]
    fits = [refine(images, s, passes, 1e-6, next(within), by_rotation=False) for s in starts]
    for number, passes in HEATS[1:]:
        fits.sort(key=lambda fit: float(fit.losses[-1]))
        fits = [
            refine(
                images,
                fit.profiles + TINY,
                passes,
                1e-6,
                next(within),
                weights=_by_image(fit.weights, images),
                em_passes=0,
                by_rotation=False,
            )
            for fit in fits[:number]
        ]
    return fits[0]


@dataclass(frozen=True, slots=True)
class _Rows:
    """Some rows of a map, with the weights (rows, columns, K) found there as shares of 1."""

    every: int
    shares: FloatArray

    def weights(self, image: SpectrumImage, rows: IntArray) -> FloatArray:
        """Weights (P, K) to begin with for the `rows` of the whole map that `image` holds."""
        near = np.minimum(rows // self.every, len(self.shares) - 1)
        size = self.shares.shape[2]
        begun = (1.0 - LEAST_SHARE) * self.shares[near] + LEAST_SHARE / size
        return np.ascontiguousarray((begun * image.count_map()[:, :, None]).reshape(-1, size))


def _shares(found: Factors, images: Sequence[SpectrumImage], every: int) -> list[_Rows]:
    """The weights of each image as shares; even where a pixel has none."""
    size = found.weights.shape[1]
    totals = found.weights.sum(axis=1, keepdims=True)
    shares = np.where(totals > 0.0, found.weights / np.where(totals > 0.0, totals, 1.0), 1.0 / size)
    parts = _by_image(shares, images)
    return [
        _Rows(every, part.reshape(image.rows, image.columns, size))
        for part, image in zip(parts, images, strict=True)
    ]


def _begun(
    before: list[_Rows] | None, images: Sequence[SpectrumImage], rows: Sequence[IntArray]
) -> list[FloatArray] | None:
    """Weights to begin with for the `rows` of each map, as found `before` if anything was."""
    if before is None:
        return None
    return [
        own.weights(image, which) for own, image, which in zip(before, images, rows, strict=True)
    ]


def poisson_factors(
    images: Sequence[SpectrumImage],
    components: int,
    seed: int = 0,
    report: Report = silent,
    passes: int = 300,
    tolerance: float = 1e-6,
) -> Factors:
    """Poisson (Kullback-Leibler) factors of one or several maps, see `poisson_nmf`.

    `report` may raise Cancelled; `passes` are those over all counts.
    """
    profiles = coarse_profiles(images, components, seed, part_of(report, 0.0, 0.2))
    pixels = sum(image.rows * image.columns for image in images)
    fewest_rows = min(image.rows for image in images)
    levels = [every for every in EVERY if pixels >= FEWEST_PIXELS * every and fewest_rows >= every]
    within = parts_of(part_of(report, 0.2, 0.4), max(len(levels), 1))
    before: list[_Rows] | None = None
    for every, part in zip(levels, within, strict=False):
        rows = [np.arange(every // 2, image.rows, every) for image in images]
        some = [image.some_rows(own) for image, own in zip(images, rows, strict=True)]
        begun = _begun(before, some, rows)
        em_passes = 0 if before else EM_PASSES
        found = refine(
            some, profiles, SOME_PASSES, SOME_TOLERANCE, part, weights=begun, em_passes=em_passes
        )
        profiles, before = found.profiles + TINY, _shares(found, some, every)
    begun = _begun(before, images, [np.arange(image.rows) for image in images])
    em_passes = 0 if before else EM_PASSES
    last = part_of(report, 0.4, 1.0)
    return refine(images, profiles, passes, tolerance, last, weights=begun, em_passes=em_passes)
