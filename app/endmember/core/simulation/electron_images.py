"""Simulated images of the scanned electrons: annular dark field and bright field."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from endmember.core.counts.spectrum import FloatArray

IMAGE_STREAM = 540  # keeps the random numbers of images apart from those of the counts

HAADF_ELECTRONS = 3000.0  # that reach the annular detector in a pixel of scattering 1
BF_ELECTRONS = 6000.0  # that reach the bright-field detector where nothing scatters
BF_EXTINCTION = 0.9  # attenuation exponent of the bright-field beam at a scattering of 1

LEVELS_PER_ELECTRON = 5.0
DARK_LEVEL = 800.0
AMPLIFIER_NOISE = 60.0  # standard deviation in levels


def expected_electrons(scattering: FloatArray) -> dict[str, FloatArray]:
    """Expected electrons per pixel on the HAADF and BF detectors, by name.

    `scattering` (rows, columns) is the sum of n Z^1.7 over the depth, relative to one reference
    foil. HAADF is proportional to it; BF is what is left of the beam, falling exponentially.
    """
    return {
        "HAADF": HAADF_ELECTRONS * scattering,
        "BF": BF_ELECTRONS * np.exp(-BF_EXTINCTION * scattering),
    }


def draw_images(scattering: FloatArray, seed: int = 0) -> dict[str, npt.NDArray[np.uint16]]:
    """HAADF and BF images (rows, columns) by name, the same for the same seed; read-only.

    Poisson electrons, then the amplifier: a gain, a dark level and Gaussian noise, in 16 bits.
    """
    rng = np.random.default_rng([IMAGE_STREAM, seed])
    images = {}
    for name, electrons in expected_electrons(scattering).items():
        levels = DARK_LEVEL + LEVELS_PER_ELECTRON * rng.poisson(electrons)
        levels += rng.normal(0, AMPLIFIER_NOISE, electrons.shape)
        images[name] = np.clip(np.rint(levels), 0, 65535).astype(np.uint16)
        images[name].flags.writeable = False
    return images
