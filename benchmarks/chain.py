"""What Endmember itself does, measured in this process; `steps.py` starts it afresh for each map.

    python benchmarks/chain.py map SIZE COUNTS            make the demo map; prints its recipe
    python benchmarks/chain.py measure RECIPE REPEATS     time and memory of each step
    python benchmarks/chain.py spectrum RECIPE REPEATS    time to quantify one spectrum
    python benchmarks/chain.py fcls RECIPE REPEATS        time to make abundance maps
    python benchmarks/chain.py export RECIPE FOLDER       counts and endmembers for other programs

The last line printed is JSON.
"""

from __future__ import annotations

import contextlib
import gc
import itertools
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

DEMO_COUNTS = 160.0  # per pixel
WARMING_SIZE = 64  # of the map that is run first, so that libraries and compiled code are there


def make_map(size: int, counts_per_pixel: float = DEMO_COUNTS) -> Path:
    """The recipe of the demo map with as many counts; map and recipe are made once and kept."""
    from endmember.demo import MAP_FILE, RECIPE_FILE, demo_recipe, prepare_demo, simulate_to
    from endmember.session.decisions.recipe_file import dump_recipe

    usual = counts_per_pixel == DEMO_COUNTS
    name = f"endmember-benchmark-{size}" + ("" if usual else f"-{counts_per_pixel:g}")
    folder = Path(tempfile.gettempdir()) / name
    if usual:
        return prepare_demo(folder, size, lambda _: None)
    folder.mkdir(exist_ok=True)
    recipe = folder / RECIPE_FILE
    if not recipe.exists():  # written last: then the map is whole
        simulate_to(
            folder / MAP_FILE,
            None,
            lambda _: None,
            size=size,
            counts_per_pixel=counts_per_pixel,
            seed=0,
            layout=0,
        )
        recipe.write_text(dump_recipe(demo_recipe(size), folder, folder), encoding="utf-8")
    return recipe


def _forget_peak() -> None:
    """Let Linux count the largest size of this process from now on; elsewhere it never falls."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def _run(recipe: Path) -> tuple[Any, list[Any], list[float]]:
    """One run of all steps; the peak memory in each record is that of its step alone.

    The last list holds the time of all processors together in each step.
    """
    from endmember.session.results.results_folder import run_recipe

    begun: dict[Any, float] = {}

    def report(job: Any, _: float) -> None:
        if job.key not in begun:
            begun[job.key] = time.process_time()
            _forget_peak()

    session, records = run_recipe(recipe, report)
    marks = [*begun.values(), time.process_time()]
    return session, records, [end - start for start, end in itertools.pairwise(marks)]


def measure(recipe: Path, repeats: int) -> dict[str, Any]:
    """Every step of a recipe: seconds of each repeat, the largest memory; and facts of the map."""
    warming = make_map(WARMING_SIZE)
    if warming != recipe:
        _run(warming)
    steps: dict[str, dict[str, Any]] = {}
    facts: dict[str, Any] = {}
    for _ in range(repeats):
        gc.collect()
        session, records, processor_s = _run(recipe)
        for record, used in zip(records, processor_s, strict=True):
            new = {"seconds": [], "processor_s": [], "peak_memory_MB": 0.0}
            step = steps.setdefault(record.name, new)
            step["seconds"].append(record.seconds)
            step["processor_s"].append(used)
            step["peak_memory_MB"] = max(step["peak_memory_MB"], record.peak_memory_MB or 0.0)
        facts = _facts(session)
        del session, records  # the next run must not begin with the memory of this one
    return {"steps": steps, **facts}


def _facts(session: Any) -> dict[str, Any]:
    name = session.recipe.map_names[0]
    data, found = session.result("read", name), session.result("decomposition", name).found
    image, losses = data.image, found.losses
    file = Path(data.entry.file)
    return {
        "pixels": image.rows * image.columns,
        "channels": image.axis.channels,
        "counts": int(image.total),
        "file_MB": file.stat().st_size / 1e6,
        "dense_MB": image.rows * image.columns * 2048 * image.counts.dtype.itemsize / 1e6,
        "nmf_converged": bool(found.converged),
        "nmf_passes": len(losses),
        "nmf_last_gain": float((losses[-2] - losses[-1]) / losses[-1]),
        "nmf_losses": [float(loss) for loss in losses],
    }


def measure_spectrum(recipe: Path, repeats: int) -> dict[str, Any]:
    """To fit and quantify the summed spectrum of a map, as `endmember quantify` does."""
    from endmember.core.quantification.cliff_lorimer import quantify
    from endmember.session.steps.chain import method_of

    session = with_map(recipe)
    spectrum = session.result("read", session.recipe.map_names[0]).image.spectrum()
    asked = session.recipe
    method = method_of(asked.sample, asked.quantification, asked.detector)
    return _timed(lambda: quantify(spectrum, method), repeats)


def measure_fcls(recipe: Path, repeats: int) -> dict[str, Any]:
    """Abundance maps alone: the step also makes the fractions of phases, and looks for doubts."""
    from endmember.core.unmixing.abundance import abundances

    session = with_map(recipe)
    image = session.result("read", session.recipe.map_names[0]).image
    endmembers = _true_spectra(session.recipe)
    return _timed(lambda: abundances(image, endmembers), repeats)


def _timed(work: Callable[[], object], repeats: int) -> dict[str, Any]:
    from endmember.session.state.memory import peak_memory_MB

    seconds, processor_s = [], []
    for _ in range(repeats + 1):  # the first loads tables and compiled code
        begun, used = time.perf_counter(), time.process_time()
        work()
        seconds.append(time.perf_counter() - begun)
        processor_s.append(time.process_time() - used)
    peak = peak_memory_MB() or 0.0
    return {"seconds": seconds[1:], "processor_s": processor_s[1:], "peak_memory_MB": peak}


def _true_spectra(recipe: Any) -> Any:
    """Spectra (K, C) of the phases of the demo within the range that is read."""
    from endmember.core.simulation.simulated_map import AXIS, expected_truth

    span = AXIS.span(*recipe.instrument.energy_range_keV)
    return expected_truth(WARMING_SIZE).spectra[:, span]


def with_map(recipe: Path) -> Any:
    """A session in which only the first step is done."""
    from endmember.session.decisions.recipe_file import anchored, load_recipe
    from endmember.session.state.session import Session, attempt
    from endmember.session.steps.chain import STEPS

    session = Session(STEPS, anchored(load_recipe(recipe), recipe.parent))
    for job in session.due():
        session.accept(job.key, attempt(job, lambda _: None))
    return session


def sparse_counts(recipe: Path) -> Any:
    """The map that the steps work on as a SciPy matrix, pixels by channels."""
    from scipy.sparse import csr_array

    session = with_map(recipe)
    image = session.result("read", session.recipe.map_names[0]).image
    shape = image.rows * image.columns, image.axis.channels
    return csr_array((image.counts, image.channels, image.starts), shape=shape)


def export(recipe: Path, folder: Path) -> dict[str, Any]:
    """Write the counts as a sparse matrix, and the true spectra of the phases."""
    import numpy as np
    from scipy.sparse import save_npz

    from endmember.session.decisions.recipe_file import load_recipe

    save_npz(folder / "counts.npz", sparse_counts(recipe), compressed=False)
    np.save(folder / "endmembers.npy", _true_spectra(load_recipe(recipe)))
    return {"folder": str(folder)}


def main(arguments: list[str]) -> None:
    """Do what is asked and print the answer."""
    what, first, *rest = arguments
    if what == "map":
        answer: dict[str, Any] = {"recipe": str(make_map(int(first), *map(float, rest)))}
    elif what == "measure":
        answer = measure(Path(first), int(rest[0]))
    elif what == "spectrum":
        answer = measure_spectrum(Path(first), int(rest[0]))
    elif what == "fcls":
        answer = measure_fcls(Path(first), int(rest[0]))
    elif what == "export":
        answer = export(Path(first), Path(rest[0]))
    else:
        raise SystemExit(f'"{what}" is not known here: see the first lines of the file')
    print(json.dumps(answer))


if __name__ == "__main__":
    main(sys.argv[1:])
