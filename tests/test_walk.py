"""Walks from a file to a composition, with the mouse and the keys of a person, in a real window."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PyQt6.QtCore import QPointF, Qt
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QCommandLinkButton

from endmember.__main__ import run_command
from walk import CONTROL, LEFT, NO, Person, Table, table_of
from walk import person as person

LOWER_MANTLE = "hspy/88_ES-LP_G8_selection2_cropped2.hspy"
ELEMENTS = "Mg, Al, Si, Ca, Fe, Nd, Sm, Lu, Hf, U"
SYSTEM = ("Cl", "Co", "Cu", "Ga", "Zr", "Mo")
VALUE = "value\n(at.%)"


def real_file(shared: Path, name: str) -> Path:
    """A file of the shared data; the test is skipped where it is absent."""
    file = shared / "data" / "real" / name
    if not file.exists():
        pytest.skip(f"{file} is not there")
    return file


def fact(page: Any, name: str) -> str:
    """What the facts of the map page say."""
    label = page.panel.facts.values.get(name)
    return "…" if label is None else str(label.text())


def component_with(person: Person, low_keV: float, high_keV: float) -> int:
    """The component with the largest share of its counts in a window."""
    decomposed, axis = person.result("decomposition"), person.workspace.data.image.axis
    return int(np.argmax(decomposed.found.spectra[:, axis.span(low_keV, high_keV)].sum(axis=1)))


# --- a map of the lower mantle: a matrix, and a band of ferropericlase ---------------------------


def look_at_lower_mantle(person: Person, shared: Path) -> None:
    """Open, read the facts, choose the elements, leave out the slit that the beam has cut."""
    person.open(real_file(shared, LOWER_MANTLE))
    person.result("read")
    page = person.window.page("map")
    person.until(lambda: "…" not in fact(page, "Counts"))
    assert fact(page, "Size") == "80 x 80 px"
    assert fact(page, "Pixel size").startswith("9.859 nm")
    assert fact(page, "Live time").startswith("28.085 s")
    assert "200" in page.panel.facts.beam.placeholderText()
    # O is listed by the file, but lies below the energy axis
    person.choose_elements(ELEMENTS, dict.fromkeys(SYSTEM, 2))
    assert ", ".join(person.recipe.sample.elements) == ELEMENTS
    assert set(person.recipe.sample.system_elements) == set(SYSTEM)
    person.key(Qt.Key.Key_X)
    person.draw_box(page.gallery.grid.views[0].canvas, (10, 24, 6, 18))
    assert person.recipe.maps[0].excludes[0].rectangle == pytest.approx((10, 24, 6, 18), abs=1)


def choose_components(person: Person, number: int) -> None:
    """Click the scree plot."""
    plot = person.page("components").panel.scree
    person.until(lambda: plot.scree is not None)
    person.bring_into_sight(plot)
    scene = plot.box.mapViewToScene(QPointF(number, plot.box.viewRect().center().y()))
    QTest.mouseClick(plot.viewport(), LEFT, NO, plot.mapFromScene(scene))
    person.until(lambda: person.recipe.decomposition.components == number)


def mark_iron_phase(person: Person) -> None:
    """Add Fp on the Masks page and draw a rectangle round its band on the component map."""
    iron = component_with(person, 6.25, 6.55)
    page = person.page("masks")
    person.until(lambda: page.map.array is not None)
    person.click(page.side.precipitates.add)
    person.type("Fp")
    person.key(Qt.Key.Key_Return)
    person.choose(page.working.layer, f"component #{iron}")
    person.click(page.tools.buttons["rectangle"])
    person.draw_box(page.map.canvas, (15, 22, 65, 56))
    assert person.recipe.precipitates[0].component == iron
    masks = person.result("masks").partition
    band = masks.components["Fp"]
    assert 1200 < band.sum() < 2400  # the band is a quarter of the picture
    assert not band[24:42, 10:16].any(), "the excluded slit is in a mask"
    assert not masks.matrix[24:42, 10:16].any(), "the excluded slit is in a mask"


def choose_absent(person: Person, element: str) -> None:
    """Click an element of the ranked list on the Phases page."""
    page = person.page("phases")

    def elements() -> list[str]:
        items = [page.absent.topLevelItem(i) for i in range(page.absent.topLevelItemCount())]
        return [item.text(0).split()[-1] for item in items]

    person.until(lambda: element in elements())
    person.click_row(page.absent, elements().index(element))
    person.until(lambda: person.recipe.precipitates[0].absent == element)


def composition(person: Person, phase: str) -> Table:
    """What the composition page shows for a phase, once nothing is greyed."""
    person.result("quantification")
    page = person.page("composition")
    person.until(lambda: page.stack.currentIndex() == 1 and not page.veil.isVisible())
    person.choose(page.entry_box, f"{phase}, mask")
    return table_of(page.table)


def move_rectangle(person: Person, dx: float, dy: float) -> None:
    """Select the first rectangle on the map of the masks and drag it."""
    page = person.page("masks")
    person.click(page.tools.buttons["select"])
    x, y, width, height = person.recipe.precipitates[0].rectangles[0].box
    middle = x + width / 2, y + height / 2
    halfway, end = (middle[0] + dx / 2, middle[1] + dy / 2), (middle[0] + dx, middle[1] + dy)
    person.drag(page.map.canvas, middle, halfway, end)
    moved = person.recipe.precipitates[0].rectangles[0].box
    assert moved == (x + dx, y + dy, width, height)


def test_a_map_of_the_lower_mantle_from_file_to_composition_and_back(
    person: Person, shared: Path
) -> None:
    look_at_lower_mantle(person, shared)
    choose_components(person, 4)
    mark_iron_phase(person)
    choose_absent(person, "Si")
    matrix, fp = composition(person, "Matrix"), composition(person, "Fp")
    # bridgmanite and ferropericlase of this map, as measured without a window
    known = {"Mg": 42.3, "Si": 49.0, "Al": 4.4}
    for element, percent in known.items():
        assert float(matrix[element][VALUE]) == pytest.approx(percent, rel=0.05)
    assert float(fp["Mg"][VALUE]) == pytest.approx(86.6, rel=0.02)
    assert float(fp["Fe"][VALUE]) == pytest.approx(10.9, rel=0.05)
    assert fp["Si"][VALUE] == "assumed absent"
    assert fp["U"]["state"] != "quantifiable"  # at the limit of detection, if there at all

    move_rectangle(person, -4, -4)
    moved = composition(person, "Fp")
    assert moved["Mg"] != fp["Mg"]
    person.key(Qt.Key.Key_Z, CONTROL)
    assert without_change(composition(person, "Fp")) == without_change(fp)
    person.key(Qt.Key.Key_Y, CONTROL)
    assert without_change(composition(person, "Fp")) == without_change(moved)

    saved_and_opened_again(person, moved)


def without_change(table: Table) -> Table:
    """A table without its column of changes since the last result."""
    return {
        element: {title: text for title, text in cells.items() if not title.startswith("change")}
        for element, cells in table.items()
    }


def saved_and_opened_again(person: Person, before: Table) -> None:
    """Save, export, close; another day the recipe gives the same numbers, as the command does."""
    recipe, results = person.folder / "walk.toml", person.folder / "results"
    exact = person.result("quantification")
    person.save_as(recipe)
    person.until(lambda: not person.window.isWindowModified())
    person.files.waiting.append(results)
    person.rest()  # what is made from the compositions is exported too
    person.menu("File", "Export results")
    person.until(lambda: f"results written into {results}" in person.told())
    person.menu("File", "Close document")

    person.start_anew()
    links = person.window.welcome.findChildren(QCommandLinkButton)
    person.click(next(link for link in links if link.text() == recipe.name))
    person.until(lambda: person.workspace.document is not None)
    assert without_change(composition(person, "Fp")) == without_change(before)
    assert numbers(person.result("quantification")) == numbers(exact)

    assert run_command(["run", str(recipe), "--out", str(person.folder / "run")]) == 0
    table = (results / "composition.csv").read_bytes()
    assert table == (person.folder / "run" / "composition.csv").read_bytes()
    book = (results / "composition.xlsx").read_bytes()  # holds all digits of all tables
    assert book == (person.folder / "run" / "composition.xlsx").read_bytes()
    rows = csv.DictReader(table.decode().splitlines())
    assert {row["phase"] for row in rows} == {"Matrix", "Fp", "Fp+Matrix"}


def numbers(compositions: Any) -> list[tuple[float | None, ...]]:
    """All digits of all values and errors."""
    return [
        (row.atomic_percent, row.atomic_percent_sigma)
        for entry in compositions.entries
        for row in entry.composition.rows
    ]


# --- maps of other makers ------------------------------------------------------------------------


def titles(page: Any) -> list[str]:
    """Of the maps that the Map page shows."""
    return [view.title for view in page.gallery.grid.shown_views()]


def draw_energy_window(person: Person, low_keV: float, high_keV: float) -> None:
    """Press + Window and drag on the spectrum: its map is shown at once."""
    spectrum, page = person.window.spectrum, person.page("map")
    person.until(lambda: bool(spectrum.view.plot.shown_curves()))
    person.type_line(f"{(low_keV + high_keV) / 2:.3f}")
    person.click(spectrum.windows.draw)
    person.drag_energies(spectrum.view, low_keV, high_keV)
    person.until(lambda: len(person.recipe.windows) == 1)
    window = person.recipe.windows[0]
    assert window.range_keV == pytest.approx((low_keV, high_keV), abs=0.03)
    person.until(lambda: any(title.startswith(window.name) for title in titles(page)))
    view = next(v for v in page.gallery.grid.shown_views() if v.title.startswith(window.name))
    data = person.workspace.data.image
    inside = data.axis.span(*window.range_keV)
    counted = data.spectrum().counts[inside].sum()
    person.choose(page.panel.layers.scale, "counts")
    person.until(lambda: view.unit.startswith("counts"))
    assert view.array.sum() == pytest.approx(counted, rel=0.02)


def draw_region(person: Person, box: tuple[float, float, float, float]) -> None:
    """Draw a region of interest: the spectrum panel follows it."""
    page = person.page("map")
    person.click(page.tools.buttons["R"])
    person.draw_box(page.gallery.grid.views[0].canvas, box)
    person.until(lambda: len(person.recipe.maps[0].rois) == 1)
    x, y, width, height = (round(side) for side in person.recipe.maps[0].rois[0].rectangle)
    image = person.workspace.data.image
    inside = np.zeros((image.rows, image.columns), dtype=bool)
    inside[y : y + height, x : x + width] = True
    counts = image.spectrum(inside).counts
    curve = person.window.spectrum.view.plot.shown_curves
    person.until(lambda: any(c.values.sum() == counts.sum() for c in curve()))


def look_at_other_makers_map(person: Person, file: Path, size: str, elements: str) -> Any:
    """Open, read the facts, choose the elements (Cu, of the grid, is only fitted)."""
    person.open(file)
    data = person.result("read")
    page = person.window.page("map")
    person.until(lambda: fact(page, "Size") == size)
    assert fact(page, "Live time") == "unknown"
    assert "200" in page.panel.facts.beam.placeholderText()
    person.choose_elements(elements, {"C": 2, "Cu": 2})
    person.until(lambda: set(elements.split(", ")) <= {title.split()[0] for title in titles(page)})
    return data.image


def test_a_jeol_map_of_alumina_spheres_on_a_film_gives_the_composition_of_alumina(
    person: Person, shared: Path
) -> None:
    file = real_file(shared, "jeol/JEOL_eds/64.pts")
    look_at_other_makers_map(person, file, "64 x 64 px", "O, Al, Si")
    assert "HAADF" not in titles(person.window.page("map"))  # the file holds no image
    draw_energy_window(person, 1.38, 1.60)
    draw_region(person, (8, 14, 16, 16))

    spheres = component_with(person, 1.38, 1.60)
    page = person.page("masks")
    person.until(lambda: page.map.array is not None)
    person.choose(page.working.layer, f"component #{spheres}")
    person.click(page.tools.buttons["rectangle"])
    # from the corner that lies in no other rectangle: inside one, a drag moves it
    for start, end in (((2, 8), (33, 41)), ((53, 33), (29, 8)), ((63, 63), (40, 26))):
        between = (start[0] + end[0]) / 2, (start[1] + end[1]) / 2
        person.drag(page.map.canvas, start, between, end)
    assert [p.component for p in person.recipe.precipitates] == [spheres]
    assert len(person.recipe.precipitates[0].rectangles) == 3
    choose_absent(person, "Si")
    shown = composition(person, "P1")
    assert float(shown["Al"][VALUE]) == pytest.approx(40.0, abs=3.0)
    assert float(shown["O"][VALUE]) == pytest.approx(60.0, abs=3.0)


def test_a_velox_map_shows_its_haadf_and_says_why_a_wrong_rectangle_gives_nothing(
    person: Person, shared: Path
) -> None:
    name = "emd_velox/fei_emd_files/fei_SI_SuperX-HAADF_10frames_10x50.emd"
    image = look_at_other_makers_map(
        person, real_file(shared, name), "10 x 50 px", "O, Al, Cr, Fe, Ni"
    )
    page = person.window.page("map")
    assert titles(page)[0] == "HAADF"
    view = page.gallery.grid.views[0]
    assert np.corrcoef(view.array.ravel(), image.images["HAADF"].ravel())[0, 1] > 0.99
    draw_energy_window(person, 7.30, 7.65)
    draw_region(person, (1, 8, 7, 12))

    page = person.page("masks")
    person.until(lambda: page.map.array is not None)
    person.click(page.tools.buttons["rectangle"])
    person.draw_box(page.map.canvas, (2, 10, 5, 8))  # nothing but matrix
    person.rest()
    page = person.page("phases")
    person.until(page.banner.isVisible)
    assert "P1" in page.banner.text
    assert "move its rectangles" in page.banner.text
    page = person.page("composition")  # of the matrix it is there all the same
    person.choose(page.entry_box, "Matrix, mask")
    shown = table_of(page.table)
    assert float(shown["Ni"][VALUE]) > float(shown["Cr"][VALUE]) > float(shown["Al"][VALUE])
