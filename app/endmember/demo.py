"""The demo: a simulated map with known truth, and the recipe that goes with it."""

from __future__ import annotations

import importlib.resources
import itertools
from collections.abc import Callable
from pathlib import Path

from endmember.core.progress import Report, part_of
from endmember.files.disk.folders import complete_file
from endmember.session.decisions.recipe import Precipitate, Recipe, changed
from endmember.session.decisions.recipe_file import dump_recipe, parse_recipe

RECIPE_SIZE = 256  # pixels for which the rectangles of the shipped recipe were drawn
MAP_FILE, TRUTH_FILE, RECIPE_FILE = "demo.hspy", "truth.npz", "demo.toml"
TITLE = "Endmember simulation"


def simulate_to(
    path: Path,
    truth_path: Path | None,
    report: Report,
    *,
    size: int,
    counts_per_pixel: float,
    seed: int,
    layout: int,
) -> None:
    """Simulate a map into an .hspy file, and its truth into an .npz file if asked.

    Raises
    ------
    ValueError
        if a folder to write into does not exist, or a file there is no simulation.
    Cancelled
        by `report`; nothing half-written is left.
    """
    import numpy as np

    from endmember.core.simulation.simulated_map import simulate_map, truth_arrays
    from endmember.files.pictures.exporting import write_map_hspy

    for target in (path, truth_path):
        if target is not None and not target.resolve().parent.is_dir():
            raise ValueError(f"{target}: its folder does not exist: make it first")
        if target is not None and target.exists() and not _is_simulated(target):
            raise ValueError(
                f"{target}: a file of this name exists and is no simulation; choose another name"
            )
    report(0.0)
    image, truth = simulate_map(
        size=size,
        counts_per_pixel=counts_per_pixel,
        seed=seed,
        layout=layout,
        report=part_of(report, 0.0, 0.6),
    )
    with complete_file(path) as partial:
        write_map_hspy(partial, image, TITLE, part_of(report, 0.6, 0.95))
    if truth_path is not None:
        with complete_file(truth_path) as partial, partial.open("wb") as stream:
            np.savez_compressed(stream, **truth_arrays(truth))  # type: ignore[arg-type]
    report(1.0)


def _is_simulated(path: Path) -> bool:
    """Whether a file is a map or a truth that was simulated here, and so may be replaced."""
    import h5py
    import numpy as np

    from endmember.core.simulation.simulated_map import Truth

    try:
        if path.suffix == ".npz":
            with np.load(path) as truth:
                return set(Truth.__slots__) - {"axis"} <= set(truth)
        with h5py.File(path) as file:
            return TITLE in file["Experiments"]
    except (OSError, ValueError, KeyError):
        return False


def demo_recipe(size: int) -> Recipe:
    """The shipped recipe with its rectangles scaled from 256 to `size` pixels."""
    text = importlib.resources.files("endmember_resources").joinpath(RECIPE_FILE).read_text("utf-8")
    recipe = parse_recipe(text, RECIPE_FILE)
    scale = size / RECIPE_SIZE
    return changed(recipe, precipitates=tuple(_scaled(p, scale) for p in recipe.precipitates))


def _scaled(precipitate: Precipitate, scale: float) -> Precipitate:
    def box(of: tuple[int, int, int, int]) -> tuple[int, ...]:
        return tuple(
            max(round(value * scale), 1 if place > 1 else 0) for place, value in enumerate(of)
        )

    rectangles = tuple(changed(r, box=box(r.box)) for r in precipitate.rectangles)
    return changed(precipitate, rectangles=rectangles)


def _holds_demo(folder: Path, size: int) -> bool:
    """Whether the folder holds the map, images and truth of a demo of this size, whole."""
    import h5py
    import numpy as np

    try:
        with h5py.File(folder / MAP_FILE) as file, np.load(folder / TRUTH_FILE) as truth:
            # the demo of earlier versions had no images
            imaged = {"HAADF", "BF"} <= set(file["Experiments"])
            return bool(imaged and truth["abundance"].shape[-1] == size)
    except (OSError, ValueError, KeyError):
        return False


def prepare_demo(folder: Path | None, size: int, report: Callable[[float], None]) -> Path:
    """Simulate the demo map into a folder and write its recipe beside it; returns the recipe.

    Without a `folder`, one in the user's data folder is used. The map is simulated once and kept.
    Another recipe of this name is set aside as `demo-1.toml`, `demo-2.toml` and so on.
    """
    if folder is None:
        from platformdirs import user_data_path

        folder = user_data_path("endmember", appauthor=False) / f"demo-{size}"
    folder.mkdir(parents=True, exist_ok=True)
    if not _holds_demo(folder, size):
        simulate_to(
            folder / MAP_FILE,
            folder / TRUTH_FILE,
            report,
            size=size,
            counts_per_pixel=160.0,
            seed=0,
            layout=0,
        )
    recipe = folder / RECIPE_FILE
    text = dump_recipe(demo_recipe(size), folder, folder)
    if recipe.exists():
        if recipe.read_bytes() == text.encode():
            return recipe  # as it is, with its time: unsaved changes to it may have been kept
        recipe.rename(_set_aside(recipe))
    with complete_file(recipe) as partial:
        partial.write_text(text, encoding="utf-8")
    return recipe


def _set_aside(recipe: Path) -> Path:
    """A free name beside a recipe that a person saved in the demo's folder."""
    names = (recipe.with_stem(f"{recipe.stem}-{number}") for number in itertools.count(1))
    return next(name for name in names if not name.exists())
