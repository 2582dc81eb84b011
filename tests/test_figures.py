"""Figures for print: they hold the data they show, and their files are what print asks for."""

from __future__ import annotations

import itertools
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from endmember.core.quantification.snr_growth import nested_subsets
from endmember.files.pictures.figure_page import (
    COLUMN_mm,
    figure_bytes,
    for_print,
    letter,
    new_figure,
    print_style,
)
from endmember.session import figures
from endmember.session.decisions.recipe import changed
from endmember.session.figures.figure_list import planned_figures
from endmember.session.figures.line_fits import line_window
from endmember.session.figures.spectrum_panels import line_ranges, trace_elements
from endmember.session.state.session import Session, run_all
from endmember.session.statistics.snr_growth import GrowthPoint
from several_maps import growth_of_two_maps, two_finished_maps

POINTS_PER_mm = 72 / 25.4
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def session() -> Session:
    return two_finished_maps()[1]


@pytest.fixture(scope="module")
def growth() -> tuple[GrowthPoint, ...]:
    return growth_of_two_maps()


def entry(session: Session, phase: str, source: str, where: str) -> object:
    entries = session.result("quantification").entries
    return next(e for e in entries if (e.phase, e.source, e.map) == (phase, source, where))


def panels(figure: Figure) -> list[Axes]:
    return [axes for axes in figure.axes if axes.get_label() != "<colorbar>"]


def images(figure: Figure) -> list[np.ndarray]:
    return [np.asarray(a.images[0].get_array()) for a in panels(figure) if a.images]


def curve(axes: Axes, label: str) -> tuple[np.ndarray, np.ndarray]:
    line = next(line for line in axes.lines if str(line.get_label()).startswith(label))
    return np.asarray(line.get_xdata(), float), np.asarray(line.get_ydata(), float)


def test_component_figures_show_maps_spectra_and_eigenvalues(session: Session) -> None:
    figure = figures.component_figure(session, "b")
    decomposed, scree = session.result("decomposition", "b"), session.result("scree", "b")
    for shown, counts in zip(images(figure), decomposed.maps_of("b"), strict=True):
        np.testing.assert_array_equal(shown, counts)
    scree_panel = next(a for a in panels(figure) if a.get_xlabel().startswith("component"))
    np.testing.assert_array_equal(curve(scree_panel, "decomposed")[1], scree.eigenvalues[:3])
    np.testing.assert_allclose(curve(scree_panel, "noise")[1], scree.noise_level)
    spectrum = decomposed.found.spectra[2]
    x, y = next(
        (line.get_xdata(), np.asarray(line.get_ydata()))
        for a in panels(figure)
        if any(t.get_text() == "component 2" for t in a.texts)
        for line in a.lines
    )
    seen = spectrum[: len(y)] / spectrum.max()
    np.testing.assert_allclose(y[seen > 1e-4], seen[seen > 1e-4])
    assert len(x) == len(y)


def test_the_mask_figure_shows_every_mask_and_every_rectangle(session: Session) -> None:
    figure = figures.mask_figure(session, "a")
    part, recipe = session.result("masks", "a").partition, session.recipe
    shown = [axes for axes in panels(figure) if axes.images]  # the last place may be empty
    found = {a.get_title(): np.asarray(a.images[0].get_array()) for a in shown}
    fp = next(array for title, array in found.items() if title.startswith("Fp+Brg mixture"))
    np.testing.assert_array_equal(fp[..., 0] != 238, part.mixtures["Fp"])
    assert any(f"{int(part.matrix.sum()):,} px" in title for title in found)
    drawn = {
        tuple(np.round([p.get_x(), p.get_y(), p.get_width(), p.get_height()], 6))
        for p in panels(figure)[0].patches
    }
    asked = {
        (x - 0.5, y - 0.5, float(w), float(h))
        for p in recipe.precipitates
        for x, y, w, h in p.boxes_on("a")
    }
    assert asked <= drawn
    assert len(panels(figure)[0].patches) == len(asked) + len(recipe.maps[0].rois)


def test_the_abundance_figure_shows_the_maps_and_their_shares(session: Session) -> None:
    figure, found = figures.abundance_figure(session, "a"), session.result("abundance", "a")
    for shown, share in zip(images(figure), found.abundance.maps, strict=False):
        np.testing.assert_array_equal(shown, share)
    np.testing.assert_array_equal(images(figure)[-1], found.abundance.residual)
    for axes, phase in zip(panels(figure), found.phases, strict=False):
        name, _, number = axes.get_title().partition(", ")
        share, sigma = found.fractions[phase]
        assert name == phase
        value, error = (float(text) for text in number.rstrip(" %").split(" ± "))
        assert value == pytest.approx(100 * share, abs=100 * sigma / 10)
        assert error == pytest.approx(100 * sigma, rel=0.06)


def test_the_scale_bar_is_as_long_as_it_says(session: Session) -> None:
    from mpl_toolkits.axes_grid1.anchored_artists import AnchoredSizeBar

    figure = figures.element_figure(session, "a")
    bar = next(a for x in panels(figure) for a in x.artists if isinstance(a, AnchoredSizeBar))
    length, unit = bar.txt_label.get_text().split()
    pixels = bar.size_bar.get_children()[0].get_width()
    size = session.result("read", "a").image.pixel_size_nm
    assert pixels * size == pytest.approx(float(length) * (1000 if unit == "µm" else 1))


def test_the_element_figure_counts_what_lies_in_the_windows(session: Session) -> None:
    figure, image = figures.element_figure(session, "a"), session.result("read", "a").image
    iron = next(a for a in panels(figure) if a.get_title() == "Fe Kα")
    shown = np.asarray(iron.images[0].get_array())
    energies = image.axis.centres
    reach = 0.6 * np.sqrt(0.130**2 + 2.5e-3 * (6.4 - 5.8987))  # 1.2 FWHM in all
    inside = (energies >= 6.4 - reach) & (energies < 6.4 + reach)
    assert shown.sum() == pytest.approx(image.spectrum().counts[inside].sum(), rel=0.1)
    assert shown.shape == (image.rows, image.columns)


def test_the_subtraction_figure_shows_mixture_matrix_and_what_is_left(session: Session) -> None:
    figure, phases = (
        figures.subtraction_figure(session, "a", "Fp"),
        session.result("subtraction", "a"),
    )
    above, below = panels(figure)
    x, mixture = curve(above, "Fp+Brg")
    n = len(x)
    done = phases.subtractions["Fp"]
    counts = phases.mixtures["Fp"].fit.spectrum.counts
    np.testing.assert_array_equal(mixture, counts[:n])
    _, matrix = curve(above, "Brg ×")
    left = curve(below, "Fp (matrix")[1]
    np.testing.assert_allclose(left, mixture - matrix, atol=1e-9)
    label = next(str(line.get_label()) for line in above.lines[1:])
    value, error = (float(text) for text in label.removeprefix("Brg × ").split(" ± "))
    assert value == pytest.approx(done.factor, abs=done.factor_sigma / 10)
    assert error == pytest.approx(done.factor_sigma, rel=0.06)
    with pytest.raises(ValueError, match="Wd was not separated"):
        figures.subtraction_figure(session, "a", "Wd")


def test_spectra_are_per_pixel_and_joined_without_a_change_of_area(session: Session) -> None:
    figure = figures.phase_spectra_figure(session, "sum")
    found = entry(session, "Brg", "mask", "sum")
    counts = found.composition.fit.spectrum.counts
    x, y = curve(panels(figure)[0], "Brg,")
    assert y.sum() * 2 == pytest.approx(counts[: 2 * len(y)].sum() / found.pixels)
    assert np.diff(x) == pytest.approx(0.02)
    with pytest.raises(ValueError, match="no spectra"):
        figures.phase_spectra_figure(session, "c")


def test_the_lines_of_traces_share_a_range_where_they_are_near(session: Session) -> None:
    assert trace_elements(session) == ("Nd", "Sm", "U")
    composition = entry(session, "Brg", "mask", "a").composition
    ranges = line_ranges(composition, ("Nd", "Sm", "U"))
    assert ranges == [pytest.approx((2.8, 3.6)), pytest.approx((4.8, 6.0))]  # the paper's Fig. 11


def test_the_overlay_of_a_phase_has_a_region_every_mask_and_their_sum(session: Session) -> None:
    figure = figures.trace_line_figure(session, "CaPv")
    names = [t.get_text() for t in panels(figure)[0].get_legend().get_texts()]
    assert names[0].startswith("ROI CaPv")
    assert names[1:] == ["mask, a", "mask, b", "mask, 2 maps"]
    marked = {t.get_text() for a in panels(figure)[1:] for t in a.texts}
    assert {"U Mα", "Nd Lα", "Sm Lα"} <= marked


def test_names_of_lines_do_not_meet_and_traces_stay_inside_their_panels(session: Session) -> None:
    figure = figures.phase_spectra_figure(session, "a", "roi")
    figure.draw_without_rendering()
    whole, *insets = panels(figure)
    names = [text for text in whole.texts if text.get_text().isalpha() and len(text.get_text()) < 3]
    assert "Al" in [name.get_text() for name in names]  # between Mg and Si, 0.24 keV apart
    boxes = sorted((name.get_window_extent().extents for name in names), key=lambda box: box[0])
    assert all(left[2] < right[0] for left, right in itertools.pairwise(boxes))
    elements = [text.get_text() for axes in insets for text in axes.texts if "α" in text.get_text()]
    assert len(elements) == 3
    for axes in insets:
        for mark in (line for line in axes.lines if len(line.get_xdata()) == 2):
            for line in (one for one in axes.lines if len(one.get_xdata()) > 2):
                x, y = np.asarray(line.get_data())
                assert y[np.abs(x - mark.get_xdata()[0]) < 0.2].max() < axes.get_ylim()[1]


def test_a_line_fit_shows_counts_fit_and_the_chi_squared_of_what_is_seen(session: Session) -> None:
    figure = figures.line_fit_figure(session, "Brg", "Nd")
    found = entry(session, "Brg", "mask", "sum").composition
    above, below = panels(figure)[2], panels(figure)[5]
    x, y = curve(above, "fit")
    fit = found.fit
    energies = fit.spectrum.axis.centres
    inside = np.isin(energies, x)
    np.testing.assert_array_equal(y, fit.fitted[inside])
    told = next(t.get_text() for t in above.texts if "χ²" in t.get_text())
    pulls = (fit.spectrum.counts - fit.fitted)[inside] / np.sqrt(fit.variance[inside])
    assert f"here {np.mean(pulls**2):.2f}" in told
    assert f"whole {fit.reduced_chi_squared:.2f}" in told
    dots = next(line for line in below.lines if line.get_marker() == ".")
    np.testing.assert_allclose(dots.get_ydata(), pulls)
    assert abs(x.mean() - 5.23) < 0.02  # Nd La
    window = line_window(found, "Nd")
    np.testing.assert_allclose(window.own.sum(), _area_there(found, "Nd", inside))
    with pytest.raises(ValueError, match="Xe"):
        figures.line_fit_figure(session, "Brg", "Xe")


def _area_there(composition: object, element: str, inside: np.ndarray) -> float:
    atoms, fit = composition.atoms, composition.fit
    index = atoms.columns[atoms.measured.index(element)]
    return float((fit.areas[index] * fit.shapes[inside, index]).sum())


def test_bars_are_the_limits_of_detection(session: Session) -> None:
    figure = figures.detection_figure(session, "Fp")
    left, right = panels(figure)
    bars = sorted((bar.get_x(), bar.get_height()) for bar in right.patches)
    found = [
        entry(session, "Fp", "mask", "sum").composition[element].lod_ppm
        for element in ("Nd", "Sm", "U")
    ]
    assert [height for _, height in bars[2::3]] == found
    assert right.get_yscale() == "log"
    counts = entry(session, "Fp", "mask", "sum").composition.fit.spectrum.counts
    x, y = curve(left, "mask, 2 maps")
    assert y.max() < 100 * counts.max() / counts.max()
    assert (x.min(), x.max()) == (pytest.approx(4.82, abs=0.03), pytest.approx(5.98, abs=0.03))


def test_growth_is_drawn_with_its_root(session: Session, growth: tuple[GrowthPoint, ...]) -> None:
    figure = figures.snr_growth_figure(growth, ("Nd", "Sm", "U"))
    above = next(a for a in panels(figure) if a.get_title() == "Brg")
    rows = [p for p in growth if (p.phase, p.map, p.element) == ("Brg", "sum", "Nd")]
    root = next(line for line in above.lines if line.get_linestyle() == "-")
    x, y = (np.asarray(v, float) for v in root.get_data())
    np.testing.assert_array_equal(y, [p.root_fit for p in rows])
    assert np.polyfit(np.log(x), np.log(y), 1)[0] == pytest.approx(0.5)
    assert nested_subsets(np.ones((4, 4), bool), np.array([1.0]), 0)  # pixels of the last point
    assert x[-1] == entry(session, "Brg", "mask", "sum").pixels
    with pytest.raises(ValueError, match="Xe"):
        figures.snr_growth_figure(growth, ("Xe",))


def test_errors_against_pixels_are_in_ppm(
    session: Session, growth: tuple[GrowthPoint, ...]
) -> None:
    figure = figures.error_growth_figure(growth, ("Sm",), session.recipe.phases)
    above, below = panels(figure)
    rows = [p for p in growth if (p.phase, p.map, p.element) == ("CaPv", "sum", "Sm")]
    drawn = [tuple(np.asarray(line.get_ydata(), float)) for line in below.lines]
    assert tuple(1e4 * p.atomic_percent_sigma for p in rows) in drawn
    content = [tuple(np.asarray(line.get_ydata(), float)) for line in above.lines]
    assert tuple(1e4 * p.atomic_percent for p in rows) in content
    root = next(d for d in drawn if d[-1] == drawn[-1][-1] and d != drawn[-2])
    assert root[0] / root[-1] == pytest.approx(np.sqrt(rows[-1].pixels / rows[0].pixels))


def test_a_part_that_gives_far_more_or_less_than_all_pixels_is_still_seen(
    growth: tuple[GrowthPoint, ...],
) -> None:
    of = [p for p in growth if (p.phase, p.map, p.element) == ("CaPv", "sum", "Sm")]
    for far in (3.0, -3.0):
        parts = [replace(of[0], atomic_percent=far * of[-1].atomic_percent), *of[1:]]
        low, high = panels(figures.error_growth_figure(parts, ("Sm",)))[0].get_ylim()
        assert all(low < 1e4 * p.atomic_percent < high for p in parts)


FIGURES: list[Callable[[Session], Figure]] = [
    lambda s: figures.mask_figure(s, "a"),
    lambda s: figures.line_fit_figure(s, "Brg", "Nd"),
]


@pytest.mark.parametrize("draw", FIGURES)
def test_svg_keeps_texts_and_is_as_wide_as_a_page(
    session: Session, draw: Callable[[Session], Figure]
) -> None:
    figure = draw(session)
    root = ET.fromstring(figure_bytes(figure, "svg"))
    width = float(re.sub(r"[^\d.]", "", root.attrib["width"]))
    assert width / POINTS_PER_mm == pytest.approx(170, abs=0.1)
    texts = {"".join(node.itertext()) for node in root.iter(f"{SVG}text")}
    shown = {t.get_text() for a in panels(figure) for t in a.texts if "\n" not in t.get_text()}
    shown |= {a.get_title() for a in panels(figure)} - {""}
    assert shown <= texts
    assert not root.findall(f".//{SVG}script")


def test_equal_figures_give_equal_bytes(session: Session) -> None:
    for kind in ("svg", "pdf"):
        first, second = (figure_bytes(figures.mask_figure(session, "a"), kind) for _ in range(2))
        assert first == second


def test_pdf_has_one_page_with_its_fonts(session: Session) -> None:
    content = figure_bytes(figures.line_fit_figure(session, "Brg", "Nd"), "pdf")
    assert content.startswith(b"%PDF-")
    assert content.count(b"/Type /Page ") + content.count(b"/Type /Page\n") == 1
    assert b"/FontFile2" in content
    assert b"/Type3" not in content


def test_a_dollar_sign_in_a_name_is_drawn_as_it_is_written() -> None:
    name = r"grain $\foo$ and $x$"

    @for_print
    def draw() -> Figure:
        figure = new_figure(60, 40)
        axes = figure.subplots()
        axes.loglog([1, 1000], [1, 1000], label=name)
        axes.set_title(name)
        axes.legend()
        return figure

    svg = figure_bytes(draw(), "svg").decode()
    assert svg.count(name) == 2
    assert svg.count("<tspan") >= 8  # the powers of the ticks are set as such


def test_the_style_of_print_is_left_behind_and_nothing_is_kept() -> None:
    import matplotlib as mpl
    import matplotlib.pyplot as plt

    before = mpl.rcParams["font.size"]
    with print_style():
        figure = new_figure(COLUMN_mm, 50.0)
        assert mpl.rcParams["svg.fonttype"] == "none"
    letter(figure.add_subplot(), 0)
    assert mpl.rcParams["font.size"] == before
    assert plt.get_fignums() == []
    assert figure.get_size_inches()[0] * 25.4 == pytest.approx(85)


def test_every_planned_figure_has_its_own_name_and_a_caption(
    session: Session, growth: tuple[GrowthPoint, ...]
) -> None:
    planned = planned_figures(session, growth)
    names = [one.name for one in planned]
    assert len({name.lower() for name in names}) == len(names)
    for name in ("elements_a", "masks_b", "subtraction_b_CaPv", "spectra_roi_a", "snr_growth"):
        assert name in names
    assert not any(re.search(r"[^\w.+-]", name) for name in names)
    assert all(one.caption.endswith(".") for one in planned)
    assert "snr_growth" not in [one.name for one in planned_figures(session, ())]


def test_the_caption_of_trace_lines_names_the_spectra_that_are_drawn(session: Session) -> None:
    def captions(of: Session) -> list[str]:
        planned = planned_figures(of, ())
        return [one.caption for one in planned if one.name.startswith("trace_lines_")]

    assert any("by a region of interest, by its mask, by" in told for told in captions(session))
    maps = tuple(changed(entry, rois=()) for entry in session.recipe.maps)
    without = session.snapshot()
    without.change(changed(session.recipe, maps=maps))
    run_all(without)
    assert captions(without)
    assert not any("region" in told for told in captions(without))
