"""The page of a map: images and maps side by side, regions drawn on them, facts of the file."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from PyQt6.QtCore import QTimer
from PyQt6.QtWidgets import QVBoxLayout

from endmember.core.fitting.energy_windows import EnergyWindow
from endmember.files.reading.axis_letters import asks_for_dataset
from endmember.session.steps.energy_checks import check_of
from endmember.session.steps.region_pixels import RegionPixels, region_pixels
from endmember.session.views.shown_spectra import ROI
from endmember.ui.document.page import Page, is_same_state
from endmember.ui.document.requests import Requests, quietly
from endmember.ui.document.workspace import Shown, Workspace
from endmember.ui.map_views.map_gallery import OVERLAY, MapGallery, Overlay
from endmember.ui.map_views.map_layers import (
    LIVE,
    Display,
    FloatArray,
    Layer,
    LayerMaps,
    Picture,
    layers_of,
)
from endmember.ui.map_views.map_tools import MapTools
from endmember.ui.map_views.map_view import Place
from endmember.ui.map_views.shape_editor import Mode
from endmember.ui.map_views.shape_gestures import Frame, Point
from endmember.ui.pages.map.energy_settings import banner_text
from endmember.ui.pages.map.map_facts import lacks_beam_energy
from endmember.ui.pages.map.map_settings import MapSettings
from endmember.ui.pages.map.map_source import holds_several
from endmember.ui.pages.map.region_editor import Key, RegionEditor

if TYPE_CHECKING:
    from endmember.core.fitting.energy_calibration import EnergyCheck
    from endmember.session.decisions.recipe import MapInput
    from endmember.session.steps.map_data import MapData

READING = "The map is being read"
FAILED = "The map could not be read: see the message above"
NO_DATASET = "Choose the dataset of the file above"
NO_BEAM = "Give the beam energy at the right, under Facts and instrument"


@dataclass(frozen=True, eq=False, slots=True)
class _Made:
    """What was made ready for one state of map, recipe and choices."""

    maps: LayerMaps
    pictures: tuple[Picture, ...]
    overlay: Overlay | None
    total: float


@dataclass(frozen=True, eq=False, slots=True)
class _Whole:
    """All counts of a map before it was cropped, its file and signal, and where it lies."""

    source: tuple[object, ...]
    total: FloatArray
    place: Place


class MapPage(Page):
    """Looks at a map and draws regions on it."""

    name = "map"
    step = "read"

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self.tools = MapTools()
        self.gallery = MapGallery()
        self.settings = self.panel = MapSettings(workspace)
        self.regions = RegionEditor(workspace)
        layout = QVBoxLayout(self.body)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.tools)
        layout.addWidget(self.gallery, 1)
        self._shown: tuple[object, ...] = ()
        self._offer: Callable[[], None] = workspace.retry  # what the button of the banner does
        self._document: object = None
        self._maps: LayerMaps | None = None
        self._whole: _Whole | None = None
        self._made: _Made | None = None
        self._requests = Requests(
            workspace.runner,
            lambda text: workspace.say("error", f"the maps cannot be shown: {text}"),
        )
        self._pixels: tuple[MapData, RegionPixels] | None = None
        self._live: Layer | None = None
        self._followed = ""
        self._unfolded_for: Hashable = None
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(0)
        self._soon.timeout.connect(self._refresh_if_shown)
        self._connect()

    def _connect(self) -> None:
        workspace, panel = self.workspace, self.panel
        self.tools.chosen.connect(self._on_tool)
        self.tools.reset_asked.connect(lambda: self.regions.set_crop(None))
        self.gallery.canvas_added.connect(self.regions.shapes.attach)
        self.gallery.hovered.connect(workspace.cursor_moved)
        self.gallery.alone_asked.connect(panel.layers.show_alone)
        self.gallery.hiding_asked.connect(self._hide)
        panel.layers.changed.connect(self._refresh_if_shown)
        panel.part.crop_set.connect(lambda frame: self.regions.set_crop(frame, "crop boxes"))
        for regions in (panel.rois, panel.excludes):
            regions.selected.connect(self._on_listed)
            regions.removed.connect(self.regions.remove)
            regions.framed.connect(self.regions.set_frame)
        panel.rois.renamed.connect(self.regions.rename)
        panel.rois.phase_chosen.connect(self.regions.set_phase)
        self.regions.selected.connect(self._on_selected)
        self.regions.frame_moved.connect(self._on_frame_moved)
        self.regions.crop_moved.connect(self._on_crop_moved)
        workspace.window_moved.connect(self._on_window_moved)
        self.banner.acted.disconnect(workspace.retry)
        self.banner.acted.connect(lambda: self._offer())

    # --- refresh -----------------------------------------------------------------------------

    def refresh(self) -> None:
        """Show today's map, regions and facts; ask for what is not made yet."""
        workspace = self.workspace
        shown, focus = workspace.shown("read"), workspace.focus
        state = (
            workspace.document,
            workspace.recipe,
            shown.value,
            shown.current,
            shown.failure,
            focus.map_name,
            focus.roi,
            focus.spectrum,
            self._energy_check,
            self._choices(),
            (self._live,),
            self.regions.purpose,
        )
        if is_same_state(state, self._shown):
            return
        self._shown = state
        if workspace.document is not self._document:
            self._begin_anew()
        if workspace.recipe is None:
            return
        self.show_state(shown, "out of date: the map is being read again")
        self._show_offer(shown)
        self.tools.set_cropped(self._entry.crop is not None)
        self.tools.set_caption(str(self.panel.layers.display) if shown.value is not None else "")
        self.regions.refresh()
        self._ask_maps(shown)
        self._ask_pixels(shown.value)
        self._follow_focus()
        self._refresh_panel()

    def _begin_anew(self) -> None:
        self._document = self.workspace.document
        self.panel.layers.forget()
        self.gallery.forget()
        self._maps = self._whole = self._made = self._pixels = None
        self._requests.forget()

    def forget(self) -> None:
        """Keep nothing of the last document."""
        self._begin_anew()
        self._shown = ()

    @property
    def _entry(self) -> MapInput:
        assert self.workspace.recipe is not None
        return self.workspace.recipe.map_named(self.workspace.focus.map_name)

    @property
    def _energy_check(self) -> EnergyCheck | None:
        session = self.workspace.session
        return None if session is None else check_of(session, self.workspace.focus.map_name)

    def _show_offer(self, shown: Shown) -> None:
        """Offer at the top what can be done: choose a dataset or a map, or recalibrate."""
        self._offer = self.workspace.retry
        source, said = (
            self.panel.chooser.source,
            () if shown.value is None else shown.value.warnings,
        )
        if asks_for_dataset(shown.failure):
            self._offer = source.ask_dataset
            says = f"{Path(self._entry.file).name} does not say which of its arrays is the map"
            self.banner.set("info", says, "Choose the dataset…")
        elif shown.failure is None and self._entry.signal is None and holds_several(said):
            self._offer = source.ask
            self.banner.set("info", holds_several(said), "Choose the map…")
        elif shown.failure is None and (text := banner_text(self._energy_check)):
            self._offer = self.panel.energy.recalibrate
            self.banner.set("warning", text, "Recalibrate")

    def _choices(self) -> tuple[object, ...]:
        layers = self.panel.layers
        keys = tuple(layer.key for layer in layers.shown())
        return keys, layers.alone, layers.display, layers.overlay_layers()

    def _refresh_if_shown(self) -> None:
        if self.view.isVisible():
            self.refresh()

    def _refresh_panel(self) -> None:
        shown = self.workspace.shown("read")
        if self.workspace.recipe is not None:
            of, pixels = self._pixels or (None, None)
            here = shown.value is not None and of is shown.value
            self.panel.energy.refresh(self._energy_check)
            self.panel.refresh(shown, pixels if here else None, self._total(shown.value))
            self._on_selected(self.regions.shapes.key_selected)

    @property
    def is_current(self) -> bool:
        """Whether everything that was asked for is made and drawn."""
        made = self._made
        return (
            made is not None
            and made.maps.data is self.workspace.data
            and not self._requests.is_waiting("maps")
            and not self.gallery.is_drawing
        )

    def _total(self, data: MapData | None) -> float | None:
        made = self._made
        return made.total if made is not None and made.maps.data is data else None

    # --- maps, made away from the main thread --------------------------------------------------

    def _ask_maps(self, shown: Shown) -> None:
        data: MapData | None = shown.value
        if data is None:
            self.gallery.show_empty(_why_empty(shown.failure))
            self._made = None
            self._requests.forget("maps")
            return
        if self._maps is None or self._maps.data is not data:
            self._maps = LayerMaps(data)
        recipe, choice = self.workspace.recipe, self.panel.layers
        assert recipe is not None
        choice.set_layers(layers_of(recipe, data))
        layers = choice.shown() if choice.alone != OVERLAY else ()
        if self._live is not None and self._live.key == LIVE:
            layers = (*layers, self._live)
        colours = () if choice.alone not in ("", OVERLAY) else choice.overlay_layers()
        display, maps = choice.display, self._maps
        self._requests.ask(
            "maps",
            (maps, (layers, colours, display), self.regions.purpose),
            lambda: _make(maps, layers, colours, display),
            self._take,
        )

    def _take(self, made: _Made) -> None:
        self._made = made
        data = made.maps.data
        self.gallery.alone = bool(self.panel.layers.alone)
        self.gallery.show_pictures(
            made.pictures,
            made.overlay,
            data.place,
            data.full_pixel_size_nm,
            _extent(data) if self.regions.purpose == "crop" else None,
        )
        if data.entry.crop is None:
            self._whole = _Whole(_source(data), made.maps.total, data.place)
        self._show_backdrop(data)
        self._on_crop_moved(None)
        self._refresh_panel()

    def _show_backdrop(self, data: MapData) -> None:
        """Round a crop that is being changed, show the map as it was before it was cropped."""
        whole, cropping = self._whole, self.regions.purpose == "crop"
        cropped = cropping and data.entry.crop is not None
        if cropped and whole is not None and whole.source == _source(data):
            self.gallery.set_backdrop(whole.total, whole.place)
        else:
            self.gallery.set_backdrop(None, data.place)

    def _ask_pixels(self, data: MapData | None) -> None:
        entry = self._entry
        if data is not None:
            self._requests.ask(
                "pixels of regions",
                (data, entry.rois, entry.excludes),
                lambda: region_pixels(data, entry.rois, entry.excludes),
                partial(self._take_pixels, data),
                failed=quietly,
            )

    def _take_pixels(self, data: MapData, found: RegionPixels) -> None:
        self._pixels = data, found
        self._refresh_panel()

    # --- an energy window while it is dragged ----------------------------------------------------

    def _on_window_moved(self, window: tuple[str, float, float] | None) -> None:
        if window is None:
            self._live = None
            self._soon.start()  # the edit that ends the drag comes first
            return
        recipe, maps = self.workspace.recipe, self._maps
        if recipe is None or maps is None or not self.view.isVisible():
            return
        name, low, high = window
        named = [w for w in recipe.windows if w.name == name]
        span = EnergyWindow(low, high, bool(named) and named[0].background)
        layer = Layer("window", name, span)
        if not named:
            layer = replace(layer, name=name or "Window", key_given=LIVE)
        self._live = layer
        if layer.key not in [p.layer.key for p in self.gallery.pictures]:
            if not named:
                self._soon.start()
            return
        display = self.panel.layers.display
        self.workspace.runner.ask(
            "window", lambda: maps.live(layer, display), lambda made: self._take_live(layer, made)
        )

    def _take_live(self, layer: Layer, made: Any) -> None:
        live = self._live
        if isinstance(made, Picture) and live is not None and live.key == layer.key:
            self.gallery.show_one(made)

    # --- regions ---------------------------------------------------------------------------------

    def _on_tool(self, purpose: str, shape: Mode) -> None:
        self.regions.set_tool(cast(Any, purpose), shape)
        self._refresh_if_shown()

    def _on_listed(self, key: Key | None) -> None:
        if key is not None:
            self.regions.select(key)

    def _on_selected(self, key: Hashable) -> None:
        for regions in (self.panel.rois, self.panel.excludes):
            if regions.key() != key:
                regions.select(key)
        if isinstance(key, tuple) and key[0] == "exclude" and key != self._unfolded_for:
            self.panel.sections["excludes"].open()
        self._unfolded_for = key

    def _on_frame_moved(self, key: Hashable, frame: Frame) -> None:
        for regions in (self.panel.rois, self.panel.excludes):
            if regions.key() == key:
                regions.show_frame(frame)

    def _on_crop_moved(self, frame: Frame | None) -> None:
        if self.regions.purpose != "crop" or self.workspace.recipe is None:
            self.gallery.set_crop(None)
            return
        crop = frame or self._entry.crop
        if frame is not None:
            self.panel.part.crop.set_frame(frame)
        self.gallery.set_crop(None if crop is None else cast(Place, tuple(map(float, crop))))

    def _follow_focus(self) -> None:
        """Select the region that another view has chosen, once."""
        focus = self.workspace.focus
        chosen = focus.spectrum.removeprefix(ROI) if focus.spectrum.startswith(ROI) else focus.roi
        known = chosen in [roi.name for roi in self._entry.rois]
        if known and chosen != self._followed:
            self.regions.select(("roi", chosen))
        self._followed = chosen if known else ""

    def _hide(self, key: str) -> None:
        if key == OVERLAY:
            self.panel.layers.with_overlay.setChecked(False)
        else:
            self.panel.layers.tick(key, False)

    # --- what the window asks --------------------------------------------------------------------

    def fit(self) -> None:
        """Show all of every map."""
        self.gallery.grid.fit()

    def one_to_one(self) -> None:
        """Show a pixel of the map on a pixel of the screen."""
        self.gallery.grid.one_to_one()

    def describe(self, point: Point) -> str:
        """Place, all counts of the pixel, and what the map under the pointer holds there."""
        parts = [super().describe(point)]
        made = self._made
        pixel = None if made is None else made.maps.data.pixel_at(*point)
        if made is not None and made.maps.data is self.workspace.data and pixel is not None:
            parts += [f"{made.maps.total[pixel]:.0f} counts", self.gallery.value_text(pixel)]
        return "   ".join(part for part in parts if part)

    def key_tool(self, letter: str) -> bool:
        """V selects; R, O and P draw regions of interest; X excludes; C crops."""
        return self.tools.choose(letter)


def _why_empty(failure: str | None) -> str:
    if failure is None:
        return READING
    if asks_for_dataset(failure):
        return NO_DATASET
    return NO_BEAM if lacks_beam_energy(failure) else FAILED


def _source(data: MapData) -> tuple[object, ...]:
    return data.sha256, data.entry.signal, data.entry.choice


def _extent(data: MapData) -> Place:
    rows, columns = data.full_shape
    return 0.0, 0.0, float(columns), float(rows)


def _make(
    maps: LayerMaps,
    layers: tuple[Layer, ...],
    colours: tuple[Layer | None, ...],
    display: Display,
) -> _Made:
    pictures = maps.pictures(layers, display)
    values = maps.overlay(colours, display) if colours else None
    names = tuple("" if layer is None else layer.name for layer in colours)
    overlay = None if values is None else Overlay(values, names)
    return _Made(maps, pictures, overlay, float(maps.total.sum()))
