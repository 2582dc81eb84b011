"""The recipe: every decision a person made, as one frozen, hashable value.

Attributes are named as the keys of the TOML file, except that lists of tables are plural here.
Reading, writing and checking are in `recipe_file` and `recipe_rules`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Generic, Literal, TypeVar

import msgspec

from endmember.files.reading.choice import Choice

FORMAT = "endmember-recipe-1"

# int | float, not float: whole pixels are written back as they were typed.
Number = int | float
Box = tuple[int, int, int, int]
Frame = tuple[Number, Number, Number, Number]
Points = tuple[tuple[Number, Number], ...]
Role = Literal["matrix", "precipitate", "unused"]


Value = TypeVar("Value")


class Named(Mapping[str, Value], Generic[Value]):
    """Values by name: a mapping that can be hashed."""

    def __init__(self, values: Mapping[str, Value] | None = None) -> None:
        self._values = dict(values or {})

    def __getitem__(self, name: str) -> Value:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and self._values == dict(other)

    def __hash__(self) -> int:
        return hash(frozenset(self._values.items()))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._values})"


class Numbers(Named[float]):
    """Numbers by name."""


class FormulaBases(Named[str]):
    """What a formula unit of each phase is scaled to: "3 O" or "2 cations"."""


class Densities(Numbers):
    """Densities in g/cm3 by phase."""


class Contents(Numbers):
    """Atomic percent by element."""


class Limits(Numbers):
    """Something asked for by element."""


class Valences(Numbers):
    """Valences by element, which may be means, such as 2.6 for Fe."""


class FactorsByHand(Numbers):
    """k-factors by element: by weight, of the alpha line by which the element is quantified, with
    the detector inside, relative to Si Ka."""


class Exclude(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A hole, a crack or contamination: in no phase's mask. One of the three shapes is given."""

    polygon: Points | None = None
    rectangle: Frame | None = None
    ellipse: Frame | None = None


class Roi(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A region drawn by hand, meant to show one phase. One of the three shapes is given."""

    name: str
    phase: str
    polygon: Points | None = None
    rectangle: Frame | None = None
    ellipse: Frame | None = None


class MapInput(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    kw_only=True,
    rename={"rois": "roi", "excludes": "exclude"},
):
    """One map: its file and what was decided about it alone. Pixels are of the uncropped map.

    `dataset`, `axes`, `energy_start_keV` and `energy_step_keV` say which array is the map where the
    file does not; `frames` and `detectors` which are summed: see `files.reading.choice`.
    The true energies are energy_offset_keV + energy_gain * E, E the energy axis of the file; left
    out they are 0 and 1.
    `sha256` is that of the file with which the recipe was saved; no result depends on it.
    """

    file: str
    name: str
    sha256: str | None = None
    signal: int | None = None
    dataset: str | None = None
    axes: str | None = None
    energy_start_keV: Number | None = None
    energy_step_keV: Number | None = None
    pixel_size_nm: Number | None = None
    frames: tuple[int, int] | None = None
    detectors: tuple[int, ...] | None = None
    energy_offset_keV: Number | None = None
    energy_gain: Number | None = None
    crop: Box | None = None
    rebin: int = 1
    thickness_nm: Number | None = None
    rois: tuple[Roi, ...] = ()
    excludes: tuple[Exclude, ...] = ()

    @property
    def choice(self) -> Choice:
        """What is read of the file beside the signal."""
        energies = (self.energy_start_keV, self.energy_step_keV)
        start, step = (None if e is None else float(e) for e in energies)
        return Choice(self.dataset, self.axes, start, step, self.frames, self.detectors)

    @property
    def recalibration(self) -> tuple[float, float]:
        """Offset in keV and gain by which the energy axis of the file is corrected."""
        offset, gain = self.energy_offset_keV, self.energy_gain
        return float(offset or 0.0), 1.0 if gain is None else float(gain)

    @property
    def origin(self) -> tuple[int, int]:
        """x and y of the first pixel that is analysed."""
        return (0, 0) if self.crop is None else self.crop[:2]


class Instrument(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What overrides the file, and the energy range that is decomposed and fitted."""

    beam_energy_keV: Number | None = None
    take_off_angle_deg: Number | None = None
    energy_range_keV: tuple[Number, Number] = (0.3, 20.0)


class Decomposition(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How the maps are decomposed into components."""

    components: int
    method: Literal["poisson", "frobenius"] = "poisson"
    joint: bool = True
    seed: int = 0


class Segmentation(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How component maps become masks."""

    smoothing_px: Number = 2.0
    seed: int = 0


class Sample(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the sample is made of.

    `bulk` is what is known of the whole sample, in at.%, with its errors. No composition depends on
    `bulk` and `formula_unit`.
    """

    matrix: str
    elements: tuple[str, ...]
    system_elements: tuple[str, ...] = ()
    density_g_cm3: Densities = Densities()
    formula_unit: FormulaBases = FormulaBases()
    bulk: Contents = Contents()
    bulk_sigma: Contents = Contents()


class PrecipitateRectangle(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A loose rectangle round one precipitate on one map."""

    map: str
    box: Box


class Stroke(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A correction painted by hand on one map: pixels within `radius` of the line."""

    map: str
    label: Literal["inside", "outside"]
    radius: Number
    points: Points


class Precipitate(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    kw_only=True,
    rename={"rectangles": "rectangle", "strokes": "stroke"},
):
    """A phase that overlaps the matrix. `factor` replaces the subtraction factor by hand.

    `absent` is empty as long as nobody chose the absent element: see `recipe_rules.Problem`.
    """

    name: str
    absent: str
    component: int | None = None
    factor: Number | None = None
    rectangles: tuple[PrecipitateRectangle, ...] = ()
    strokes: tuple[Stroke, ...] = ()

    def boxes_on(self, map_name: str) -> tuple[Box, ...]:
        """The boxes of the rectangles drawn on one map, in their order."""
        return tuple(r.box for r in self.rectangles if r.map == map_name)

    def strokes_on(self, map_name: str) -> tuple[Stroke, ...]:
        """The strokes painted on one map, in their order."""
        return tuple(s for s in self.strokes if s.map == map_name)

    def is_drawn_on(self, map_name: str) -> bool:
        """Whether something says where it is on a map; strokes where it is not do not."""
        inside = any(s.label == "inside" for s in self.strokes_on(map_name))
        return inside or bool(self.boxes_on(map_name))


class ComponentLabel(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a person calls a component and takes it for. No result depends on it."""

    number: int
    name: str = ""
    role: Role | None = None


class EnergyWindow(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A named energy window (low, high), whose map is shown. No result depends on it.

    With `background`, the map is shown with the background under the window subtracted.
    """

    name: str
    range_keV: tuple[Number, Number]
    background: bool = False


class Quantification(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How net areas become concentrations; `k_factors` is "computed" or a file.

    `k_factor_basis` and `k_factor_definition` say what a file of k-factors leaves open; `k_factor`
    holds those by hand, which come before both. `oxygen` is measured by its line or follows
    from the cations; `valence` replaces the usual valences, for this and for oxides. The last three
    are peaks that the detector itself makes, fitted with the lines; `sum_peaks` is the number of
    strongest lines whose pairs make sum peaks.
    """

    k_factors: str = "computed"
    k_factor_basis: Literal["weight", "atomic"] | None = None
    k_factor_definition: Literal["alpha", "family"] | None = None
    reference: str | None = None
    k_factor: FactorsByHand | None = None
    oxygen: Literal["measured", "stoichiometry"] = "measured"
    valence: Valences | None = None
    escape_peaks: bool = False
    silicon_fluorescence: bool = False
    sum_peaks: int = 0


class Goal(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is asked for, by element: limits of detection in atomic ppm, statistical errors in % of
    the value. No composition depends on it."""

    lod_ppm: Limits = Limits()
    relative_error_percent: Limits = Limits()


class DetectorSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The detector: layers of a windowless one, or a file with its whole efficiency `curve`.

    With a curve the layers count for nothing.
    """

    silicon_um: Number = 450
    dead_layer_nm: Number = 50
    aluminium_nm: Number = 30
    curve: str | None = None


class Recipe(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    kw_only=True,
    rename={
        "maps": "map",
        "precipitates": "precipitate",
        "components": "component",
        "windows": "window",
    },
):
    """Every decision; the results follow from it and the data alone."""

    format: str
    maps: tuple[MapInput, ...]
    decomposition: Decomposition
    sample: Sample
    instrument: Instrument = Instrument()
    detector: DetectorSettings = DetectorSettings()
    segmentation: Segmentation = Segmentation()
    quantification: Quantification = Quantification()
    goal: Goal = Goal()
    precipitates: tuple[Precipitate, ...] = ()
    components: tuple[ComponentLabel, ...] = ()
    windows: tuple[EnergyWindow, ...] = ()

    @property
    def phases(self) -> tuple[str, ...]:
        """The matrix, then the precipitates."""
        return (self.sample.matrix, *(p.name for p in self.precipitates))

    @property
    def map_names(self) -> tuple[str, ...]:
        """The maps' names in their order."""
        return tuple(entry.name for entry in self.maps)

    def map_named(self, name: str) -> MapInput:
        """The map called `name`.

        Raises
        ------
        ValueError
            if there is none.
        """
        for entry in self.maps:
            if entry.name == name:
                return entry
        raise ValueError(f'the recipe has no map "{name}"; it has {", ".join(self.map_names)}')

    def precipitate_named(self, name: str) -> Precipitate:
        """The precipitate called `name`.

        Raises
        ------
        ValueError
            if there is none.
        """
        for precipitate in self.precipitates:
            if precipitate.name == name:
                return precipitate
        known = ", ".join(self.phases[1:]) or "none yet"
        raise ValueError(f'the recipe has no precipitate "{name}"; it has {known}')

    def label_of(self, component: int) -> ComponentLabel:
        """What a person calls component `component`; an empty label where nothing was said."""
        for label in self.components:
            if label.number == component:
                return label
        return ComponentLabel(number=component)


Part = TypeVar("Part", bound=msgspec.Struct)


def changed(part: Part, **settings: object) -> Part:
    """A copy of a recipe, or of a part of it, with some attributes replaced."""
    return msgspec.structs.replace(part, **settings)
