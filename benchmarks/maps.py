"""Summed maps against the truth, and errors against their scatter: what `endmember run` states.

    python benchmarks/maps.py [--seeds 20] [--bootstrap 40] [--size 128]
                              [--parts coverage,bootstrap]

`coverage`: three maps of the demo's specimen, each with noise of its own, 20 times: how many
compositions lie within 1 and 2 of their statistical sigma of the truth, for single maps and the
sum; how the stated errors shrink from one map to three; and how often the maps are called
different. `bootstrap`: on the first three maps, the scatter of the bootstrap over the stated error,
beside the scatter over the seeds, which no bootstrap knows. With the spread over other masks and
the time that each takes. Seeds are fixed. All of it takes about fifteen minutes of one core.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
from calibration import table

from endmember.core.progress import silent
from endmember.core.simulation.simulated_map import Truth, expected_truth
from endmember.demo import demo_recipe, simulate_to
from endmember.session.decisions.recipe import PrecipitateRectangle, changed
from endmember.session.decisions.recipe_file import anchored
from endmember.session.state.session import Session, run_all
from endmember.session.statistics.bootstrap import bootstrap
from endmember.session.statistics.map_consistency import map_consistency
from endmember.session.statistics.mask_spread import mask_spread
from endmember.session.statistics.mass_balances import mass_balances
from endmember.session.statistics.snr_growth import snr_growth
from endmember.session.steps.chain import STEPS

Found = TypeVar("Found")

NAMES = ("one", "two", "three")
COUNTS_PER_PIXEL = 160.0
FIRST_SEED = 5000
INSIDE = {1: 0.6827, 2: 0.9545}
GOAL = 0.95


def three_maps(folder: Path, size: int, first_seed: int) -> Session:
    """Three maps of the demo's specimen with three seeds, through every step."""
    recipe = demo_recipe(size)
    for number, name in enumerate(NAMES):
        simulate_to(
            folder / f"{name}.hspy",
            None,
            silent,
            size=size,
            counts_per_pixel=COUNTS_PER_PIXEL,
            seed=first_seed + number,
            layout=0,
        )
    maps = tuple(changed(recipe.maps[0], file=f"{n}.hspy", name=n) for n in NAMES)
    precipitates = tuple(
        changed(
            p,
            rectangles=tuple(
                PrecipitateRectangle(map=n, box=r.box) for n in NAMES for r in p.rectangles
            ),
        )
        for p in recipe.precipitates
    )
    session = Session(
        STEPS, anchored(changed(recipe, maps=maps, precipitates=precipitates), folder)
    )
    run_all(session)
    assert not session.failures(), session.failures()
    return session


Values = dict[tuple[str, str], list[tuple[float, float]]]
"""By phase and element: pairs of value less truth, and stated sigma, in at.%."""


def off_truth(
    session: Session, truth: Truth, where: str
) -> dict[tuple[str, str], tuple[float, float]]:
    """Of one map, or "sum", every phase by its mask; what is absent by assumption is left out."""
    found = {}
    for e in session.result("quantification").entries:
        if (e.source, e.map) != ("mask", where):
            continue
        true = truth.atomic_percent[truth.phases.index(e.phase)]
        for row in e.composition.rows:
            if row.atomic_percent is not None and row.atomic_percent_sigma:
                value = true[truth.elements.index(row.element)]
                found[e.phase, row.element] = (row.atomic_percent - value, row.atomic_percent_sigma)
    return found


def within(pairs: list[tuple[float, float]], sigmas: float) -> float:
    """The share of values within so many of their sigma of the truth."""
    return float(np.mean([abs(off) <= sigmas * sigma for off, sigma in pairs]))


def coverage(seeds: int, size: int) -> tuple[str, Values]:
    """The tables on the truth, and the values of the sums."""
    truth = expected_truth(size, COUNTS_PER_PIXEL)
    sums: Values = defaultdict(list)
    single: Values = defaultdict(list)
    ratios: dict[tuple[str, str], list[float]] = defaultdict(list)
    p_values: list[float] = []
    alarms = 0
    balance: list[float] = []
    for number in range(seeds):
        with tempfile.TemporaryDirectory() as folder:
            session = three_maps(Path(folder), size, FIRST_SEED + len(NAMES) * number)
        of_sum = off_truth(session, truth, "sum")
        of_maps = [off_truth(session, truth, name) for name in NAMES]
        for key, pair in of_sum.items():
            sums[key].append(pair)
            precision = [1 / of[key][1] ** 2 for of in of_maps if key in of]
            ratios[key].append(pair[1] * float(np.sqrt(np.sum(precision))))
            single[key] += [of[key] for of in of_maps if key in of]
        rows = map_consistency(session.result("quantification"), truth.phases[0])
        p_values += [row.p_value for row in rows]
        alarms += any(row.p_value_of_all < 0.05 for row in rows)
        balance += [
            row.difference / row.difference_sigma
            for row in mass_balances(session).rows
            if row.map == "sum"
        ]
    lines = []
    for (phase, element), pairs in sums.items():
        off, sigma = np.array(pairs).T
        lines.append(
            [
                phase,
                element,
                f"{sigma.mean():.3g}",
                f"{off.mean() / sigma.mean():+.2f}",
                f"{off.std(ddof=1) / sigma.mean():.2f}" if len(off) > 1 else "",
                f"{within(pairs, 1):.0%}",
                f"{within(pairs, 2):.0%}",
                f"{np.mean(ratios[phase, element]):.3f}",
            ]
        )
    head = ["phase", "element", "sigma of sum", "bias", "scatter", "in 1", "in 2 sigma", "shrinks"]
    everything = [pair for pairs in sums.values() for pair in pairs]
    alone = [pair for pairs in single.values() for pair in pairs]
    p, pulls = np.array(p_values), np.array(balance)
    reached = "reached" if within(everything, 2) >= GOAL else "missed"
    summary = f"""\
{seeds} times three maps of {size} x {size} pixels, {COUNTS_PER_PIXEL:g} counts per pixel

{table(head, lines)}

bias and scatter in units of the stated sigma; `shrinks`: the sigma of the sum over that of the
weighted mean of the three maps, 1 if errors shrink as they should
sum: {within(everything, 1):.1%} within 1 sigma, {within(everything, 2):.1%} within 2 (goal
{GOAL:.0%}: {reached}); single maps: {within(alone, 1):.1%}, {within(alone, 2):.1%} (expected
{INSIDE[1]:.1%}, {INSIDE[2]:.1%})
do the maps agree: {np.mean(p < 0.05):.1%} of {len(p)} p-values below 5 %; a table had any below
5 % after accounting for all its tests in {alarms} of {seeds}
mass balance: (whole - phases) / sigma has rms {np.sqrt(np.mean(pulls**2)):.2f} over {len(pulls)}
elements"""
    return summary, sums


def timed(work: Callable[[], Found]) -> tuple[Found, float]:
    """What a function returns, and its seconds of this process."""
    started = time.process_time()
    found = work()
    return found, time.process_time() - started


def other_ways(replicates: int, size: int, sums: Values) -> str:
    """Bootstrap, other masks and parts of the pixels, on the first three maps."""
    with tempfile.TemporaryDirectory() as folder:
        session = three_maps(Path(folder), size, FIRST_SEED)
    drawn, of_drawn = timed(lambda: bootstrap(session, replicates))
    spreads, of_masks = timed(lambda: mask_spread(session))
    growth, of_growth = timed(lambda: snr_growth(session))
    systematic = {(r.phase, r.map, r.element): r.systematic for r in spreads}
    lines = []
    for row in drawn:
        if row.map != "sum":
            continue
        seen = sums.get((row.phase, row.element), [])
        scatter = np.std([off for off, _ in seen], ddof=1) if len(seen) > 1 else np.nan
        unit = row.atomic_percent_sigma
        lines.append(
            [
                row.phase,
                row.element,
                f"{unit:.3g}",
                f"{row.ratio:.2f}",
                f"{scatter / unit:.2f}",
                f"{row.bootstrap_shift / unit:+.2f}",
                f"{(systematic[row.phase, 'sum', row.element] or 0.0) / unit:.2f}",
            ]
        )
    phases = dict.fromkeys(row.phase for row in drawn)
    means = {p: np.mean([row.ratio for row in drawn if row.phase == p]) for p in phases}
    pulls = np.array([p.residual / p.residual_sigma for p in growth if p.residual_sigma])
    head = ["phase", "element", "sigma", "bootstrap", "over seeds", "shift", "masks"]
    return f"""\
bootstrap of {replicates}, sum of three maps; all in units of the stated sigma (a ratio has an error
of {1 / np.sqrt(2 * (replicates - 1)):.2f})

{table(head, lines)}

mean ratio over maps, sum and elements: {", ".join(f"{p} {m:.2f}" for p, m in means.items())}
SNR against root of pixels: residual over its error has rms {np.sqrt(np.mean(pulls**2)):.2f} over
{len(pulls)} points
seconds of processor: bootstrap {of_drawn / replicates:.2f} each, other masks {of_masks:.1f}, parts
of the pixels {of_growth:.1f}"""


def main() -> None:
    """Parse the options and print what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--bootstrap", type=int, default=40)
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--parts", default="coverage,bootstrap")
    options = parser.parse_args()
    sums: Values = {}
    if "coverage" in options.parts:
        text, sums = coverage(options.seeds, options.size)
        print(text, flush=True)
    if "bootstrap" in options.parts:
        print(f"\n{other_ways(options.bootstrap, options.size, sums)}", flush=True)


if __name__ == "__main__":
    main()
