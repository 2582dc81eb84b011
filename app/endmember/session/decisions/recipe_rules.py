"""What a recipe must fulfil beyond the types of its keys, each rule with its sentence."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from endmember.files.reading.axis_letters import why_no_axes
from endmember.session.decisions.recipe import (
    FORMAT,
    DetectorSettings,
    Exclude,
    Instrument,
    MapInput,
    Precipitate,
    Quantification,
    Recipe,
    Roi,
    Sample,
)

Path = tuple[str | int, ...]


class Problem(NamedTuple):
    """What is wrong with one key, as the end of a sentence that begins with the key.

    `unfinished` where nothing is wrong yet: a decision is missing that a person may still make.
    """

    path: Path
    says: str
    unfinished: bool = False


_LARGEST_SEED = 2**32 - 1
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?$", re.IGNORECASE)
_DIGEST = re.compile(r"[0-9a-fA-F]{64}")
_UNFIT = re.compile(r'[\x00-\x1f\x7f\ud800-\udfff/\\:*?"<>|]')
_LONGEST_NAME = 100  # bytes
LARGEST_ENERGY_OFFSET_keV = 2
ENERGY_GAINS = (0.4, 2.5)  # some files give half or twice the width of a channel
MOST_BULK = 101.0  # at.%: what rounding may leave above 100
MOST_PRECIPITATES = 5  # the abundances are solved for six endmembers at most


def problems(recipe: Recipe) -> Iterator[Problem]:
    """Everything wrong with a recipe whose types are right, the most basic first."""
    if recipe.format != FORMAT:
        yield Problem(
            ("format",), f'is "{recipe.format}", which is not known here; write "{FORMAT}"'
        )
    yield from _names(recipe)
    yield from _sample(recipe.sample)
    for index, entry in enumerate(recipe.maps):
        yield from _map(("map", index), entry, recipe.phases)
    yield from _instrument(recipe.instrument)
    yield from _detector(recipe.detector)
    yield from _decomposition(recipe)
    if len(recipe.precipitates) > MOST_PRECIPITATES:
        yield Problem(
            ("precipitate",),
            f"has {len(recipe.precipitates)} entries, but at most {MOST_PRECIPITATES} phases "
            "beside the matrix can be told apart; leave some out",
        )
    for index, precipitate in enumerate(recipe.precipitates):
        yield from _precipitate(("precipitate", index), precipitate, recipe)
    yield from _component_labels(recipe)
    yield from _windows(recipe)
    reference = recipe.quantification.reference
    if reference is not None:
        yield from _one_of(("quantification", "reference"), reference, recipe.sample.elements)
    yield from _k_factors(recipe.quantification, recipe.sample.elements)
    yield from _at_least(("quantification", "sum_peaks"), recipe.quantification.sum_peaks, 0)
    yield from _oxygen(recipe.quantification, recipe.sample.elements)
    yield from _goal(recipe)


def _names(recipe: Recipe) -> Iterator[Problem]:
    if not recipe.maps:
        yield Problem(("map",), "holds no map; add a [[map]] table with file and name")
    for index, entry in enumerate(recipe.maps):
        yield from _file_name(("map", index, "name"), entry.name)
        yield from _path(("map", index, "file"), entry.file, "name the file of the map")
        if entry.name.lower() == "sum":
            yield Problem(
                ("map", index, "name"),
                f'is "{entry.name}", which stands for the sum of all maps; choose another name',
            )
        yield from _distinct(
            [("map", index, "roi", i, "name") for i in range(len(entry.rois))],
            [roi.name for roi in entry.rois],
        )
    yield from _distinct([("map", i, "name") for i in range(len(recipe.maps))], recipe.map_names)
    phase_keys: list[Path] = [("precipitate", i, "name") for i in range(len(recipe.precipitates))]
    phase_keys.insert(0, ("sample", "matrix"))
    for key, phase in zip(phase_keys, recipe.phases, strict=True):
        yield from _file_name(key, phase)
        if "+" in phase or phase.lower() == "residual":
            yield Problem(
                key,
                f'is "{phase}", but results use "+" for mixtures and "residual" for what no phase '
                "explains; choose another name",
            )
    yield from _distinct(phase_keys, recipe.phases)
    yield from _distinct_result_files(recipe)


def _distinct_result_files(recipe: Recipe) -> Iterator[Problem]:
    """Results are called MAP_PHASE: map "a" with phase "b_c" must not meet "a_b" with "c"."""
    owner: dict[str, str] = {}
    for index, name in enumerate((*recipe.map_names, "sum")):
        for phase in (*recipe.phases, "residual"):
            first = owner.setdefault(f"{name}_{phase}".lower(), name)
            if first != name:
                key: Path = ("map", index if name != "sum" else 0, "name")
                yield Problem(
                    key,
                    f'makes the result "{name}_{phase}" of two maps, "{first}" and "{name}"; '
                    "rename one of the maps",
                )


def _path(path: Path, file: str, remedy: str) -> Iterator[Problem]:
    if not file.strip() or "\0" in file:
        yield Problem(path, f"is empty or no file name; {remedy}")


def _file_name(path: Path, name: str) -> Iterator[Problem]:
    remedy = "; results are named after it, so choose letters, digits, - or _"
    if not name.strip():
        yield Problem(path, f"is empty{remedy}")
    elif unfit := _UNFIT.search(name):
        shown = unfit.group() if unfit.group().isprintable() else "a control character"
        yield Problem(path, f"contains {shown}, which no file name may hold{remedy}")
    elif name != name.strip() or name.endswith("."):
        yield Problem(path, f'is "{name}" with a blank or a full stop at an end{remedy}')
    elif _RESERVED.match(name):
        yield Problem(path, f'is "{name}", which Windows keeps for a device{remedy}')
    elif len(name.encode()) > _LONGEST_NAME:
        yield Problem(path, f"is longer than {_LONGEST_NAME} bytes{remedy}")


def fit_map_name(text: str) -> str:
    """A name for a map that is as near to `text` as the rules allow, with room for a number."""
    name = _UNFIT.sub("_", text).encode()[: _LONGEST_NAME - 12].decode(errors="ignore")
    while name != (trimmed := name.strip().rstrip(".")):
        name = trimmed
    if not name:
        return "map"
    return f"map_{name}" if _RESERVED.match(name) or name.lower() == "sum" else name


def _distinct(paths: Sequence[Path], names: Sequence[str]) -> Iterator[Problem]:
    # Windows and macOS take "Fp" and "fp" for one file.
    times = Counter(name.lower() for name in names)
    seen: set[str] = set()
    for path, name in zip(paths, names, strict=True):
        if times[name.lower()] > 1 and name.lower() in seen:
            yield Problem(
                path, f'is "{name}", a name already taken (capitals do not count); choose another'
            )
        seen.add(name.lower())


def _sample(sample: Sample) -> Iterator[Problem]:
    if not sample.elements:
        says = "is empty; list the elements to quantify"
        yield Problem(("sample", "elements"), says, unfinished=True)
    for key in ("elements", "system_elements"):
        symbols: tuple[str, ...] = getattr(sample, key)
        yield from _symbols(("sample", key), symbols)
    for symbol in sample.system_elements:
        if symbol in sample.elements:
            yield Problem(
                ("sample", "system_elements"),
                f'names "{symbol}", which is also in sample.elements; keep it in one of the two',
            )
    for phase, density in sample.density_g_cm3.items():
        # A phase that is not in this recipe is no error: one table serves many recipes.
        yield from _positive(("sample", "density_g_cm3", phase), density)
    yield from _formula_units(sample.formula_unit)
    yield from _bulk(sample)


def _bulk(sample: Sample) -> Iterator[Problem]:
    for key in ("bulk", "bulk_sigma"):
        contents: Mapping[str, float] = getattr(sample, key)
        for element, value in contents.items():
            where = ("sample", key, element)
            yield from _known_element(where, element, sample.elements)
            if not 0 <= value <= 100:
                yield Problem(where, f"is {value}, but must lie from 0 to 100 at.%; correct it")
    for element in sample.bulk_sigma:
        if element not in sample.bulk:
            yield Problem(
                ("sample", "bulk_sigma", element),
                f"is given, but sample.bulk lacks {element}; add it there or leave it out here",
            )
    if sum(sample.bulk.values()) > MOST_BULK:
        yield Problem(
            ("sample", "bulk"),
            f"adds up to {sum(sample.bulk.values()):g} at.%, but all elements make 100; correct it",
        )


def _goal(recipe: Recipe) -> Iterator[Problem]:
    for key in ("lod_ppm", "relative_error_percent"):
        asked: Mapping[str, float] = getattr(recipe.goal, key)
        for element, value in asked.items():
            yield from _known_element(("goal", key, element), element, recipe.sample.elements)
            yield from _positive(("goal", key, element), value)


def _known_element(path: Path, element: str, elements: Sequence[str]) -> Iterator[Problem]:
    if not atomic_number(element):
        yield Problem(path, "is given for no element; write symbols as in Fe = 2.1")
    elif element not in elements:
        says = f"is given, but sample.elements lacks {element}; add it there or leave it out here"
        yield Problem(path, says, unfinished=True)


def _formula_units(bases: Mapping[str, str]) -> Iterator[Problem]:
    if not bases:
        return
    # late: it loads numerical libraries
    from endmember.core.quantification.formula_units import basis_of

    for phase, text in bases.items():
        try:
            basis_of(text)
        except ValueError as error:
            yield Problem(("sample", "formula_unit", phase), str(error))


def _symbols(path: Path, symbols: Sequence[str]) -> Iterator[Problem]:
    for symbol in symbols:
        if not atomic_number(symbol):
            yield Problem(
                path, f'names "{symbol}", which is no element; write symbols as in "O" and "Fe"'
            )
        if symbols.count(symbol) > 1:
            yield Problem(path, f'names "{symbol}" more than once; name it once')


def atomic_number(symbol: str) -> int:
    """The atomic number of an element, 0 for what is none."""
    import xraylib  # late: it loads its tables

    try:
        return int(xraylib.SymbolToAtomicNumber(symbol))
    except ValueError:
        return 0


def _map(path: Path, entry: MapInput, phases: Sequence[str]) -> Iterator[Problem]:
    if entry.sha256 is not None and not _DIGEST.fullmatch(entry.sha256):
        yield Problem(
            (*path, "sha256"), "is no SHA-256, which has 64 digits 0 to 9 and a to f; leave it out"
        )
    yield from _at_least((*path, "signal"), entry.signal, 0)
    yield from _at_least((*path, "rebin"), entry.rebin, 1)
    yield from _energies(path, entry)
    yield from _arrays(path, entry)
    yield from _positive((*path, "pixel_size_nm"), entry.pixel_size_nm)
    yield from _positive((*path, "thickness_nm"), entry.thickness_nm)
    if entry.crop is not None:
        yield from _box((*path, "crop"), entry.crop)
        if min(entry.crop[:2]) < 0:
            yield Problem((*path, "crop"), "begins left of or above the map; begin at 0 or more")
    for index, roi in enumerate(entry.rois):
        where = (*path, "roi", index)
        if not roi.name.strip():
            yield Problem((*where, "name"), "is empty; give the region a name")
        yield from _one_of((*where, "phase"), roi.phase, phases)
        yield from _shape(where, roi)
    for index, exclude in enumerate(entry.excludes):
        yield from _shape((*path, "exclude", index), exclude)


def _energies(path: Path, entry: MapInput) -> Iterator[Problem]:
    """A calibration corrects an axis; with numbers far beyond that another unit was meant."""
    offset, gain = entry.recalibration
    if not abs(offset) <= LARGEST_ENERGY_OFFSET_keV:
        yield Problem(
            (*path, "energy_offset_keV"),
            f"is {offset:g}, more than {LARGEST_ENERGY_OFFSET_keV} keV; write keV, as in -0.03",
        )
    low, high = ENERGY_GAINS
    if not low <= gain <= high:
        yield Problem(
            (*path, "energy_gain"),
            f"is {gain:g}, but lies from {low} to {high}; it is a factor near 1, as in 1.002",
        )


def _arrays(path: Path, entry: MapInput) -> Iterator[Problem]:
    """What says which array, which frames and which detectors are read."""
    together = ("axes", "energy_start_keV", "energy_step_keV")
    given = [key for key in ("dataset", *together) if getattr(entry, key) is not None]
    missing = [key for key in together if getattr(entry, key) is None]
    if given and missing:
        yield Problem((*path, given[0]), f"needs {' and '.join(missing)} as well; add it")
    if entry.axes is not None and (why := why_no_axes(entry.axes)):
        yield Problem((*path, "axes"), f'is "{entry.axes}", but {why}')
    yield from _positive((*path, "energy_step_keV"), entry.energy_step_keV)
    if entry.frames is not None and not 0 <= entry.frames[0] <= entry.frames[1]:
        says = f"is {list(entry.frames)}, but is [first, last], counted from 0; correct it"
        yield Problem((*path, "frames"), says)
    if entry.detectors is not None and (
        not entry.detectors
        or min(entry.detectors) < 0
        or len(set(entry.detectors)) < len(entry.detectors)
    ):
        says = f"is {list(entry.detectors)}, but names each detector once, counted from 0"
        yield Problem((*path, "detectors"), f"{says}; correct it or leave it out")


def _shape(path: Path, shape: Roi | Exclude) -> Iterator[Problem]:
    given = [k for k in ("polygon", "rectangle", "ellipse") if getattr(shape, k) is not None]
    if len(given) != 1:
        found = " and ".join(given) or "none"
        yield Problem(
            path, f"needs exactly one of polygon, rectangle and ellipse, but has {found}; keep one"
        )
    if shape.polygon is not None and len(set(shape.polygon)) < 3:
        yield Problem(
            (*path, "polygon"), "has fewer than three different points; a polygon needs three"
        )
    for key in ("rectangle", "ellipse"):
        if (frame := getattr(shape, key)) is not None:
            yield from _box((*path, key), frame)


def _instrument(instrument: Instrument) -> Iterator[Problem]:
    yield from _positive(("instrument", "beam_energy_keV"), instrument.beam_energy_keV)
    angle = instrument.take_off_angle_deg
    if angle is not None and not 0 < angle <= 90:
        yield Problem(
            ("instrument", "take_off_angle_deg"),
            f"is {angle}, but a take-off angle lies above 0 and at most at 90; correct it",
        )
    low, high = instrument.energy_range_keV
    if not 0 <= low < high:
        yield Problem(
            ("instrument", "energy_range_keV"),
            f"is [{low}, {high}], but must rise from 0 or more; write [low, high] in keV",
        )


def _detector(detector: DetectorSettings) -> Iterator[Problem]:
    yield from _positive(("detector", "silicon_um"), detector.silicon_um)
    for key in ("dead_layer_nm", "aluminium_nm"):
        yield from _at_least(("detector", key), getattr(detector, key), 0)
    if detector.curve is not None:
        yield from _path(("detector", "curve"), detector.curve, "name a file, or leave it out")


def _k_factors(quantification: Quantification, elements: Sequence[str]) -> Iterator[Problem]:
    path = ("quantification", "k_factors")
    yield from _path(path, quantification.k_factors, 'write "computed" or a file')
    if not quantification.k_factor:
        return
    # late: it loads the tables of the lines
    from endmember.core.xrays.k_factors import HAND_REFERENCE

    for element, value in quantification.k_factor.items():
        where = ("quantification", "k_factor", element)
        if not atomic_number(element):
            yield Problem(where, "is given for no element; write symbols as in Fe = 1.62")
        elif element == HAND_REFERENCE:
            yield Problem(
                where,
                f"is given for {HAND_REFERENCE}, to which k-factors by hand refer; leave it out",
            )
        elif element not in elements:
            says = (
                f"is given, but sample.elements lacks {element}; add it there or leave it out here"
            )
            yield Problem(where, says, unfinished=True)
        yield from _positive(where, value)


def _oxygen(quantification: Quantification, elements: Sequence[str]) -> Iterator[Problem]:
    if quantification.oxygen == "stoichiometry" and "O" not in elements:
        says = 'is "stoichiometry", but sample.elements lacks O; add it there'
        yield Problem(("quantification", "oxygen"), says, unfinished=True)
    if not quantification.valence:
        return
    # late: it loads the tables of the lines
    from endmember.core.xrays.oxides import LARGEST_VALENCE

    for element, valence in quantification.valence.items():
        where = ("quantification", "valence", element)
        if not atomic_number(element) or element == "O":
            yield Problem(where, "is given for no cation; write symbols as in Fe = 3")
        elif not 0 < valence <= LARGEST_VALENCE:
            yield Problem(
                where,
                f"is {valence}, but must lie above 0 and at most at {LARGEST_VALENCE}; correct it",
            )


def _decomposition(recipe: Recipe) -> Iterator[Problem]:
    yield from _at_least(("decomposition", "components"), recipe.decomposition.components, 1)
    yield from _seed(("decomposition", "seed"), recipe.decomposition.seed)
    yield from _at_least(("segmentation", "smoothing_px"), recipe.segmentation.smoothing_px, 0)
    yield from _seed(("segmentation", "seed"), recipe.segmentation.seed)


def _precipitate(path: Path, precipitate: Precipitate, recipe: Recipe) -> Iterator[Problem]:
    if precipitate.absent:
        yield from _one_of((*path, "absent"), precipitate.absent, recipe.sample.elements)
    else:
        says = "is empty; name an element that the matrix holds and this precipitate does not"
        yield Problem((*path, "absent"), says, unfinished=True)
    yield from _at_least((*path, "factor"), precipitate.factor, 0)
    yield from _component((*path, "component"), precipitate.component, recipe)
    for index, rectangle in enumerate(precipitate.rectangles):
        where = (*path, "rectangle", index)
        yield from _one_of((*where, "map"), rectangle.map, recipe.map_names)
        yield from _box((*where, "box"), rectangle.box)
    for index, stroke in enumerate(precipitate.strokes):
        where = (*path, "stroke", index)
        yield from _one_of((*where, "map"), stroke.map, recipe.map_names)
        yield from _at_least((*where, "radius"), stroke.radius, 0)
        if not stroke.points:
            yield Problem((*where, "points"), "is empty; give the stroke a point, or remove it")


def _component(path: Path, component: int | None, recipe: Recipe) -> Iterator[Problem]:
    count = recipe.decomposition.components
    if component is not None and not 0 <= component < count:
        yield Problem(
            path,
            f"is {component}, but decomposition.components is {count}; "
            f"choose 0 to {count - 1}, or leave it out",
        )


def _component_labels(recipe: Recipe) -> Iterator[Problem]:
    numbers = [label.number for label in recipe.components]
    for index, number in enumerate(numbers):
        path: Path = ("component", index, "number")
        yield from _component(path, number, recipe)
        if number in numbers[:index]:
            yield Problem(path, f"is {number}, which was given before; keep one of the two")


def _windows(recipe: Recipe) -> Iterator[Problem]:
    for index, window in enumerate(recipe.windows):
        if not window.name.strip():
            yield Problem(("window", index, "name"), "is empty; give the energy window a name")
        low, high = window.range_keV
        if not low < high:
            yield Problem(
                ("window", index, "range_keV"),
                f"is [{low}, {high}], but must rise; write [low, high] in keV",
            )
    paths: list[Path] = [("window", index, "name") for index in range(len(recipe.windows))]
    yield from _distinct(paths, [window.name for window in recipe.windows])


def _one_of(path: Path, value: str, known: Sequence[str]) -> Iterator[Problem]:
    if value not in known:
        yield Problem(path, f'is "{value}", but {_choose(known)}')


def _choose(known: Iterable[str]) -> str:
    choices = list(known)
    if not choices:
        return "there is none to choose from yet; add it there"
    return f"must be one of {', '.join(choices)}; correct it or add it there"


def _positive(path: Path, value: float | None) -> Iterator[Problem]:
    if value is not None and not (value > 0 and math.isfinite(value)):
        yield Problem(path, f"is {value}, but must be above 0; correct it or leave it out")


def _at_least(path: Path, value: float | None, least: int) -> Iterator[Problem]:
    if value is not None and not value >= least:
        yield Problem(path, f"is {value}, but must be at least {least}; correct it")


def _seed(path: Path, value: int) -> Iterator[Problem]:
    if not 0 <= value <= _LARGEST_SEED:
        yield Problem(path, f"is {value}, but a seed lies from 0 to {_LARGEST_SEED}; correct it")


def _box(path: Path, box: Sequence[float]) -> Iterator[Problem]:
    if box[2] <= 0 or box[3] <= 0:
        yield Problem(
            path,
            f"is {list(box)}, of no size; it is [x, y, width, height], "
            "with width and height above 0",
        )
