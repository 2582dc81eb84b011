"""Rotations of components: the steps that Newton's method by channel is slow to find.

A multiple of one profile added to another changes the mean counts of no pixel that holds both,
since their weights make up for it: the rotational ambiguity of factor analysis (Tauler, Chemom.
Intell. Lab. Syst. 30, 1995, 133). What resists is where a weight or a profile is at its bound. The
loss is flat along these K (K - 1) directions, by a hundred times and more flatter than channel by
channel; so they get a Newton step of their own, as coarse space beside the channels (Nicolaides,
SIAM J. Numer. Anal. 24, 1987, 355). Their Hessian needs sums over the counts of a pixel only, and
some thousand pixels are enough for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numba
import numpy as np
import numpy.typing as npt

from endmember.core.counts.sparse_sums import BLOCKS, for_each_block
from endmember.core.counts.spectrum import FloatArray
from endmember.core.counts.spectrum_image import SpectrumImage

MOST_PIXELS = 2_000  # of all maps, that the Hessian is summed over
MOST_VALUES = 8_000_000  # that are held for it
FLATTEST = 0.05  # of the curvature by channel: a flatter direction is taken as this flat
LEAST_MEAN = 1e-30  # counts expected where no component has any


@dataclass(frozen=True, slots=True)
class Rotations:
    """Directions (M, C, K) of the profiles, and how much longer than by channel a step is (M,).

    The directions are orthonormal with respect to the Hessian by channel.
    """

    directions: FloatArray
    longer: FloatArray

    def added_to(self, step: FloatArray, slope: FloatArray) -> FloatArray:
        """`step` (C, K), by channel from `slope` (C, K), with what the rotations add to it."""
        along = np.tensordot(self.directions, slope, axes=2)
        return step + np.tensordot((self.longer - 1.0) * along, self.directions, axes=1)


@numba.njit(cache=True, nogil=True)
def _add_count(h, moves, w, ratio, second, inner, cross, along, by_channel):  # type: ignore[no-untyped-def]
    """Add one entry with profiles `h` (K,) and weights `w` (K,), see `_sums_of_block`."""
    size = len(w)
    for i in range(size):
        for k in range(size):
            inner[i, k] += second * h[i] * h[k]
            by_channel[i, k] += second * w[i] * w[k]
    for j in range(size):
        if moves[j] > 0.0:
            for i in range(size):
                along[i, j] -= ratio * h[i]
                for k in range(size):
                    cross[i * size + j, k] += second * h[i] * h[k]


@numba.njit(cache=True, nogil=True)
def _sums_of_block(  # type: ignore[no-untyped-def]
    starts, channels, counts, weights, profiles, free, areas, picked, first, last, inner, cross, out
):
    """Derivatives of half the loss for the pixels `picked`[first:last].

    `free` (C, K) is 1 where a profile may move, `areas` (K, K) holds sum_c H_ci free_cj. Fills
    `inner` (n, K, K), the Hessian by the weights, and `cross` (n, K * K, K), that by the weights
    and the steps of profile j along profile i (row i * K + j); adds to `out` (C, K, K) the Hessian
    by channel.
    """
    size = profiles.shape[1]
    along = np.empty((size, size))
    for place in range(first, last):
        w, v = weights[picked[place]], cross[place]
        along[:] = areas
        for e in range(starts[picked[place]], starts[picked[place] + 1]):
            channel = channels[e]
            h = profiles[channel]
            ratio = counts[e] / max(np.dot(w, h), LEAST_MEAN)
            second = ratio * ratio / counts[e]
            _add_count(h, free[channel], w, ratio, second, inner[place], v, along, out[channel])
        for i in range(size):
            for j in range(size):
                for k in range(size):
                    v[i * size + j, k] *= w[j]
                v[i * size + j, j] += along[i, j]


def rotations(
    images: Sequence[SpectrumImage],
    weights: Sequence[FloatArray],
    profiles: FloatArray,
    free: npt.NDArray[np.bool_],
) -> Rotations:
    """The rotations of `profiles` (C, K) in its entries `free` (C, K), at the best `weights`.

    `weights` (P, K) of each image are those that minimise the loss for these profiles.
    """
    channels, size = profiles.shape
    moves = free.astype(np.float64)
    areas = profiles.T @ moves
    shares = _shares([len(own) for own in weights], min(MOST_PIXELS, MOST_VALUES // size**3))
    by_channel = np.zeros((channels, size, size))
    coupling = np.zeros((size * size, size * size))
    for image, own, every in zip(images, weights, shares, strict=True):
        picked = np.arange(0, len(own), every)
        inner, cross = np.zeros((len(picked), size, size)), np.zeros((len(picked), size**2, size))
        out = np.zeros((BLOCKS, channels, size, size))
        arrays = image.starts, image.channels, image.counts, own, profiles, moves, areas, picked
        made = inner, cross, out

        def work(block: int, first: int, last: int, arrays=arrays, made=made) -> None:  # type: ignore[no-untyped-def]
            _sums_of_block(*arrays, first, last, made[0], made[1], made[2][block])

        for_each_block(len(picked), work)
        by_channel += every * out.sum(axis=0)
        coupling += every * _coupling(inner, cross, own[picked] > 0.0)
    return _modes(profiles, moves, by_channel, coupling)


def _shares(pixels: Sequence[int], most: int) -> list[int]:
    """Of each image every how many-th pixel is taken, so that about `most` are."""
    every = max(1, -(-sum(pixels) // max(most, 1)))
    return [min(every, max(own, 1)) for own in pixels]


def _coupling(inner: FloatArray, cross: FloatArray, active: npt.NDArray[np.bool_]) -> FloatArray:
    """What following weights take off the Hessian of all K * K rotations; those at 0 stay there."""
    size = inner.shape[1]
    both = active[:, :, None] & active[:, None, :]
    ridge = 1e-9 * np.trace(inner, axis1=1, axis2=2)[:, None] + LEAST_MEAN
    whole = inner * both + np.where(active, ridge, 1.0)[:, :, None] * np.eye(size)
    followed = cross @ (np.linalg.inv(whole) * both)
    return np.asarray(np.tensordot(cross, followed, axes=([0, 2], [0, 2])))


def _modes(
    profiles: FloatArray, moves: FloatArray, by_channel: FloatArray, coupling: FloatArray
) -> Rotations:
    size = profiles.shape[1]
    pairs = [(i, j) for i in range(size) for j in range(size) if i != j]
    steps = np.zeros((len(pairs), *profiles.shape))
    for step, (i, j) in zip(steps, pairs, strict=True):
        step[:, j] = profiles[:, i] * moves[:, j]
    bent = np.einsum("ckj,mcj->mck", by_channel, steps)
    metric = np.tensordot(steps, bent, axes=([1, 2], [1, 2]))
    places = [i * size + j for i, j in pairs]
    hessian = metric - coupling[np.ix_(places, places)]
    scale = np.sqrt(np.diagonal(metric))
    scale = np.where(scale > 0.0, 1.0 / np.where(scale > 0.0, scale, 1.0), 0.0)
    lengths, axes = np.linalg.eigh(metric * scale[:, None] * scale)
    kept = lengths > 1e-6
    axes = scale[:, None] * axes[:, kept] / np.sqrt(lengths[kept])  # axes^T metric axes = 1
    values, turned = np.linalg.eigh(axes.T @ (0.5 * (hessian + hessian.T)) @ axes)
    directions = np.tensordot((axes @ turned).T, steps, axes=1)
    return Rotations(directions, 1.0 / np.maximum(np.abs(values), FLATTEST))
