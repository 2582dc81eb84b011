"""Specimens for the simulator: what their phases are made of and where their grains lie.

The phases follow the lower-mantle sample of Chen et al., Ultramicroscopy (2024) 113981: a matrix of
bridgmanite with grains of ferropericlase and calcium perovskite in it. Lengths of the geometry
are shares of the side of the square map, so a specimen looks the same at every size.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from endmember.core.counts.spectrum import FloatArray

DEMO_LAYOUT = 0
LARGEST_SHARE = 0.95  # of the foil's depth that precipitates may take together
FAINT = 0.15  # depth of the one faint grain
LAYOUT_STREAM = 981  # keeps the random numbers of layouts apart from those of the noise


@dataclass(frozen=True, slots=True)
class Phase:
    """A phase: its composition in atomic percent (adding up to 100) and density in g/cm3."""

    name: str
    atomic_percent: Mapping[str, float]
    density_g_cm3: float


def _phase(name: str, density_g_cm3: float, **atoms: float) -> Phase:
    total = sum(atoms.values())
    return Phase(name, {e: 100 * n / total for e, n in atoms.items()}, density_g_cm3)


PHASES = (
    _phase(
        "Brg", 4.1, O=55.32, Mg=18.30, Al=2.21, Si=21.12, Ca=0.83, Fe=2.05,
        Nd=0.0252, Sm=0.0314, U=0.0101,
    ),
    _phase("Fp", 3.6, O=50.0, Mg=41.0, Al=0.7, Fe=8.3),
    _phase(
        "CaPv", 4.0, O=59.0, Al=1.2, Si=19.6, Ca=19.0, Fe=0.6,
        Nd=0.20, Sm=0.24, U=0.15,
    ),
)  # fmt: skip
"""The matrix first, then the precipitates."""


@dataclass(frozen=True, slots=True)
class Grain:
    """One precipitate: an ellipse with a wavy outline and an edge that thins out.

    Centre `x`, `y`, half axes `a`, `b` and `edge`, the width over which the grain thins out to
    nothing, as shares of the map's side; `angle` and `wave_phase` in radians; `wave` the relative
    height of the wave, `lobes` its number of maxima; `core` the share of the foil's depth that the
    grain takes in its middle.
    """

    phase: str
    x: float
    y: float
    a: float
    b: float
    angle: float
    wave: float
    lobes: int
    wave_phase: float
    edge: float
    core: float

    def depth(self, size: int) -> FloatArray:
        """Share of the foil's depth that the grain takes in each pixel, shape (size, size).

        Zero outside the outline; inside it rises over `edge` as 3 t^2 - 2 t^3.
        """
        v, u = (np.indices((size, size)) + 0.5) / size
        along = (u - self.x) * np.cos(self.angle) + (v - self.y) * np.sin(self.angle)
        across = (v - self.y) * np.cos(self.angle) - (u - self.x) * np.sin(self.angle)
        radius = np.hypot(along / self.a, across / self.b)
        direction = np.arctan2(across / self.b, along / self.a)
        outline = 1 + self.wave * np.cos(self.lobes * direction + self.wave_phase)
        t = np.clip((outline - radius) * np.sqrt(self.a * self.b) / self.edge, 0, 1)
        return np.asarray(self.core * t * t * (3 - 2 * t))


# phase, x, y, a, b, angle, wave, lobes, wave_phase, edge, core
DEMO_GRAINS = (
    Grain("Fp", 0.113, 0.751, 0.0515, 0.0322, 1.23, 0.111, 2, 4.11, 0.0146, 0.49),
    Grain("Fp", 0.430, 0.265, 0.0615, 0.0583, 2.38, 0.086, 3, 6.22, 0.0180, 0.36),
    Grain("Fp", 0.674, 0.851, 0.0506, 0.0473, 0.17, 0.115, 2, 0.64, 0.0123, 0.70),
    Grain("Fp", 0.814, 0.204, 0.0429, 0.0397, 2.08, 0.048, 2, 4.23, 0.0187, 0.63),
    Grain("Fp", 0.084, 0.612, 0.0618, 0.0522, 2.66, 0.082, 2, 2.41, 0.0144, 0.26),
    Grain("Fp", 0.475, 0.913, 0.0491, 0.0365, 1.56, 0.077, 3, 1.66, 0.0129, 0.34),
    Grain("Fp", 0.117, 0.418, 0.0540, 0.0470, 0.29, 0.119, 3, 5.77, 0.0147, 0.41),
    Grain("Fp", 0.457, 0.477, 0.0466, 0.0344, 0.91, 0.073, 3, 2.01, 0.0096, 0.40),
    Grain("Fp", 0.867, 0.410, 0.0515, 0.0447, 0.74, 0.053, 2, 0.38, 0.0143, 0.38),
    Grain("Fp", 0.628, 0.505, 0.0488, 0.0458, 1.23, 0.109, 2, 1.63, 0.0162, 0.52),
    Grain("Fp", 0.782, 0.562, 0.0470, 0.0466, 1.69, 0.106, 2, 1.25, 0.0109, 0.51),
    Grain("Fp", 0.220, 0.304, 0.0446, 0.0375, 2.66, 0.069, 3, 5.84, 0.0197, 0.34),
    Grain("Fp", 0.629, 0.093, 0.0610, 0.0397, 3.09, 0.104, 2, 1.22, 0.0162, 0.15),
    Grain("CaPv", 0.421, 0.590, 0.0564, 0.0378, 2.04, 0.117, 3, 2.29, 0.0103, 0.29),
    Grain("CaPv", 0.839, 0.823, 0.0607, 0.0429, 0.03, 0.118, 2, 5.32, 0.0107, 0.64),
    Grain("CaPv", 0.264, 0.841, 0.0558, 0.0407, 1.88, 0.076, 2, 5.48, 0.0097, 0.38),
    Grain("CaPv", 0.237, 0.175, 0.0610, 0.0495, 0.67, 0.080, 2, 3.20, 0.0115, 0.51),
    Grain("CaPv", 0.764, 0.847, 0.0542, 0.0501, 0.65, 0.094, 2, 2.88, 0.0097, 0.66),
    Grain("CaPv", 0.289, 0.307, 0.0435, 0.0287, 2.04, 0.097, 2, 3.94, 0.0121, 0.73),
    Grain("CaPv", 0.659, 0.561, 0.0572, 0.0542, 1.74, 0.119, 3, 2.92, 0.0181, 0.31),
    Grain("CaPv", 0.788, 0.645, 0.0459, 0.0345, 2.96, 0.106, 3, 1.40, 0.0112, 0.61),
    Grain("CaPv", 0.174, 0.582, 0.0587, 0.0541, 2.43, 0.110, 2, 3.70, 0.0135, 0.31),
)


def _random_shape(rng: np.random.Generator, phase: str, x: float, y: float) -> Grain:
    a = rng.uniform(0.042, 0.066)
    return Grain(
        phase=phase,
        x=x,
        y=y,
        a=a,
        b=a * rng.uniform(0.6, 1.0),
        angle=rng.uniform(0, np.pi),
        wave=rng.uniform(0.04, 0.12),
        lobes=int(rng.integers(2, 4)),
        wave_phase=rng.uniform(0, 2 * np.pi),
        edge=rng.uniform(0.009, 0.02),
        core=rng.uniform(0.25, 0.75),
    )


def _free(grain: Grain, others: Sequence[Grain], gap: float) -> bool:
    return all(np.hypot(grain.x - o.x, grain.y - o.y) > grain.a + o.a + gap for o in others)


def _beside(rng: np.random.Generator, phase: str, other: Grain) -> Grain:
    """A grain that touches or overlaps another."""
    direction, share = rng.uniform(0, 2 * np.pi), rng.uniform(0.55, 0.9)
    grain = _random_shape(rng, phase, 0, 0)
    distance = share * (grain.a + other.a)
    x, y = other.x + distance * np.cos(direction), other.y + distance * np.sin(direction)
    return _random_shape(rng, phase, float(np.clip(x, 0.07, 0.93)), float(np.clip(y, 0.07, 0.93)))


def random_grains(layout: int) -> tuple[Grain, ...]:
    """Grains of a random layout: 13 Fp and 9 CaPv, five of these on or beside an Fp.

    One grain of Fp is faint: it takes only 0.15 of the foil's depth.
    """
    rng = np.random.default_rng([LAYOUT_STREAM, layout])
    grains: list[Grain] = []
    while len(grains) < 17:
        phase = "Fp" if len(grains) < 13 else "CaPv"
        x, y = rng.uniform(0.07, 0.93, 2)
        grain = _random_shape(rng, phase, float(x), float(y))
        if _free(grain, grains, gap=0.015):
            grains.append(grain)
    hosts = rng.choice(12, size=5, replace=False)
    grains += [_beside(rng, "CaPv", grains[host]) for host in hosts]
    return tuple(replace(g, core=FAINT) if i == 12 else g for i, g in enumerate(grains))


def grains_of(layout: int) -> tuple[Grain, ...]:
    """The grains of a layout: 0 is the demo specimen, others are random with that number.

    Raises
    ------
    ValueError
        if the number is negative.
    """
    if layout < 0:
        raise ValueError(f"there is no layout {layout}: give 0 for the demo or a positive number")
    return DEMO_GRAINS if layout == DEMO_LAYOUT else random_grains(layout)


def depth_shares(layout: int, size: int) -> FloatArray:
    """Share of the foil's depth that each of `PHASES` takes, shape (phases, size, size), sum 1.

    Grains of one phase that overlap are one grain; where those of two phases would take more than
    0.95 of the depth together, both are thinned.
    """
    shares = np.zeros((len(PHASES), size, size))
    names = [phase.name for phase in PHASES]
    for grain in grains_of(layout):
        own = shares[names.index(grain.phase)]
        np.maximum(own, grain.depth(size), out=own)
    together = shares[1:].sum(axis=0)
    shares[1:] *= np.minimum(1, LARGEST_SHARE / np.maximum(together, LARGEST_SHARE))
    shares[0] = 1 - shares[1:].sum(axis=0)
    return shares


def relative_thickness(size: int) -> FloatArray:
    """Thickness of the foil over its mean, shape (size, size): gentle waves of about 12 %."""
    v, u = (np.indices((size, size)) + 0.5) / size
    waves = 0.07 * np.sin(2 * np.pi * (0.7 * u + 0.35 * v) + 0.4) + 0.05 * np.cos(
        2 * np.pi * (0.9 * v - 0.3 * u) + 1.1
    )
    thickness = 1 + waves
    return np.asarray(thickness / thickness.mean())


def loose_rectangles(
    size: int, layout: int = DEMO_LAYOUT, seed: int = 0
) -> dict[str, list[tuple[int, int, int, int]]]:
    """Boxes (x, y, width, height) in pixels, as a hand would draw them, one round each grain.

    Every side lies 3 to 6 pixels of a 256-pixel map outside the grain, at random by `seed`; cut to
    the map. By the name of the precipitate.
    """
    rng = np.random.default_rng([LAYOUT_STREAM, layout, seed])
    boxes: dict[str, list[tuple[int, int, int, int]]] = {phase.name: [] for phase in PHASES[1:]}
    for grain in grains_of(layout):
        rows, columns = np.nonzero(grain.depth(size) > 0)
        margins = np.rint(rng.uniform(3, 6, 4) * size / 256).astype(int)
        left, top = max(columns.min() - margins[0], 0), max(rows.min() - margins[1], 0)
        right = min(columns.max() + 1 + margins[2], size)
        bottom = min(rows.max() + 1 + margins[3], size)
        boxes[grain.phase].append((int(left), int(top), int(right - left), int(bottom - top)))
    return boxes
