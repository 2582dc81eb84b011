"""The maps that can be shown of a spectrum image, and how they are made ready for the eyes.

Made away from the main thread; see `MapPage`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from endmember.core.fitting.energy_windows import EnergyWindow
from endmember.session.decisions.recipe import Recipe
from endmember.ui.map_views.map_view import automatic_levels

if TYPE_CHECKING:
    from endmember.session.steps.map_data import MapData

FloatArray = npt.NDArray[np.float64]
ShownArray = npt.NDArray[np.float32]
Levels = tuple[float, float]
Kind = Literal["image", "total", "element", "window"]
COUNTS = "counts"
LIVE = "live"  # the key of a window that is being drawn and has no name yet
MOST_KEPT = 30  # pictures remembered beyond those shown, so that ticking a map costs nothing


@dataclass(frozen=True, slots=True)
class Layer:
    """One map that can be shown. `window` is None where it follows from the element's line."""

    kind: Kind
    name: str
    window: EnergyWindow | None = None
    standard: bool = True
    key_given: str = ""

    @property
    def key(self) -> str:
        """Tells layers apart, whatever their window is at the moment."""
        return self.key_given or f"{self.kind} {self.name}"


@dataclass(frozen=True, slots=True)
class Display:
    """How maps are shown: each from 0 to 1 or in counts, without background, smoothed."""

    scaled: bool = True
    background: bool = False
    smoothing_px: float = 0.0

    def __str__(self) -> str:
        """The same for people."""
        parts = ["each from 0 to 1" if self.scaled else "in counts per pixel"]
        if self.background:
            parts.append("net of background")
        if self.smoothing_px > 0:
            parts.append(f"smoothed, σ {self.smoothing_px:g} px")
        return ", ".join(parts)


@dataclass(frozen=True, eq=False, slots=True)
class Picture:
    """A layer made ready: `values` (rows, columns) as shown, `counts` as they were measured.

    `detail` follows the title and says what was done to it. `ends` are the values that were scaled
    to 0 and 1, None where nothing was scaled; `levels` the ends of the colours. Without `values`,
    `empty` says why.
    """

    layer: Layer
    title: str
    tooltip: str = ""
    detail: str = ""
    values: ShownArray | None = None
    counts: FloatArray | None = None
    levels: Levels = (0.0, 1.0)
    ends: Levels | None = None
    unit: str = ""
    empty: str = ""

    def from_counts(self, levels: Levels) -> Levels:
        """Ends of the colours in counts, as they are in the values shown."""
        if self.ends is None:
            return levels
        low, high = self.ends
        return (levels[0] - low) / (high - low), (levels[1] - low) / (high - low)

    def to_counts(self, levels: Levels) -> Levels:
        """Ends of the colours as shown, in counts."""
        if self.ends is None:
            return levels
        low, high = self.ends
        return low + levels[0] * (high - low), low + levels[1] * (high - low)


def layers_of(recipe: Recipe, data: MapData) -> tuple[Layer, ...]:
    """Every map that can be shown, in the order in which they are laid out."""
    images = list(data.image.images)
    dark_field = [name for name in images if "HAADF" in name.upper()] or images
    first = dark_field[:1]
    sample = recipe.sample
    return (
        *(Layer("image", name) for name in first),
        *(Layer("image", name, standard=False) for name in images if name not in first),
        Layer("total", "All counts"),
        *(Layer("element", symbol) for symbol in sample.elements),
        *(Layer("element", symbol, standard=False) for symbol in sample.system_elements),
        *(
            Layer("window", w.name, EnergyWindow(*w.range_keV, w.background))
            for w in recipe.windows
        ),
    )


class LayerMaps:
    """Makes pictures of one map, and remembers them. For one thread only."""

    def __init__(self, data: MapData) -> None:
        self.data = data
        self._counts: dict[EnergyWindow, FloatArray | str] = {}
        self._pictures: dict[tuple[Layer, Display], Picture] = {}
        self._total: FloatArray | None = None

    def pictures(self, layers: Sequence[Layer], display: Display) -> tuple[Picture, ...]:
        """The pictures of some layers; the windows not known yet in one pass over the map."""
        missing = [layer for layer in layers if (layer, display) not in self._pictures]
        windows = self._windows(missing, display)
        wanted = [w for w in windows.values() if isinstance(w, EnergyWindow)]
        self._counts |= self._measured([w for w in wanted if w not in self._counts])
        for layer in missing:
            self._pictures[layer, display] = self._picture(
                layer, windows.get(layer), self._counts, display
            )
        found = tuple(self._pictures[layer, display] for layer in layers)
        self._forget(len(layers))
        return found

    def live(self, layer: Layer, display: Display) -> Picture:
        """The picture of a window that moves, which is not worth remembering."""
        window = layer.window
        assert window is not None
        return self._picture(layer, window, self._measured([window]), display)

    def overlay(
        self, layers: Sequence[Layer | None], display: Display
    ) -> npt.NDArray[np.uint8] | None:
        """Red, green and blue (rows, columns, 3) of three layers; None where there is no map."""
        from endmember.core.display.map_display import colour_overlay

        plain = replace(display, scaled=False)
        pictures = [None if layer is None else self.pictures([layer], plain)[0] for layer in layers]
        maps = [None if p is None else p.values for p in pictures]
        if all(values is None for values in maps):
            return None
        return colour_overlay(maps, [(0.0, 1.0) if p is None else p.levels for p in pictures])

    @property
    def total(self) -> FloatArray:
        """All counts of each pixel, (rows, columns)."""
        if self._total is None:
            self._total = self.data.image.count_map()
        return self._total

    def _forget(self, wanted: int) -> None:
        while len(self._pictures) > wanted + MOST_KEPT:
            del self._pictures[next(iter(self._pictures))]
        while len(self._counts) > wanted + MOST_KEPT:
            del self._counts[next(iter(self._counts))]

    def _windows(
        self, layers: Sequence[Layer], display: Display
    ) -> dict[Layer, EnergyWindow | str]:
        """The window of each layer that has one, or why an element has none."""
        from endmember.core.fitting.energy_windows import element_windows

        image = self.data.image
        symbols = [layer.name for layer in layers if layer.kind == "element"]
        beam = image.beam_energy_keV
        lines = element_windows(symbols, image.axis, beam) if symbols and beam is not None else {}
        found: dict[Layer, EnergyWindow | str] = {}
        for layer in layers:
            if layer.window is not None:
                found[layer] = layer.window
            elif layer.kind == "element" and layer.name in lines:
                found[layer] = replace(lines[layer.name], background=display.background)
            elif layer.kind == "element":
                found[layer] = (
                    f"no line of {layer.name} lies between {image.axis.start_keV:.3g} and "
                    f"{image.axis.stop_keV:.3g} keV"
                )
        return found

    def _measured(self, windows: Sequence[EnergyWindow]) -> dict[EnergyWindow, FloatArray | str]:
        """The counts (rows, columns) in each window, or what is wrong with the window."""
        from endmember.core.fitting.energy_windows import window_maps, window_weights

        found: dict[EnergyWindow, FloatArray | str] = {}
        for window in windows:
            try:
                window_weights(self.data.image.axis, window)
            except ValueError as error:
                found[window] = str(error)
        possible = [window for window in dict.fromkeys(windows) if window not in found]
        return found | dict(zip(possible, window_maps(self.data.image, possible), strict=True))

    def _picture(
        self,
        layer: Layer,
        window: EnergyWindow | str | None,
        known: Mapping[EnergyWindow, FloatArray | str],
        display: Display,
    ) -> Picture:
        if isinstance(window, str):
            return Picture(layer, layer.name, empty=window)
        if layer.kind == "image":
            counts = np.asarray(self.data.image.images[layer.name], dtype=np.float64)
            plain = replace(display, smoothing_px=0.0)
            return _shown(Picture(layer, layer.name, counts=counts), plain)
        found = self.total if window is None else known[window]
        picture = self._named(layer, window, display)
        if isinstance(found, str):
            return replace(picture, empty=found)
        return _shown(replace(picture, counts=found, unit=COUNTS), display)

    def _named(self, layer: Layer, window: EnergyWindow | None, display: Display) -> Picture:
        """A map of counts without its values: its title, and all that was done to it."""
        title, done = layer.name, []
        if window is None:
            axis = self.data.image.axis
            told = f"all counts from {axis.start_keV:.3g} to {axis.stop_keV:.4g} keV"
        else:
            span = f"{window.low_keV:.3f} to {window.high_keV:.3f} keV"
            told = f"counts from {span}"
            if layer.kind == "element":
                title += f" {self._line(layer)}"
            else:
                done.append(span)
            if window.background:
                done.append("net")
                told += ", less the background as it is on both sides of the window"
        if display.smoothing_px > 0:
            done.append(f"σ {display.smoothing_px:g} px")
            told += f"; smoothed for display with σ = {display.smoothing_px:g} px"
        return Picture(layer, title, f"{layer.name}: {told}", ", ".join(done))

    def _line(self, layer: Layer) -> str:
        from endmember.core.fitting.energy_windows import measured_family

        image = self.data.image
        assert image.beam_energy_keV is not None
        return f"{measured_family(layer.name, image.axis, image.beam_energy_keV)}α"


def _shown(picture: Picture, display: Display) -> Picture:
    """The picture with values and ends of the colours."""
    from endmember.core.display.map_display import scaled, smoothed

    assert picture.counts is not None
    values = smoothed(picture.counts, display.smoothing_px)
    ends = automatic_levels(values)
    if not display.scaled:
        return replace(picture, values=values.astype(np.float32), levels=ends)
    told = f"{picture.tooltip or picture.title}; 0 and 1 stand for {_told(ends, picture.unit)}"
    return replace(
        picture,
        tooltip=told,
        values=scaled(values, ends).astype(np.float32),
        ends=ends,
        levels=(0.0, 1.0),
        unit="",
    )


def _told(ends: Levels, unit: str) -> str:
    return f"{ends[0]:.3g} and {ends[1]:.3g} {unit}".rstrip()
