"""Loading ahead of time what the steps need, while nobody waits for it."""

from __future__ import annotations

import gc
import importlib
import time
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from endmember.core.counts.spectrum_image import SpectrumImage

# In small pieces, the long ones divided: an import holds the interpreter while a library is loaded.
LIBRARIES = (
    "scipy.special",
    "scipy.linalg",
    "scipy.sparse",
    "scipy.ndimage",
    "scipy.interpolate",
    "llvmlite.binding",
    "numba.core.types",
    "numba.np.ufunc",
    "numba",
    "xraylib",
    "periodictable",
    "cv2",
    "h5py",
    "psutil",
)
PARTS = (
    "endmember.core.counts.spectrum_image",
    "endmember.core.quantification.cliff_lorimer",
    "endmember.core.unmixing.decomposition",
    "endmember.core.masks.segmentation",
    "endmember.core.unmixing.abundance",
    "endmember.files.reading.reader",
    "endmember.session.steps.separation",
    "endmember.session.steps.compositions",
)
PAUSE_S = 0.003  # in which another thread gets its turn


def warm_up() -> None:
    """Import the slow libraries and load the compiled loops, by small sums that nobody reads.

    Afterwards the first step of each kind takes as long as the second.
    """
    for piece in pieces():
        piece()
        time.sleep(PAUSE_S)


def pieces() -> list[Callable[[], None]]:
    """What `warm_up` does, to be done in this order: for a thread that has other work as well."""
    touched = (_touch_sums, _touch_scree, _touch_decomposition, _touch_fit, _touch_abundance)
    return [
        _start_reading,
        *(partial(load, name) for name in (*LIBRARIES, *PARTS)),
        partial(_lasting, _touch_lines),
        partial(_lasting, _touch_segmentation),
        # counts of 8 and of 16 bits: the loops are compiled for each
        *(partial(_lasting, _touch, part, n) for n in (255, 256) for part in touched),
    ]


def load(module: str) -> None:
    """Import a module for good."""
    _lasting(importlib.import_module, module)


def _lasting(function: Callable[..., object], *arguments: object) -> None:
    """Call what makes many objects that stay to the end: the libraries have 200 000.

    Looking through them for garbage, again and again, would hold up every thread for a tenth of a
    second.
    """
    gc.disable()
    try:
        function(*arguments)
    finally:
        gc.freeze()
        gc.enable()


def _start_reading() -> None:
    """Start the process that reads files: it loads its own libraries meanwhile."""
    from endmember.files.reading.watch import warm_up

    warm_up()


def _touch(part: Callable[[SpectrumImage], None], largest: int) -> None:
    part(_small_map(largest))


def _small_map(largest: int) -> SpectrumImage:
    import numpy as np

    from endmember.core.counts.spectrum import EnergyAxis
    from endmember.core.counts.spectrum_image import SpectrumImage

    counts = np.random.default_rng(0).poisson(0.6, (12, 12, 600)).astype(np.uint16)
    counts[0, 0, 300] = largest
    whole = SpectrumImage.from_array(counts, EnergyAxis(0.005, 0.03, 600))
    return whole.between(0.3, 20.0)


def _touch_sums(image: SpectrumImage) -> None:
    image.spectrum()
    image.window_map(1.0, 2.0)
    image.count_map()
    image.rebin(2, 2)


def _touch_scree(image: SpectrumImage) -> None:
    from endmember.core.unmixing.scree import scree

    scree([image])


def _touch_decomposition(image: SpectrumImage) -> None:
    from endmember.core.unmixing.decomposition import decompose

    decompose([image], 2, max_iterations=5)
    decompose([image], 2, "frobenius", max_iterations=2)


def _touch_segmentation() -> None:
    import numpy as np

    from endmember.core.masks.regions import Rectangle
    from endmember.core.masks.segmentation import segment

    maps = np.ones((2, 40, 40))
    maps[1, 14:24, 14:24] = 9.0
    segment(maps, 1, (Rectangle(10, 10, 18, 18),))


def _touch_lines() -> None:
    from endmember.core.xrays.lines import atomic_mass, emission_lines

    for element in ("O", "Mg", "Al", "Si", "Ca", "Fe", "C", "Cu"):
        emission_lines(element, 200.0)
        atomic_mass(element)
        time.sleep(PAUSE_S)


def _touch_fit(image: SpectrumImage) -> None:
    from dataclasses import replace

    from endmember.core.fitting.spectrum_fit import fit_spectrum
    from endmember.core.xrays.detector import Detector

    spectrum = replace(image.spectrum(), beam_energy_keV=200.0)
    fit_spectrum(spectrum, ("Mg", "Si"), detector=Detector())


def _touch_abundance(image: SpectrumImage) -> None:
    import numpy as np

    from endmember.core.unmixing.abundance import abundances

    ramp = np.arange(1.0, image.axis.channels + 1)
    abundances(image, np.array([ramp, ramp[::-1]]))
