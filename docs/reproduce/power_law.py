"""With which power of the number of pixels signal to noise grows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import least_squares

from endmember.core.counts.spectrum import FloatArray


@dataclass(frozen=True, slots=True)
class PowerLaw:
    """SNR = k N^exponent, with the error of the exponent; `pull` is its distance from 1/2."""

    exponent: float
    sigma: float

    @property
    def pull(self) -> float:
        """How many sigma the exponent lies above 1/2."""
        return (self.exponent - 0.5) / self.sigma


def shared_pixels(pixels: Sequence[int], within: Sequence[int | None] | None = None) -> FloatArray:
    """Pixels that each two spectra share, shape (n, n).

    `within` says for each spectrum in which other one (its index) its pixels lie, None for none.
    Without it, each larger one holds all smaller ones.
    """
    n = np.asarray(pixels, np.float64)
    if within is None:
        return np.asarray(np.minimum.outer(n, n))
    shared = np.diag(n)
    for small, large in enumerate(within):
        if large is not None:
            shared[small, large] = shared[large, small] = n[small]
    return np.asarray(shared)


def power_law(
    pixels: Sequence[int], snr: Sequence[float], unit: float, shared: FloatArray
) -> PowerLaw:
    """Fit k and the exponent to SNR of N `pixels`, with the errors of counting.

    SNR = S / sqrt(B) has the same error `unit` at each N, since S and B grow with N; two spectra
    with `shared` pixels N12 have the covariance unit^2 N12 / sqrt(N1 N2). Least squares with it.
    """
    n, y = np.asarray(pixels, np.float64), np.asarray(snr, np.float64)
    covariance = unit**2 * shared / np.sqrt(np.outer(n, n))
    whiten = np.linalg.inv(np.linalg.cholesky(covariance))
    largest = n.max()

    def off(parameters: FloatArray) -> FloatArray:
        snr_of_largest, exponent = parameters
        return np.asarray(whiten @ (y - snr_of_largest * (n / largest) ** exponent))

    found = least_squares(off, [float(y[n.argmax()]), 0.5])
    errors = np.linalg.inv(found.jac.T @ found.jac)
    return PowerLaw(float(found.x[1]), float(np.sqrt(errors[1, 1])))
