"""How signal to noise and error follow the number of pixels: the law of the square root."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from endmember.core.counts.spectrum import FloatArray
from endmember.core.counts.spectrum_image import BoolArray, IntArray

STREAM = 3101  # keeps these random numbers apart from those of other steps


def nested_subsets(mask: BoolArray, shares: FloatArray, seed: int) -> list[BoolArray]:
    """Masks (rows, columns) that hold rising `shares` of the pixels of `mask`, each the one before.

    The pixels are drawn at random; at least one in each. The same seed gives the same subsets.
    """
    pixels = np.flatnonzero(mask)
    order = np.random.default_rng([seed, STREAM]).permutation(pixels)
    found = []
    for share in shares:
        part = np.zeros(mask.size, dtype=bool)
        part[order[: max(1, round(float(share) * len(order)))]] = True
        found.append(part.reshape(mask.shape))
    return found


@dataclass(frozen=True, eq=False, slots=True)
class RootLaw:
    """SNR = k sqrt(pixels), fitted by least squares; `residual` and its `residual_sigma` (n,).

    The residual's error holds if the law does; see `root_law`.
    """

    coefficient: float
    coefficient_sigma: float
    residual: FloatArray
    residual_sigma: FloatArray


def root_law(pixels: IntArray, snr: FloatArray, unit_sigma: float) -> RootLaw:
    """Fit SNR = k sqrt(N) to nested subsets of N `pixels` (n,).

    Each larger subset holds the smaller ones, so their values move together. Counts of S and of the
    background B grow with N, so SNR = S / sqrt(B) has the same scatter `unit_sigma` = sigma(S) /
    sqrt(B) at each N, and between two subsets the covariance unit_sigma^2 sqrt(N_small / N_large).
    """
    x = np.sqrt(np.asarray(pixels, np.float64))
    weights = x / (x @ x)
    small, large = np.minimum.outer(x, x), np.maximum.outer(x, x)
    covariance = unit_sigma**2 * small / large
    k = float(weights @ snr)
    leave = np.eye(len(x)) - np.outer(x, weights)
    spread = np.einsum("ij,jk,ik->i", leave, covariance, leave)
    return RootLaw(
        k,
        float(np.sqrt(weights @ covariance @ weights)),
        np.asarray(snr - k * x),
        np.sqrt(np.maximum(spread, 0.0)),
    )
