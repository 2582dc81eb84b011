"""Whole maps: how much of the error of a composition comes from the masks, how much from the fit.

Part of `calibration.py` (option --maps). The demo's specimen at 128 x 128 pixels, its rectangles
scaled, each map with noise of its own, through every step of the session.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
from calibration import INSIDE, SEED, Way, marked, measured, table, within

from endmember.core.counts.spectrum import FloatArray
from endmember.core.progress import silent
from endmember.core.simulation.simulated_map import Truth, expected_truth
from endmember.demo import MAP_FILE, RECIPE_FILE, demo_recipe, simulate_to
from endmember.session.decisions.recipe_file import anchored, dump_recipe, load_recipe
from endmember.session.state.session import Session, run_all
from endmember.session.steps.chain import STEPS
from endmember.session.steps.compositions import Compositions
from endmember.session.steps.separation import MapMasks

SIZE = 128
COUNTS_PER_PIXEL = 160.0
FIRST_SEED = 1000
MAP_NAME = "demo"
ABSENT = {"Fp": "Si", "CaPv": "Mg"}


def through_all_steps(folder: Path, seed: int) -> tuple[MapMasks, Compositions]:
    """Simulate a map, run the demo's recipe on it, and return its masks and compositions."""
    simulate_to(
        folder / MAP_FILE,
        None,
        silent,
        size=SIZE,
        counts_per_pixel=COUNTS_PER_PIXEL,
        seed=seed,
        layout=0,
    )
    recipe = folder / RECIPE_FILE
    recipe.write_text(dump_recipe(demo_recipe(SIZE), folder, folder), "utf-8")
    session = Session(STEPS, anchored(load_recipe(recipe), folder))
    run_all(session)
    masks, found = session.result("masks", MAP_NAME), session.result("quantification")
    assert isinstance(masks, MapMasks)
    assert isinstance(found, Compositions)
    return masks, found


def of_masks(truth: Truth, masks: MapMasks) -> dict[str, FloatArray]:
    """Atomic percent (elements,) of each phase that perfect counting and fitting would give.

    From the expected counts that each phase has in each mask: what is left is the masks' own error.
    """
    partition = masks.partition
    matrix = truth.expected_counts(partition.matrix) @ truth.alpha_share
    found = {truth.phases[0]: _closed(truth, 0, matrix)}
    for number, phase in enumerate(truth.phases[1:], start=1):
        mixture = truth.expected_counts(partition.mixtures[phase]) @ truth.alpha_share
        absent = truth.elements.index(ABSENT[phase])
        left = mixture - mixture[absent] / matrix[absent] * matrix
        found[phase] = _closed(truth, number, left)
    return found


def _closed(truth: Truth, phase: int, areas: FloatArray) -> FloatArray:
    """Atomic percent from alpha areas, with the atoms per count of a phase (else of the matrix)."""
    present = truth.alpha_share[phase] > 0
    atoms = truth.atomic_percent[0] / truth.alpha_share[0]
    own = truth.atomic_percent[phase][present] / truth.alpha_share[phase][present]
    # atoms per count on one scale: by the mean over the elements that both hold
    atoms[present] = own / np.mean(own / atoms[present])
    return np.asarray(100 * atoms * areas / (atoms @ areas))


def matrix_areas(
    truth: Truth, masks: MapMasks, found: Compositions, rng: np.random.Generator
) -> FloatArray:
    """Areas of the matrix less those expected in its mask, in sigma: (2, elements).

    First as measured, then with counts drawn anew in the same mask: masks are made from the counts,
    so a pixel may be in a mask because of its own noise, and only the first row has that in it.
    """
    mask = masks.partition.matrix
    expected = truth.expected_counts(mask) @ truth.alpha_share
    (own,) = (
        entry.composition.fit
        for entry in found.entries
        if entry.source == "mask" and entry.map == MAP_NAME and entry.phase == truth.phases[0]
    )
    fresh = Way().fit(measured(rng.poisson(truth.expected_spectrum(mask))))
    rows = []
    for fit in (own, fresh):
        indices = [fit.find(e, fit.family_of(e) or "") for e in truth.elements]
        places = [index for index in indices if index is not None]
        sigma = np.sqrt(np.diag(fit.covariance)[places])
        rows.append((fit.areas[places] - expected) / sigma)
    return np.array(rows)


def map_study(count: int) -> str:
    """Tables of bias and coverage for so many maps."""
    truth = expected_truth(SIZE, COUNTS_PER_PIXEL)
    rng = np.random.default_rng([SEED, 6])
    values: dict[str, list[FloatArray]] = {phase: [] for phase in truth.phases}
    areas = []
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(FIRST_SEED, FIRST_SEED + count):
            masks, found = through_all_steps(Path(folder), seed)
            ideal = of_masks(truth, masks)
            areas.append(matrix_areas(truth, masks, found, rng))
            for entry in found.entries:
                if entry.source == "mask" and entry.map == MAP_NAME:
                    rows = [entry.composition[e] for e in truth.elements]
                    percent = [row.atomic_percent or 0.0 for row in rows]
                    sigma = [row.atomic_percent_sigma or np.nan for row in rows]
                    values[entry.phase].append(np.array([percent, sigma, ideal[entry.phase]]))
    own, fresh = np.mean(areas, axis=0)
    rows_of_matrix = [
        [e, f"{a:+.2f}", f"{b:+.2f}"] for e, a, b in zip(truth.elements, own, fresh, strict=True)
    ]
    return (
        f"{count} maps of {SIZE} x {SIZE} pixels, {COUNTS_PER_PIXEL:g} counts per pixel, seeds "
        f"{FIRST_SEED} to {FIRST_SEED + count - 1}; biases in sigma, their own error "
        f"{1 / np.sqrt(count):.2f}\n{composition_table(truth, values)}\n\n"
        "areas of the matrix less those expected in its mask, in sigma: as measured, and with "
        "counts drawn anew in the same mask\n"
        f"{table(['element', 'measured', 'drawn anew'], rows_of_matrix)}"
    )


def composition_table(truth: Truth, values: dict[str, list[FloatArray]]) -> str:
    """Bias and coverage of compositions. `values`: percent, sigma, and percent by the masks."""
    header = ["phase", "element", "true at.%", "sigma", "bias", "of masks", "of the rest"]
    header += ["in 1 sigma", "in 1.96"]
    rows = []
    for number, phase in enumerate(truth.phases):
        percent, sigmas, ideals = np.moveaxis(np.array(values[phase]), 1, 0)
        count = len(percent)
        for i, element in enumerate(truth.elements):
            if ABSENT.get(phase) == element:
                continue
            true, sigma = truth.atomic_percent[number][i], sigmas[:, i]
            off, of_mask, unit = percent[:, i] - true, ideals[:, i] - true, sigma.mean()
            rest = float((off - of_mask).mean() / unit)
            ones, twos = np.mean(np.abs(off) <= sigma), np.mean(np.abs(off) <= 1.96 * sigma)
            rows.append(
                [
                    phase,
                    element,
                    f"{true:.4g}",
                    f"{unit:.2g}",
                    f"{off.mean() / unit:+.2f}",
                    f"{of_mask.mean() / unit:+.2f}",
                    marked(f"{rest:+.2f}", abs(rest) < 0.1 + 3 / np.sqrt(count)),
                    marked(f"{ones:.0%}", within(float(ones), INSIDE[1.0], count)),
                    marked(f"{twos:.0%}", within(float(twos), INSIDE[1.96], count)),
                ]
            )
    return table(header, rows)
