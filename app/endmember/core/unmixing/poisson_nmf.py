"""Non-negative factors of a map of counts by maximum Poisson likelihood.

Counts x_pc of pixel p and channel c are taken as Poisson with mean sum_k W_pk H_ck. For given
profiles H the weights of each pixel are a small convex problem, solved in every pass over the
counts while those of the pixel are at hand (variable projection: Golub & Pereyra, SIAM J. Numer.
Anal. 10, 1973, 413): by Newton steps under the bound, shortened so that they always go down
(Tran-Dinh, Kyrillidis & Cevher, J. Mach. Learn. Res. 16, 2015, 371). The same pass gives the
gradient with respect to H, that of the likelihood at the best weights, and each channel's Hessian.

H first takes EM steps (Lee & Seung, Adv. Neural Inf. Process. Syst. 13, 2001, eq. 5), then Newton
steps by channel under the bound and along rotations of the components (`rotations`), bent by the
last few steps as in limited-memory BFGS (Nocedal, Math. Comput. 35, 1980, 773): both know of the
coupling that the weights make between channels. Entries that the Newton step sends to the bound are
left out of it (Bertsekas, SIAM J. Control Optim. 20, 1982, 221). A step that would raise the loss
is not taken.

Within a pixel single precision is used: its rounding, 6e-8 of a mean, is far below the counting
noise, and evens out over the millions of counts that the sums by channel and the loss are made of.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numba
import numpy as np

from endmember.core.counts.sparse_sums import BLOCKS, for_each_block
from endmember.core.counts.spectrum import FloatArray
from endmember.core.counts.spectrum_image import SpectrumImage
from endmember.core.progress import Report, parts_of, silent
from endmember.core.unmixing.rotations import LEAST_MEAN, rotations

TINY = 1e-12
EM_PASSES = 2  # before the Newton steps: a start without the fine structure is too far for them
FEW_PIXELS = 200  # are solved in one thread
EM_TURNS, TURNS = 3, 30  # Newton steps for the weights of a pixel in a pass, at most
ENOUGH = 3e-5  # twice the deviance that a further Newton step would take off a pixel
NEARLY = 0.3 * float(np.sqrt(ENOUGH))  # about what a last Newton step turns into ENOUGH
MEMORY = 6  # steps of the profiles that are remembered
OLDEST_HESSIAN = 8  # passes: summing it is a third of a pass, and it changes little
ANY_ORDER = {"reassoc", "contract", "nsz", "arcp"}  # of sums, that they can be done in parallel
KEPT = 0.3  # part of a value in a profile that a step leaves: a channel must not lose its all
SINGULAR = 1e-6  # of a diagonal of the Hessian, which has single precision
LN_2 = float(np.log(2.0))
SHORTEST = 1e-3  # of a Newton step: a shorter one tells nothing


@dataclass(frozen=True, slots=True)
class Factors:
    """`weights` (P, K) in counts, `profiles` (C, K) of unit area, mean counts = weights profiles^T.

    `losses` holds the Poisson deviance 2 sum(x ln(x / mu) - x + mu) after each kept step; the last
    is that of these factors.
    """

    weights: FloatArray
    profiles: FloatArray
    losses: FloatArray
    converged: bool


@numba.njit(cache=True, nogil=True)
def _free_step(hessian, gradient, step, factor):  # type: ignore[no-untyped-def]
    """The `step` with the least g^T s + s^T H s / 2 by Cholesky; false where H is near singular."""
    size = len(step)
    for i in range(size):
        for j in range(i + 1):
            rest = hessian[i, j]
            for k in range(j):
                rest -= factor[i, k] * factor[j, k]
            if j < i:
                factor[i, j] = rest / factor[j, j]
            elif rest > SINGULAR * hessian[i, i]:
                factor[i, i] = np.sqrt(rest)
            else:
                return False
    for i in range(size):
        rest = -gradient[i]
        for k in range(i):
            rest -= factor[i, k] * step[k]
        step[i] = rest / factor[i, i]
    for i in range(size - 1, -1, -1):
        rest = step[i]
        for k in range(i + 1, size):
            rest -= factor[k, i] * step[k]
        step[i] = rest / factor[i, i]
    return True


@numba.njit(cache=True, nogil=True)
def _bounded_step(hessian, gradient, lowest, step, factor):  # type: ignore[no-untyped-def]
    """The `step` >= `lowest` with the least g^T s + s^T H s / 2.

    By coordinate descent where the step without bounds does not do; `factor` (K, K) is for scratch.
    """
    inside = _free_step(hessian, gradient, step, factor)
    if not inside:
        step[:] = 0.0
    for k in range(len(step)):
        if step[k] < lowest[k]:
            step[k] = lowest[k]
            inside = False
    if inside:
        return
    for _ in range(30):
        moved = 0.0
        for k in range(len(step)):
            slope = gradient[k]
            for j in range(len(step)):
                slope += hessian[k, j] * step[j]
            new = lowest[k] if slope > 0.0 else 0.0
            if hessian[k, k] > 0.0:
                new = max(step[k] - slope / hessian[k, k], lowest[k])
            moved = max(moved, hessian[k, k] * (new - step[k]) ** 2)
            step[k] = new
        if moved < 0.01 * ENOUGH:
            break


@numba.njit(cache=True, nogil=True, fastmath=ANY_ORDER)
def _expect(part, x, filled, w, mean, ratio):  # type: ignore[no-untyped-def]
    for e in range(filled):
        mean[e] = np.float32(LEAST_MEAN)
    for k in range(len(w)):
        own = np.float32(w[k])
        for e in range(filled):
            mean[e] += own * part[k, e]
    for e in range(filled):
        ratio[e] = x[e] / mean[e]


@numba.njit(cache=True, nogil=True, fastmath=ANY_ORDER)
def _slope(part, ratio, filled, areas, gradient):  # type: ignore[no-untyped-def]
    for k in range(len(areas)):
        total = np.float32(0.0)
        for e in range(filled):
            total += ratio[e] * part[k, e]
        gradient[k] = areas[k] - total


@numba.njit(cache=True, nogil=True, fastmath=ANY_ORDER)
def _curvature(part, mean, ratio, filled, second, hessian):  # type: ignore[no-untyped-def]
    for e in range(filled):
        second[e] = ratio[e] / mean[e]
    for k in range(len(hessian)):
        for j in range(k + 1):
            total = np.float32(0.0)
            for e in range(filled):
                total += second[e] * part[k, e] * part[j, e]
            hessian[k, j] = total
            hessian[j, k] = total


@numba.njit(cache=True, nogil=True)
def _fit_pixel(  # type: ignore[no-untyped-def]
    part, x, filled, areas, turns, w, mean, ratio, second, hessian, gradient, step, lowest, factor
):
    """Newton steps for the weights `w` of one pixel with the counts `x` and profiles `part` (K, n).

    Leaves mean counts and x / mean of the last `w`. The loops over the counts are innermost, so
    that they are done several at a time. After a short step the Hessian still holds.
    """
    decrement = 1.0
    for _ in range(turns):
        _expect(part, x, filled, w, mean, ratio)
        _slope(part, ratio, filled, areas, gradient)
        if decrement > 0.01:
            _curvature(part, mean, ratio, filled, second, hessian)
        for k in range(len(w)):
            lowest[k] = -w[k]
        _bounded_step(hessian, gradient, lowest, step, factor)
        decrement = 0.0
        for k in range(len(w)):
            for j in range(len(w)):
                decrement += step[k] * hessian[k, j] * step[j]
        if decrement < ENOUGH:
            return
        length = 1.0 if decrement < 0.1 else 1.0 / (1.0 + np.sqrt(decrement))
        for k in range(len(w)):
            w[k] = max(w[k] + length * step[k], 0.0)
        if decrement < NEARLY:  # a Newton step about squares it
            break
    _expect(part, x, filled, w, mean, ratio)


@numba.njit(cache=True, nogil=True, fastmath=ANY_ORDER)
def _log_sum(x, mean, filled, single):  # type: ignore[no-untyped-def]
    """Sum of x ln(mean) to seven digits of each logarithm.

    mean = 2^k m with m next to 1, and ln(m) = 2 artanh(s) with s = (m - 1) / (m + 1): a loop that
    is done for several means at a time, which a call of the logarithm is not.
    """
    bits, own = mean.view(np.int32), single.view(np.int32)
    for e in range(filled):
        own[e] = ((bits[e] + 0x4AFB0D) & 0x7FFFFF) + 0x3F3504F3  # of m between 0.707 and 1.414
    whole = np.float32(0.0)
    rest = np.float32(0.0)
    for e in range(filled):
        s = (single[e] - np.float32(1.0)) / (single[e] + np.float32(1.0))
        t = s * s
        series = np.float32(1 / 7) + t * np.float32(1 / 9)
        series = np.float32(1 / 3) + t * (np.float32(1 / 5) + t * series)
        rest += x[e] * s * (np.float32(2.0) + np.float32(2.0) * t * series)
    for e in range(filled):
        whole += x[e] * np.float32(((bits[e] + 0x4AFB0D) >> 23) - 127)
    return whole * LN_2 + rest


@numba.njit(cache=True, nogil=True)
def _add_channels(channels, low, filled, ratio, second, w, products, out):  # type: ignore[no-untyped-def]
    size = len(w)
    place = 0
    for k in range(size):
        for j in range(k + 1):
            products[place] = w[k] * w[j]
            place += 1
    for e in range(filled):
        row = out[channels[low + e]]
        for k in range(size):
            row[k] += ratio[e] * w[k]
        for j in range(len(row) - size):
            row[size + j] += second[e] * products[j]


@numba.njit(cache=True, nogil=True)
def _sweep_block(starts, channels, counts, weights, profiles, areas, first, last, turns, out):  # type: ignore[no-untyped-def]
    """Solve the `weights` of the pixels first:last; returns their sum of x ln(mu).

    `areas` (K,) are the sums of the `profiles` (K, C). Adds to `out` (C, K + K (K + 1) / 2) for
    each channel sum_p x w / mu and the lower triangle of sum_p x w w^T / mu^2, or to (C, K) the
    first only.
    """
    size = profiles.shape[0]
    longest = 1
    for pixel in range(first, last):
        longest = max(longest, 1 + starts[pixel + 1] - starts[pixel])
    part = np.empty((size, longest), dtype=np.float32)
    x, mean = np.empty(longest, dtype=np.float32), np.empty(longest, dtype=np.float32)
    ratio, second = np.empty(longest, dtype=np.float32), np.empty(longest, dtype=np.float32)
    hessian, factor = np.empty((size, size)), np.empty((size, size))
    products = np.empty(size * (size + 1) // 2)
    gradient, step, lowest, w = np.empty(size), np.empty(size), np.empty(size), np.empty(size)
    log_sum = 0.0
    for pixel in range(first, last):
        low = starts[pixel]
        filled = starts[pixel + 1] - low
        if filled == 0:
            weights[pixel] = 0.0
            continue
        for e in range(filled):
            x[e] = counts[low + e]
        for k in range(size):
            own = profiles[k]
            for e in range(filled):
                part[k, e] = own[channels[low + e]]
        for k in range(size):
            w[k] = weights[pixel, k]
        _fit_pixel(
            part,
            x,
            filled,
            areas,
            turns,
            w,
            mean,
            ratio,
            second,
            hessian,
            gradient,
            step,
            lowest,
            factor,
        )
        log_sum += _log_sum(x, mean, filled, second)
        for k in range(size):
            weights[pixel, k] = w[k]
        for e in range(filled):
            second[e] = ratio[e] / mean[e]
        _add_channels(channels, low, filled, ratio, second, w, products, out)
    return log_sum


@numba.njit(cache=True, nogil=True)
def _newton_steps(profiles, gradient, hessians):  # type: ignore[no-untyped-def]
    """For each channel the Newton step (C, K) that leaves `KEPT` of each value."""
    steps = np.empty_like(profiles)
    factor = np.empty_like(hessians[0])
    for channel in range(len(profiles)):
        lowest = (KEPT - 1.0) * profiles[channel]
        _bounded_step(hessians[channel], gradient[channel], lowest, steps[channel], factor)
    return steps


@dataclass(frozen=True, slots=True)
class _Point:
    """Profiles with the best weights, and the derivatives of half the loss there."""

    profiles: FloatArray
    weights: list[FloatArray]
    loss: float
    em: FloatArray  # (C, K), the profiles after an EM step
    gradient: FloatArray  # (C, K)
    hessians: FloatArray  # (C, K, K)


@numba.njit(cache=True, nogil=True)
def _saturated_block(starts, counts, table, first, last):  # type: ignore[no-untyped-def]
    total = 0.0
    for entry in range(starts[first], starts[last]):
        if counts[entry] < len(table):
            total += table[counts[entry]]
        else:
            count = float(counts[entry])
            total += count * np.log(count) - count
    return total


def _saturated(images: Sequence[SpectrumImage]) -> float:
    """Sum of x ln x - x: the part of the deviance that no factor changes."""
    sums = np.zeros((len(images), BLOCKS))
    few = np.arange(1.0, 256.0)
    table = np.concatenate([[0.0], few * np.log(few) - few])
    for number, image in enumerate(images):

        def work(block: int, first: int, last: int, image=image, number=number) -> None:  # type: ignore[no-untyped-def]
            sums[number, block] = _saturated_block(image.starts, image.counts, table, first, last)

        for_each_block(len(image.starts) - 1, work)
    return float(sums.sum())


def _not_too_flat(hessians: FloatArray, profiles: FloatArray, ratios: FloatArray) -> FloatArray:
    """Hessians (C, K, K) of another pass, raised to what today's `ratios` (C, K) show at least.

    By Cauchy and Schwarz sum x v v^T is no less than (sum x v) (sum x v)^T / sum x. A channel with
    few counts that has lost most of its profile since then would step a thousand times too far.
    """
    counts = (profiles * ratios).sum(axis=1, keepdims=True)
    seen = np.diagonal(hessians, axis1=1, axis2=2) * counts
    known = seen > 0
    flatter = np.where(known, ratios**2 / np.where(known, seen, 1.0), 1.0).max(axis=1)
    return np.asarray(hessians * np.maximum(flatter, 1.0)[:, None, None])


def _sweep(
    images: Sequence[SpectrumImage],
    weights: Sequence[FloatArray],
    profiles: FloatArray,
    saturated: float,
    turns: int,
    report: Report = silent,
    hessians: FloatArray | None = None,
) -> _Point:
    channels, size = profiles.shape
    below = np.tril_indices(size)
    curved = len(below[0]) if hessians is None else 0
    out = np.zeros((BLOCKS, channels, size + curved))
    log_sums = np.zeros((len(images), BLOCKS))
    solved = [w.copy() for w in weights]
    areas = profiles.sum(axis=0)
    narrow = np.ascontiguousarray(
        profiles.T, np.float32
    )  # seven digits are enough for a mean, at half the time
    for number, (image, own) in enumerate(zip(images, solved, strict=True)):
        arrays = image.starts, image.channels, image.counts, own, narrow, areas

        def work(block: int, first: int, last: int, arrays=arrays, number=number) -> None:  # type: ignore[no-untyped-def]
            log_sums[number, block] = _sweep_block(*arrays, first, last, turns, out[block])

        for_each_block(len(own), work, parts_of(report, len(images))[number], FEW_PIXELS)
    totals = np.sum([w.sum(axis=0) for w in solved], axis=0)
    loss = 2.0 * (float(totals @ areas) - float(log_sums.sum()) + saturated)
    added = out.sum(axis=0)
    ratios = added[:, :size]
    if hessians is None:
        hessians = np.zeros((channels, size, size))
        hessians[:, below[0], below[1]] = hessians[:, below[1], below[0]] = added[:, size:]
    else:
        hessians = _not_too_flat(hessians, profiles, ratios)
    moved = profiles * ratios / np.where(totals > 0, totals, 1.0)
    return _Point(profiles, solved, loss, moved, totals - ratios, hessians)


_Memory = list[tuple[FloatArray, FloatArray]]  # steps of the profiles, and of the gradient


def _direction(
    images: Sequence[SpectrumImage], here: _Point, memory: _Memory, by_rotation: bool
) -> FloatArray:
    """The step (C, K) of the profiles: Newton's by channel and rotation, bent by the memory."""
    newton = _newton_steps(here.profiles, here.gradient, here.hessians)
    curvature = np.diagonal(here.hessians, axis1=1, axis2=2)
    free = (newton > (KEPT - 1.0 + 1e-9) * here.profiles) & (curvature > 0)
    pairs = []
    for step, change in memory:
        s, y = step * free, change * free
        product = float((s * y).sum())
        if product > 1e-8 * float(np.linalg.norm(s) * np.linalg.norm(y)):
            pairs.append((s, y, product))
    slope = here.gradient * free
    lengths = []
    for s, y, product in reversed(pairs):
        lengths.append(float((s * slope).sum()) / product)
        slope = slope - lengths[-1] * y
    bent = -newton * free
    if pairs:
        both = free[:, :, None] & free[:, None, :]
        ridge = np.where(free, 1e-6 * curvature, 1.0)[:, :, None] * np.eye(free.shape[1])
        bent = np.linalg.solve(here.hessians * both + ridge, slope[:, :, None])[:, :, 0]
    if by_rotation and free.shape[1] > 1:
        bent = rotations(images, here.weights, here.profiles, free).added_to(bent, slope)
    for (s, y, product), length in zip(pairs, reversed(lengths), strict=True):
        bent = bent + (length - float((y * bent).sum()) / product) * s
    return np.asarray(np.where(free, -bent, newton))


def _factors(here: _Point, losses: list[float], converged: bool) -> Factors:
    area = here.profiles.sum(axis=0)
    unit = here.profiles / np.where(area > 0, area, 1.0)
    return Factors(np.concatenate(here.weights) * area, unit, np.array(losses), converged)


def _even_weights(image: SpectrumImage, size: int) -> FloatArray:
    """The counts of each pixel in equal parts, (P, K)."""
    return np.repeat(image.count_map().reshape(-1, 1) / size, size, axis=1)


def refine(
    images: Sequence[SpectrumImage],
    profiles: FloatArray,
    passes: int,
    tolerance: float,
    report: Report = silent,
    *,
    weights: Sequence[FloatArray] | None = None,
    em_passes: int = EM_PASSES,
    by_rotation: bool = True,
) -> Factors:
    """The factors found from the start `profiles` (C, K), of which each has an area.

    Ends when a pass has lowered the deviance by less than `tolerance` of itself and the next can
    lower it by no more, or after `passes` passes over the counts. The first `em_passes` steps of
    the profiles are EM steps; the others go along rotations too, unless not `by_rotation`.
    `weights` (P, K) of each image to begin with may be left out. `Factors.weights` holds the pixels
    of all images one after another.
    """
    saturated = _saturated(images)
    if weights is None:
        weights = [_even_weights(image, profiles.shape[1]) for image in images]
    within = parts_of(report, passes)
    unit = np.ascontiguousarray(profiles / profiles.sum(axis=0))
    turns = EM_TURNS if passes > 1 and em_passes else TURNS
    here = _sweep(images, weights, unit, saturated, turns, within[0])
    losses = [here.loss]
    memory: _Memory = []
    converged = small = False
    length = 1.0
    for done in range(1, passes):
        by_em = done <= em_passes
        if by_em:
            target = here.em
        else:
            step = length * _direction(images, here, memory, by_rotation and length == 1.0)
            most = -2.0 * float((here.gradient * step).sum())  # a convex loss gains no more
            at_rest = small and length == 1.0 and most < tolerance * here.loss
            if converged := at_rest or length < SHORTEST:
                break
            target = np.maximum(here.profiles + step, KEPT * here.profiles)
        turns = EM_TURNS if done < em_passes else TURNS
        is_due = done <= em_passes + 2 or (done - em_passes) % OLDEST_HESSIAN == 0
        known = None if is_due else here.hessians
        ahead = _sweep(images, here.weights, target, saturated, turns, within[done], known)
        gain = here.loss - ahead.loss
        if gain >= 0.0 or by_em:  # an EM step raises nothing, but for rounding
            if not by_em:
                change = ahead.gradient - here.gradient
                memory = [*memory, (ahead.profiles - here.profiles, change)][-MEMORY:]
            losses.append(min(ahead.loss, here.loss))
            here = ahead
            length = 1.0
            small = not by_em and gain < tolerance * ahead.loss
        elif memory:
            memory = []
        else:
            length /= 4.0
    report(1.0)
    return _factors(here, losses, converged)
