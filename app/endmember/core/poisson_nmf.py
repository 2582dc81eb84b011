"""Non-negative factors of a map of counts by maximum Poisson likelihood.

Counts x_pc of pixel p and channel c are taken as Poisson with mean sum_k W_pk H_ck. The update of
Lee & Seung (Adv. Neural Inf. Process. Syst. 13, 2001, eq. 5), done for W and H at once, is the EM
step of this model, so the likelihood never falls. Only the non-zero counts are visited. The steps
are extrapolated after Varadhan & Roland (Scand. J. Stat. 35, 2008, 335, scheme S3), and an
extrapolation that would raise the loss is not taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numba
import numpy as np

from endmember.core.counts import SpectrumImage
from endmember.core.progress import Report, part_of, parts_of, silent
from endmember.core.sparse_sums import BLOCKS, for_each_block
from endmember.core.spectrum import FloatArray

STARTS = 6  # random starts on the coarse map, of which the best goes on
SHORT_PASSES, LONG_PASSES = 60, 400  # for each start, and for the best; coarse ones cost little
COARSE_PIXELS = 800  # the map in large pixels has about as many
COARSE_CHANNELS = 250
TINY = 1e-12  # an extrapolated value stays above this part of the largest: a zero could not return
LONGEST_STEP, SHORTEST_STEP = 64.0, 1.5  # a step of 1 is no extrapolation


@dataclass(frozen=True, slots=True)
class Factors:
    """`weights` (P, K) in counts, `profiles` (C, K) of unit area, mean counts = weights profiles^T.

    `losses` holds the Poisson deviance 2 sum(x ln(x / mu) - x + mu) after each kept step.
    """

    weights: FloatArray
    profiles: FloatArray
    losses: FloatArray
    converged: bool


@numba.njit(cache=True, nogil=True)
def _em_block(starts, channels, counts, weights, profiles, first, last, new, sums):  # type: ignore[no-untyped-def]
    """One EM step for the pixels first:last; returns their sum of x ln(mu).

    `new` receives the weights, `sums` (C, K) the numerator of the profiles. The logarithm is
    taken of products of many mu, because one logarithm per count would take half of the time.
    """
    size = profiles.shape[1]
    log_sum = 0.0
    product = 1.0
    for pixel in range(first, last):
        for entry in range(starts[pixel], starts[pixel + 1]):
            channel = channels[entry]
            count = counts[entry]
            mean = 1e-100
            for k in range(size):
                mean += weights[pixel, k] * profiles[channel, k]
            if count == 1:
                product *= mean
                if product < 1e-150 or product > 1e150:
                    log_sum += np.log(product)
                    product = 1.0
            else:
                log_sum += count * np.log(mean)
            ratio = count / mean
            for k in range(size):
                new[pixel, k] += ratio * profiles[channel, k]
                sums[channel, k] += ratio * weights[pixel, k]
        for k in range(size):
            new[pixel, k] *= weights[pixel, k]
    return log_sum + np.log(product)


@dataclass(frozen=True, slots=True)
class _Step:
    weights: list[FloatArray]
    profiles: FloatArray
    loss: float  # of the factors before the step


@numba.njit(cache=True, nogil=True)
def _saturated_block(starts, counts, first, last):  # type: ignore[no-untyped-def]
    total = 0.0
    for entry in range(starts[first], starts[last]):
        count = float(counts[entry])
        if count > 1.0:  # 1 ln 1 = 0
            total += count * np.log(count)
        total -= count
    return total


def _saturated(images: Sequence[SpectrumImage]) -> float:
    """Sum of x ln x - x: the part of the deviance that no factor changes."""
    sums = np.zeros((len(images), BLOCKS))
    for number, image in enumerate(images):

        def work(block: int, first: int, last: int, image=image, number=number) -> None:  # type: ignore[no-untyped-def]
            sums[number, block] = _saturated_block(image.starts, image.counts, first, last)

        for_each_block(len(image.starts) - 1, work)
    return float(sums.sum())


def _em_step(
    images: Sequence[SpectrumImage],
    weights: Sequence[FloatArray],
    profiles: FloatArray,
    saturated: float,
    report: Report = silent,
    fixed_profiles: bool = False,
) -> _Step:
    sums = np.zeros((BLOCKS, *profiles.shape))
    log_sums = np.zeros((len(images), BLOCKS))
    moved = [np.zeros_like(w) for w in weights]
    for number, (image, old, new) in enumerate(zip(images, weights, moved, strict=True)):
        arrays = image.starts, image.channels, image.counts, old, profiles

        def work(block: int, first: int, last: int, arrays=arrays, new=new, number=number) -> None:  # type: ignore[no-untyped-def]
            log_sums[number, block] = _em_block(*arrays, first, last, new, sums[block])

        for_each_block(len(old), work, parts_of(report, len(images))[number])
    expected = float(sum((w @ profiles.sum(axis=0)).sum() for w in weights))
    loss = 2.0 * (expected - float(log_sums.sum()) + saturated)
    if fixed_profiles:
        return _Step(moved, profiles, loss)
    moved_profiles = profiles * sums.sum(axis=0)
    area = moved_profiles.sum(axis=0)
    return _Step(moved, moved_profiles / np.where(area > 0, area, 1.0), loss)


def _extrapolate(a: FloatArray, b: FloatArray, c: FloatArray, step: float) -> FloatArray:
    """The point of the SQUAREM scheme through three successive EM points."""
    point = a + 2.0 * step * (b - a) + step**2 * (c - 2.0 * b + a)
    return np.asarray(np.maximum(point, np.maximum(0.1 * c, TINY * c.max(initial=0.0))))


def _step_length(a: FloatArray, b: FloatArray, c: FloatArray, longest: float) -> float:
    bend = float(np.linalg.norm(c - 2.0 * b + a))
    return float(np.clip(np.linalg.norm(b - a) / bend if bend else 1.0, 1.0, longest))


def refine(
    images: Sequence[SpectrumImage],
    weights: Sequence[FloatArray],
    profiles: FloatArray,
    passes: int,
    tolerance: float,
    report: Report = silent,
) -> Factors:
    """Extrapolated EM from a start, `weights` one (P_i, K) per image and `profiles` (C, K).

    Ends when the deviance falls by less than `tolerance` of itself in a pass, or after `passes`
    passes over the counts. `Factors.weights` holds the pixels of all images one after another.
    """
    saturated = _saturated(images)
    here = _Step(list(weights), profiles / profiles.sum(axis=0), np.inf)
    losses: list[float] = []
    converged = False
    longest = LONGEST_STEP
    done = 0
    while done < passes and not converged:
        low, high = done / passes, min((done + 3) / passes, 1.0)
        within = parts_of(part_of(report, low, high), 3)
        first = _em_step(images, here.weights, here.profiles, saturated, within[0])
        second = _em_step(images, first.weights, first.profiles, saturated, within[1])
        step_w = _pooled_length(here.weights, first.weights, second.weights, longest)
        step_h = _step_length(here.profiles, first.profiles, second.profiles, longest)
        ahead_w = [
            _extrapolate(a, b, c, step_w)
            for a, b, c in zip(here.weights, first.weights, second.weights, strict=True)
        ]
        ahead_h = _extrapolate(here.profiles, first.profiles, second.profiles, step_h)
        ahead = _em_step(images, ahead_w, ahead_h / ahead_h.sum(axis=0), saturated, within[2])
        losses += [first.loss, second.loss]
        if ahead.loss <= second.loss:
            losses.append(ahead.loss)
            here = ahead
            longest = min(2.0 * longest, LONGEST_STEP)
        else:
            here = second
            longest = max(longest / 4.0, SHORTEST_STEP)
        done += 3
        converged = first.loss - losses[-1] < 2 * tolerance * abs(losses[-1]) and done > 3
    report(1.0)
    return Factors(np.concatenate(here.weights), here.profiles, np.array(losses), converged)


def _pooled_length(
    a: Sequence[FloatArray], b: Sequence[FloatArray], c: Sequence[FloatArray], longest: float
) -> float:
    return _step_length(np.concatenate(a), np.concatenate(b), np.concatenate(c), longest)


def _totals(image: SpectrumImage) -> FloatArray:
    return image.count_map().reshape(-1, 1)


def fit_weights(
    images: Sequence[SpectrumImage],
    profiles: FloatArray,
    passes: int = 15,
    report: Report = silent,
) -> list[FloatArray]:
    """Weights (P_i, K) per image for fixed `profiles` (C, K), by EM from an even start."""
    size = profiles.shape[1]
    weights = [np.repeat(_totals(image) / size, size, axis=1) for image in images]
    for within in parts_of(report, passes):
        weights = _em_step(images, weights, profiles, 0.0, within, fixed_profiles=True).weights
    return weights


def _spread_start(
    images: Sequence[SpectrumImage], components: int, rng: np.random.Generator
) -> FloatArray:
    """Profiles (C, K): pixels far from each other, each mixed with the mean spectrum.

    The pixels are drawn as in k-means++ (Arthur & Vassilvitskii 2007), with distances between
    square roots of the spectra, in which counting noise is even.
    """
    dense = np.concatenate([image.project(np.eye(image.axis.channels)) for image in images])
    dense = dense[dense.sum(axis=1) > 0]
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


def coarse_start(
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
    rng = np.random.default_rng(seed)
    fits = []
    for number in range(STARTS):
        start = _spread_start(coarse, components, rng)
        within = parts_of(part_of(report, 0.1, 0.5), STARTS)[number]
        fits.append(refine(coarse, fit_weights(coarse, start), start, SHORT_PASSES, 1e-6, within))
    best = min(fits, key=lambda fit: float(fit.losses[-1])).profiles + TINY
    weights, within = fit_weights(coarse, best), part_of(report, 0.5, 1.0)
    best = refine(coarse, weights, best, LONG_PASSES, 1e-7, within).profiles
    fine = np.repeat(best / run, run, axis=0)
    rest = np.repeat(fine[-1:], channels - len(fine), axis=0)
    return np.asarray(np.concatenate([fine, rest]) + TINY)


def poisson_factors(
    images: Sequence[SpectrumImage],
    components: int,
    seed: int = 0,
    report: Report = silent,
    passes: int = 300,
    tolerance: float = 1e-6,
) -> Factors:
    """Poisson (Kullback-Leibler) factors of one or several maps, see the module's first lines."""
    profiles = coarse_start(images, components, seed, part_of(report, 0.0, 0.2))
    weights = fit_weights(images, profiles, report=part_of(report, 0.2, 0.3))
    return refine(images, weights, profiles, passes, tolerance, part_of(report, 0.3, 1.0))
