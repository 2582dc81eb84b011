"""The demo specimen on several small maps that differ in noise, with regions drawn by hand."""

from __future__ import annotations

import atexit
import functools
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from endmember.core.counts.spectrum_image import SpectrumImage
from endmember.core.progress import silent
from endmember.core.simulation.simulated_map import simulate_map
from endmember.demo import demo_recipe, simulate_to
from endmember.files.pictures.exporting import write_map_hspy
from endmember.session.decisions.recipe import PrecipitateRectangle, Recipe, Roi, changed
from endmember.session.decisions.recipe_file import dump_recipe
from endmember.session.results.results_folder import run_recipe
from endmember.session.state.session import Session
from endmember.session.statistics.snr_growth import GrowthPoint, snr_growth

SIZE = 64
COUNTS_PER_PIXEL = 640.0
MATRIX_FRAME = (0, 0, 14, 8)


def simulated(seed: int, size: int = SIZE) -> SpectrumImage:
    """The map that `several_maps` writes with this seed."""
    return simulate_map(size=size, counts_per_pixel=COUNTS_PER_PIXEL, seed=seed)[0]


def several_maps(folder: Path, names: Sequence[str] = ("a", "b"), size: int = SIZE) -> Recipe:
    """The demo recipe on as many maps, written into `folder`; regions as on the first map."""
    recipe = demo_recipe(size)
    for seed, name in enumerate(names):
        simulate_to(
            folder / f"{name}.hspy",
            None,
            silent,
            size=size,
            counts_per_pixel=COUNTS_PER_PIXEL,
            seed=seed,
            layout=0,
        )
    rois = (
        Roi(name="Brg by hand", phase="Brg", rectangle=MATRIX_FRAME),
        *(
            Roi(name=f"{p.name} {i}", phase=p.name, rectangle=tuple(p.rectangles[i].box))
            for p in recipe.precipitates
            for i in (1, 2)
        ),
    )
    maps = tuple(
        changed(recipe.maps[0], file=f"{name}.hspy", name=name, rois=rois) for name in names
    )
    precipitates = tuple(
        changed(
            p,
            rectangles=tuple(
                PrecipitateRectangle(map=name, box=r.box) for name in names for r in p.rectangles
            ),
        )
        for p in recipe.precipitates
    )
    return changed(recipe, maps=maps, precipitates=precipitates)


def write_map(path: Path, image: SpectrumImage) -> None:
    """A map as a file, in place of one that `several_maps` wrote."""
    write_map_hspy(path, image, "test")


def recipe_file(folder: Path, recipe: Recipe, name: str = "several") -> Path:
    """The recipe as a file beside its maps."""
    path = folder / f"{name}.toml"
    path.write_text(dump_recipe(recipe, folder, folder), encoding="utf-8")
    return path


@functools.cache
def kept_folder() -> Path:
    """A folder that is removed when the process ends."""
    folder = tempfile.mkdtemp(prefix="endmember-tests-maps-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


@functools.cache
def two_finished_maps() -> tuple[Path, Session]:
    """Maps a and b run to their end, once for all tests of a process, and their folder.

    Whoever changes the recipe takes a `snapshot`.
    """
    folder = kept_folder()
    return folder, finished(folder, several_maps(folder))


@functools.cache
def growth_of_two_maps() -> tuple[GrowthPoint, ...]:
    """The growth of signal in `two_finished_maps`, once for all tests of a process."""
    return snr_growth(two_finished_maps()[1])


def file_of(session: Session) -> Path:
    """The recipe of `two_finished_maps`, or of one made from it, as a file beside the maps."""
    return recipe_file(kept_folder(), session.recipe, "again")


def with_recipe(session: Session, **settings: object) -> Session:
    """The same results under a recipe with other settings that no step reads."""
    twin = session.snapshot()
    twin.change(changed(session.recipe, **settings))
    assert not twin.due()
    return twin


def finished(folder: Path, recipe: Recipe, name: str = "several") -> Session:
    """The recipe run to its end."""
    return run_recipe(recipe_file(folder, recipe, name))[0]
