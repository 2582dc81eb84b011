"""One function for every gesture that changes a recipe.

Each returns a new recipe, or raises ValueError with a sentence where the result would break a rule.
The result may be unfinished: no element, or no absent element, chosen yet. `LEAVE` stands for a
setting that is not touched. Maps, settings, elements, labels and energy windows are edited here;
the functions of `phase_edits`, `drawings`, `quantification_edits` and `sample_goals` are found here
too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Literal

from endmember.session.decisions.drawings import (
    add_exclude,
    add_rectangle,
    add_roi,
    add_stroke,
    change_exclude,
    change_roi,
    clear_strokes,
    move_rectangle,
    remove_exclude,
    remove_rectangle,
    remove_roi,
    remove_stroke,
)
from endmember.session.decisions.phase_edits import (
    add_precipitate,
    remove_precipitate,
    rename_matrix,
    rename_precipitate,
    set_density,
    set_formula_unit,
    set_precipitate,
)
from endmember.session.decisions.quantification_edits import (
    kept_for,
    set_detector,
    set_k_factor,
    set_quantification,
    set_valence,
)
from endmember.session.decisions.recipe import (
    FORMAT,
    ComponentLabel,
    Decomposition,
    EnergyWindow,
    MapInput,
    Recipe,
    Role,
    Sample,
    changed,
)
from endmember.session.decisions.recipe_changes import (
    LEAVE,
    Leave,
    allowed,
    free_names,
    given,
    plain,
    whole_box,
    with_free_name,
    with_item,
    with_map,
)
from endmember.session.decisions.recipe_rules import atomic_number, fit_map_name
from endmember.session.decisions.sample_goals import (
    goals_kept_for,
    set_bulk,
    set_bulk_sigma,
    set_goal,
)

__all__ = [
    "LEAVE",
    "USUAL_SYSTEM_ELEMENTS",
    "add_exclude",
    "add_map",
    "add_precipitate",
    "add_rectangle",
    "add_roi",
    "add_stroke",
    "add_window",
    "adopted",
    "change_exclude",
    "change_roi",
    "change_window",
    "choose_dataset",
    "clear_strokes",
    "label_component",
    "move_rectangle",
    "new_recipe",
    "remove_exclude",
    "remove_map",
    "remove_precipitate",
    "remove_rectangle",
    "remove_roi",
    "remove_stroke",
    "remove_window",
    "rename_map",
    "rename_matrix",
    "rename_precipitate",
    "set_bulk",
    "set_bulk_sigma",
    "set_decomposition",
    "set_density",
    "set_detector",
    "set_elements",
    "set_formula_unit",
    "set_goal",
    "set_instrument",
    "set_k_factor",
    "set_map",
    "set_precipitate",
    "set_quantification",
    "set_segmentation",
    "set_valence",
]

# Support grid, pole piece and ion beam: what a file lists of these is rarely of the sample.
USUAL_SYSTEM_ELEMENTS = ("Cu", "Ga", "Mo", "Au")


def new_recipe(file: Path, matrix: str = "Matrix") -> Recipe:
    """The recipe of a map about which nothing was decided yet; it is named after its file."""

    def named(name: str) -> Recipe:
        return Recipe(
            format=FORMAT,
            maps=(MapInput(file=str(file), name=name),),
            decomposition=Decomposition(components=3),
            sample=Sample(matrix=matrix, elements=()),
        )

    return with_free_name(_map_names(file, ()), named)


def add_map(recipe: Recipe, file: Path) -> Recipe:
    """The recipe with a further map, the last, named after its file."""

    def with_name(name: str) -> Recipe:
        return changed(recipe, maps=(*recipe.maps, MapInput(file=str(file), name=name)))

    return with_free_name(_map_names(file, recipe.map_names), with_name)


def remove_map(recipe: Recipe, map_name: str) -> Recipe:
    """The recipe without one map and without what is drawn on it."""
    gone = recipe.map_named(map_name)
    if len(recipe.maps) == 1:
        raise ValueError(f'"{map_name}" is the only map; add another before it is removed')
    precipitates = tuple(
        changed(
            p,
            rectangles=tuple(r for r in p.rectangles if r.map != map_name),
            strokes=tuple(s for s in p.strokes if s.map != map_name),
        )
        for p in recipe.precipitates
    )
    maps = tuple(entry for entry in recipe.maps if entry != gone)
    return allowed(changed(recipe, maps=maps, precipitates=precipitates))


def rename_map(recipe: Recipe, map_name: str, new_name: str) -> Recipe:
    """Another name for a map; what is drawn on it follows."""
    name = new_name.strip()

    def here(drawn_on: str) -> str:
        return name if drawn_on == map_name else drawn_on

    renamed = with_map(recipe, map_name, name=name)
    precipitates = tuple(
        changed(
            p,
            rectangles=tuple(changed(r, map=here(r.map)) for r in p.rectangles),
            strokes=tuple(changed(s, map=here(s.map)) for s in p.strokes),
        )
        for p in recipe.precipitates
    )
    return allowed(changed(renamed, precipitates=precipitates))


def set_map(
    recipe: Recipe,
    map_name: str,
    *,
    crop: Sequence[float] | Leave | None = LEAVE,
    rebin: int | Leave = LEAVE,
    thickness_nm: float | Leave | None = LEAVE,
    signal: int | Leave | None = LEAVE,
    energy_offset_keV: float | Leave | None = LEAVE,
    energy_gain: float | Leave | None = LEAVE,
    pixel_size_nm: float | Leave | None = LEAVE,
    frames: tuple[int, int] | Leave | None = LEAVE,
    detectors: tuple[int, ...] | Leave | None = LEAVE,
) -> Recipe:
    """Settings of one map. `crop` is x, y, width, height, rounded to whole pixels."""
    settings = given(
        crop=crop,
        rebin=rebin,
        thickness_nm=thickness_nm,
        signal=signal,
        energy_offset_keV=energy_offset_keV,
        energy_gain=energy_gain,
        pixel_size_nm=pixel_size_nm,
        frames=frames,
        detectors=detectors,
    )
    if settings.get("crop") is not None:
        settings["crop"] = whole_box(settings["crop"])
    return allowed(with_map(recipe, map_name, **settings))


def choose_dataset(
    recipe: Recipe,
    map_name: str,
    dataset: str,
    axes: str,
    energy_start_keV: float,
    energy_step_keV: float,
    pixel_size_nm: float | None,
) -> Recipe:
    """Which array of its file a map is; see `files.reading.choice`."""
    chosen = {
        "dataset": dataset,
        "axes": axes,
        "energy_start_keV": energy_start_keV,
        "energy_step_keV": energy_step_keV,
        "pixel_size_nm": pixel_size_nm,
    }
    return allowed(with_map(recipe, map_name, signal=None, **chosen))


def set_instrument(
    recipe: Recipe,
    *,
    beam_energy_keV: float | Leave | None = LEAVE,
    take_off_angle_deg: float | Leave | None = LEAVE,
    energy_range_keV: tuple[float, float] | Leave = LEAVE,
) -> Recipe:
    """What overrides the files (None: the file decides), and the energy range."""
    settings = given(
        beam_energy_keV=beam_energy_keV,
        take_off_angle_deg=take_off_angle_deg,
        energy_range_keV=energy_range_keV,
    )
    return allowed(changed(recipe, instrument=changed(recipe.instrument, **settings)))


def set_decomposition(
    recipe: Recipe,
    *,
    components: int | Leave = LEAVE,
    method: Literal["poisson", "frobenius"] | Leave = LEAVE,
    joint: bool | Leave = LEAVE,
    seed: int | Leave = LEAVE,
) -> Recipe:
    """How the maps are decomposed; what names a component that is no more is dropped."""
    settings = given(components=components, method=method, joint=joint, seed=seed)
    decomposition = changed(recipe.decomposition, **settings)
    count = decomposition.components
    precipitates = tuple(
        p if p.component is None or p.component < count else changed(p, component=None)
        for p in recipe.precipitates
    )
    labels = tuple(label for label in recipe.components if label.number < count)
    return allowed(
        changed(recipe, decomposition=decomposition, precipitates=precipitates, components=labels)
    )


def set_segmentation(
    recipe: Recipe, *, smoothing_px: float | Leave = LEAVE, seed: int | Leave = LEAVE
) -> Recipe:
    """How component maps become masks."""
    settings = given(smoothing_px=smoothing_px, seed=seed)
    return allowed(changed(recipe, segmentation=changed(recipe.segmentation, **settings)))


def set_elements(recipe: Recipe, elements: Sequence[str], system_elements: Sequence[str]) -> Recipe:
    """The elements quantified, and those only fitted, by atomic number.

    An absent element or a reference element that is no longer quantified is unset, and so are
    k-factors by hand, bulk and goals of such elements, and oxygen by stoichiometry without O.
    """
    listed = _by_number(elements)
    recipe = goals_kept_for(recipe, listed)
    sample = changed(recipe.sample, elements=listed, system_elements=_by_number(system_elements))
    precipitates = tuple(
        p if p.absent in listed else changed(p, absent="") for p in recipe.precipitates
    )
    quantification = kept_for(recipe.quantification, listed)
    return allowed(
        changed(recipe, sample=sample, precipitates=precipitates, quantification=quantification)
    )


def adopted(recipe: Recipe, elements: Sequence[str]) -> Recipe:
    """The recipe with the elements that a file lists, if it has none yet.

    Cu, Ga, Mo and Au become system elements; what is no element is passed over.
    """
    if recipe.sample.elements:
        return recipe
    kept = recipe.sample.system_elements
    known = [symbol for symbol in elements if atomic_number(symbol) and symbol not in kept]
    system = [symbol for symbol in known if symbol in USUAL_SYSTEM_ELEMENTS]
    sample = [symbol for symbol in known if symbol not in USUAL_SYSTEM_ELEMENTS]
    return set_elements(recipe, sample, [*kept, *system]) if known else recipe


def label_component(
    recipe: Recipe,
    number: int,
    *,
    name: str | Leave = LEAVE,
    role: Role | Leave | None = LEAVE,
) -> Recipe:
    """What a person calls a component and takes it for; an empty label is dropped."""
    settings = given(name=name, role=role)
    if name is not LEAVE:
        settings["name"] = name.strip()
    label = changed(recipe.label_of(number), **settings)
    labels = [other for other in recipe.components if other.number != number]
    if label != ComponentLabel(number=number) or not _is_component(recipe, number):
        labels.append(label)
    labels.sort(key=lambda entry: entry.number)
    return allowed(changed(recipe, components=tuple(labels)))


def add_window(
    recipe: Recipe, low: float, high: float, background: bool = False, name: str | None = None
) -> Recipe:
    """A further energy window in keV, the last; without a name it is called W1, W2 ..."""
    ends = plain((low, high))

    def with_name(chosen: str) -> Recipe:
        window = EnergyWindow(name=chosen, range_keV=ends, background=background)
        return changed(recipe, windows=(*recipe.windows, window))

    if name is not None:
        return allowed(with_name(name.strip()))
    return with_free_name(free_names("W", [w.name for w in recipe.windows]), with_name)


def change_window(
    recipe: Recipe,
    name: str,
    *,
    new_name: str | Leave = LEAVE,
    range_keV: tuple[float, float] | Leave = LEAVE,
    background: bool | Leave = LEAVE,
) -> Recipe:
    """Another name, range or display for an energy window."""
    settings = given(range_keV=range_keV, background=background)
    if new_name is not LEAVE:
        settings["name"] = new_name.strip()
    index = _window(recipe, name)
    window = changed(recipe.windows[index], **settings)
    return allowed(changed(recipe, windows=with_item(recipe.windows, index, window)))


def remove_window(recipe: Recipe, name: str) -> Recipe:
    """The recipe without one energy window."""
    windows = with_item(recipe.windows, _window(recipe, name), None)
    return allowed(changed(recipe, windows=windows))


def _window(recipe: Recipe, name: str) -> int:
    names = [window.name for window in recipe.windows]
    if name not in names:
        known = ", ".join(names) or "none yet"
        raise ValueError(f'the recipe has no energy window "{name}"; it has {known}')
    return names.index(name)


def _map_names(file: Path, taken: Sequence[str]) -> Iterator[str]:
    stem = fit_map_name(file.stem)
    plain_name = [] if stem.lower() in (name.lower() for name in taken) else [stem]
    return chain(plain_name, (n for n in free_names(f"{stem}_", taken) if n != f"{stem}_1"))


def _by_number(symbols: Sequence[str]) -> tuple[str, ...]:
    return tuple(sorted(set(symbols), key=lambda symbol: (atomic_number(symbol), symbol)))


def _is_component(recipe: Recipe, number: int) -> bool:
    return 0 <= number < recipe.decomposition.components
