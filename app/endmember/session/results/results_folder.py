"""A recipe run from start to end in this thread, and its results laid down in a folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from endmember.core.progress import Report, parts_of, silent
from endmember.session.decisions.recipe import Recipe
from endmember.session.decisions.recipe_file import anchored, dump_recipe, load_recipe
from endmember.session.documents.map_files import with_digests
from endmember.session.results.result_tables import write_statistics, write_tables
from endmember.session.state.session import Failure, Job, Session, StepRecord, run_all
from endmember.session.steps.chain import ACCOUNTED, STEPS, Decomposed, MapAbundance
from endmember.session.views.remarks import remarks

if TYPE_CHECKING:
    from endmember.session.steps.map_data import MapData
    from endmember.session.steps.separation import MapMasks, MapPhases


class RunError(ValueError):
    """A run cannot go on. The message names the recipe, the step and the remedy."""


def run_recipe(
    path: Path, report: Callable[[Job, float], None] = lambda *_: None
) -> tuple[Session, list[StepRecord]]:
    """Run every step of a recipe file; the session holds the results.

    Raises
    ------
    RecipeError
        if the recipe cannot be used.
    RunError
        if a step finds that its input cannot be used.
    RuntimeError
        if a step fails by a fault of the program; the traceback is in its second argument.
    """
    return run_steps(anchored(load_recipe(path), path.parent), str(path), report)


def run_steps(
    recipe: Recipe, where: str, report: Callable[[Job, float], None] = lambda *_: None
) -> tuple[Session, list[StepRecord]]:
    """Run every step of a recipe whose files are absolute; `where` names it in messages.

    Raises
    ------
    RunError, RuntimeError
        as `run_recipe`.
    """
    _check_drawn(where, recipe)
    _check_further_files(where, recipe)
    session = Session(STEPS, recipe)
    records = run_all(session, report)
    _raise_first_failure(where, session)
    return session, records


def _raise_first_failure(path: str, session: Session) -> None:
    """A batch run wants all or nothing: a precipitate that failed ends it too."""
    for step in session.table:
        if session.table.is_advice(step.name):
            continue
        for maps in session.table.groups(step.name, session.recipe):
            result = session.result(step.name, maps[0])
            if isinstance(result, Failure):
                _raise(path, step.name, maps, result)
            for sentence in getattr(result, "failures", {}).values():
                raise RunError(f"{path}: {sentence}")


def _check_drawn(path: str, recipe: Recipe) -> None:
    for precipitate in recipe.precipitates:
        if not any(precipitate.is_drawn_on(name) for name in recipe.map_names):
            raise RunError(
                f'{path}: [[precipitate]] "{precipitate.name}" has no rectangle: add '
                "[[precipitate.rectangle]] with map and box, loosely round each precipitate"
            )


def _check_further_files(path: str, recipe: Recipe) -> None:
    """Read k-factors and detector curve before the long steps, which do not need them, are run."""
    from endmember.session.steps.chain import detector_of, given_factors

    try:
        given_factors(recipe.quantification)
    except ValueError as error:
        raise RunError(f"{path}: [quantification] k_factors: {error}") from error
    try:
        detector_of(recipe.detector)
    except ValueError as error:
        raise RunError(f"{path}: [detector] curve: {error}") from error


def _raise(path: str, step: str, maps: tuple[str, ...], failure: Failure) -> None:
    if failure.expected:
        raise RunError(f"{path}: {failure.message}")
    raise RuntimeError(
        f"the step {step} failed on {', '.join(maps)}: {failure.message}", failure.traceback
    )


def all_warnings(session: Session) -> list[str]:
    """Every warning of a finished session, in the order of the steps, each once.

    First what of an advice could not be given: it ended no run.
    """
    missing = [
        f'map "{maps[0]}": the energy axis could not be checked ({failure.message}): see for '
        "yourself that strong lines lie in their places"
        for step, maps, failure in session.failures()
        if session.table.is_advice(step)
    ]
    return missing + [remark.sentence for remark in remarks(session)]


def component_counts(session: Session) -> list[str]:
    """How many components were asked for and how many the scree suggests, for each map."""
    asked = session.recipe.decomposition.components
    return [
        f'map "{name}": {asked} components asked for, {session.result("scree", name).suggested} '
        "stand above the noise"
        for name in session.recipe.map_names
    ]


def write_results(
    session: Session,
    records: list[StepRecord],
    folder: Path,
    final: Path,
    report: Report = silent,
) -> list[str]:
    """Write a finished session into `folder`, which will stand at `final`; returns all warnings.

    `report` is called before the tables and before each map.
    """
    from endmember.files.disk.folders import write_json

    for name in ("spectra", "masks", "abundance", "components"):
        (folder / name).mkdir()
    of_tables, *of_maps = parts_of(report, 1 + len(session.recipe.maps))
    of_tables(0.0)
    told = all_warnings(session)
    write_tables(session, folder)
    told += [sentence for sentence in write_statistics(session, folder) if sentence not in told]
    _write_spectra(session, folder / "spectra")
    for name, within in zip(session.recipe.map_names, of_maps, strict=True):
        within(0.0)
        _write_masks(session, name, folder / "masks")
        _write_abundance(session, name, folder / "abundance")
        _write_components(session, name, folder / "components" / f"{name}.npz")
    write_json(folder / "run.json", _account(session, records, told))
    (folder / "recipe.toml").write_text(dump_recipe(with_digests(session), final), encoding="utf-8")
    return told


def _write_spectra(session: Session, folder: Path) -> None:
    from endmember.files.pictures.exporting import (
        write_spectrum_csv,
        write_spectrum_hspy,
        write_spectrum_msa,
    )

    elements = tuple(session.recipe.sample.elements)
    for entry in session.result("quantification").entries:
        if entry.source not in ("mask", "mixture"):
            continue
        fit = entry.composition.fit
        stem = f"{entry.map}_{entry.phase}"
        title = f"{entry.phase}, {entry.map}"
        write_spectrum_msa(folder / f"{stem}.msa", fit.spectrum, title)
        write_spectrum_hspy(folder / f"{stem}.hspy", fit.spectrum, title, elements)
        write_spectrum_csv(
            folder / f"{stem}.csv", fit.spectrum, fit.deviation, fit.fitted, fit.background
        )


def _write_masks(session: Session, name: str, folder: Path) -> None:
    from endmember.files.pictures.exporting import write_mask_tiff

    data: MapData = session.result("read", name)
    masks: MapMasks = session.result("masks", name)
    part = masks.partition
    named = {
        "matrix": part.matrix,
        "overlap": part.overlap,
        **{f"component_{p}": mask for p, mask in part.components.items()},
        **{f"mixture_{p}": mask for p, mask in part.mixtures.items()},
    }
    size = data.full_pixel_size_nm
    for label, mask in named.items():
        write_mask_tiff(folder / f"{name}_{label}.tif", data.on_full_map(mask, False), size)
    excluded = data.on_full_map(part.excluded, True)
    write_mask_tiff(folder / f"{name}_excluded.tif", excluded, size)


def _write_abundance(session: Session, name: str, folder: Path) -> None:
    import numpy as np

    from endmember.files.pictures.exporting import write_map_tiff

    data: MapData = session.result("read", name)
    found: MapAbundance = session.result("abundance", name)
    size = data.full_pixel_size_nm
    maps = dict(zip(found.phases, found.abundance.maps, strict=True))
    maps["residual"] = found.abundance.residual
    for label, array in maps.items():
        write_map_tiff(folder / f"{name}_{label}.tif", data.on_full_map(array, np.nan), size)


def _write_components(session: Session, name: str, path: Path) -> None:
    import numpy as np

    from endmember.files.pictures.exporting import write_map_tiff

    decomposed: Decomposed = session.result("decomposition", name)
    data: MapData = session.result("read", name)
    size = data.image.pixel_size_nm
    for index, component in enumerate(decomposed.maps_of(name)):
        write_map_tiff(path.with_name(f"{name}_{index}.tif"), component, size)
    np.savez_compressed(
        path,
        maps=decomposed.maps_of(name),
        spectra=decomposed.found.spectra,
        energy_keV=(decomposed.found.axis or data.image.axis).centres,
        scree=session.result("scree", name).eigenvalues,
    )


def further_inputs(recipe: Recipe) -> dict[str, dict[str, str]]:
    """The files beside the maps that decide the numbers, with their SHA-256."""
    from endmember.session.steps.map_data import file_digest

    files = {"k_factors": recipe.quantification.k_factors, "detector_curve": recipe.detector.curve}
    return {
        name: {"file": Path(file).name, "sha256": file_digest(file)}
        for name, file in files.items()
        if file is not None and file != "computed"
    }


def _k_factors(session: Session) -> dict[str, Any]:
    """What the k-factors of composition.csv mean."""
    entries = session.result("quantification").entries
    return {
        "basis": "weight",
        "definition": "alpha line, detector inside",
        "references": {entry.place: entry.composition.reference for entry in entries},
    }


def _account(session: Session, records: list[StepRecord], warnings: list[str]) -> dict[str, Any]:
    from endmember.versions import versions

    recipe = session.recipe
    read = {name: session.result("read", name) for name in recipe.map_names}
    phases: dict[str, MapPhases] = {
        name: session.result("subtraction", name) for name in recipe.map_names
    }
    return {
        "versions": versions(),
        "seeds": {
            "decomposition": recipe.decomposition.seed,
            "segmentation": recipe.segmentation.seed,
        },
        "inputs": {
            **{
                name: {"file": Path(d.entry.file).name, "sha256": d.sha256}
                for name, d in read.items()
            },
            **further_inputs(recipe),
        },
        "warnings": warnings,
        "k_factors": _k_factors(session),
        "purity": {
            name: {p: {"value": v, "sigma": s} for p, (v, s) in phases[name].purity.items()}
            for name in recipe.map_names
        },
        "phase_fractions": {
            name: {
                phase: {"value": value, "sigma": sigma}
                for phase, (value, sigma) in session.result("abundance", name).fractions.items()
            }
            for name in recipe.map_names
        },
        "subtraction": {
            name: {
                p: {
                    "factor": done.factor,
                    "sigma": done.factor_sigma,
                    "component": session.result("masks", name).components[p],
                }
                for p, done in phases[name].subtractions.items()
            }
            for name in recipe.map_names
        },
        "suggested_components": {
            name: session.result("scree", name).suggested for name in recipe.map_names
        },
        "steps": [
            {
                "name": record.name,
                "map": record.maps[0] if len(record.maps) == 1 else "all",
                "seconds": record.seconds,
                "peak_memory_MB": record.peak_memory_MB,
            }
            for name in ACCOUNTED
            for record in records
            if record.name == name
        ],
    }
