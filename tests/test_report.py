"""The report: nothing but itself is loaded, its numbers are those of the CSVs, texts do nothing."""

from __future__ import annotations

import base64
import csv
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import pytest

from endmember.cli import run_command
from endmember.core.progress import silent
from endmember.demo import demo_recipe, simulate_to
from endmember.files.pictures.html_page import Column, Group, Number, Page, Table
from endmember.files.tables.record_table import write_records
from endmember.session.decisions.recipe import Contents, Goal, Limits, Recipe, Roi, changed
from endmember.session.decisions.recipe_file import dump_recipe
from endmember.session.decisions.shapes import drawn_region
from endmember.session.figures.figure_list import drawn_figures, planned_figures
from endmember.session.figures.mask_panels import outline
from endmember.session.results.further_tables import FurtherRows
from endmember.session.results.methods_text import assumptions, methods
from endmember.session.results.report import report_text
from endmember.session.results.result_tables import write_statistics, write_tables
from endmember.session.results.results_folder import all_warnings
from endmember.session.state.session import Session, run_all
from endmember.session.statistics.snr_growth import GrowthPoint
from several_maps import growth_of_two_maps, two_finished_maps, with_recipe

HOSTILE = '<script>alert("1")</script> & more'
VOID = {"meta", "img", "br"}


@dataclass
class ReportTable:
    """What a parser finds in a table: a list of {column of the CSV: (value, shown)} by row."""

    caption: str = ""
    rows: list[dict[str, tuple[str, str]]] = field(default_factory=list)
    texts: list[list[str]] = field(default_factory=list)


class Reader(HTMLParser):
    """Reads a report: its tables, the addresses that it names, its plain text; checks nesting."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tables: dict[str, ReportTable] = {}
        self.addresses: list[tuple[str, str]] = []
        self.tags: set[str] = set()
        self.text = ""
        self.anchors: set[str] = set()
        self._open: list[str] = []
        self._table: ReportTable | None = None
        self._data: list[str] | None = None
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.tags.add(tag)
        self.anchors |= {given["id"]} if "id" in given else set()
        self.addresses += [
            (tag, given[name]) for name in ("src", "href", "action") if name in given
        ]
        if tag not in VOID:
            self._open.append(tag)
        if tag == "table":
            self._table = self.tables[given["id"].removeprefix("table-")] = ReportTable()
        if tag == "tr" and self._table is not None:
            self._table.rows.append({})
            self._table.texts.append([])
        if tag in ("td", "th") and self._table is not None:
            self._table.texts[-1].append("")
        if tag == "data":
            self._data = [given["value"], given.get("data-column", ""), ""]

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag
        if tag == "table":
            self._table = None
        if tag == "data" and self._data is not None:
            value, column, shown = self._data
            if column and self._table is not None:
                self._table.rows[-1][column] = (value, shown)
            self._data = None

    def handle_data(self, data: str) -> None:
        self.text += data
        if self._data is not None:
            self._data[2] += data
        if self._table is not None and self._open[-1] not in ("table", "tbody", "thead", "tr"):
            self._table.texts[-1][-1] += data


def as_number(shown: str) -> tuple[float, float]:
    """A number as it is shown, and half a unit of its last digit."""
    text = shown.replace("−", "-").replace(",", "")
    if "×" in text:
        mantissa, _, power = text.partition(" × 10")
        exponent = int(power.translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")))
        return float(mantissa) * 10.0**exponent, 0.051 * 10.0**exponent
    decimals = len(text.partition(".")[2])
    if decimals:
        return float(text), 0.501 * 10.0**-decimals
    digits = len(text.strip("-").rstrip("0"))
    zeros = len(text.strip("-")) - digits
    return float(text), 0.501 * 10.0**zeros


@pytest.fixture(scope="module")
def session() -> Session:
    """Two maps; a region with a hostile name, a known bulk and goals, which no step reads."""
    finished = two_finished_maps()[1]
    sample = changed(
        finished.recipe.sample,
        bulk=Contents({"Mg": 17.8, "Si": 20.1}),
        bulk_sigma=Contents({"Mg": 0.2}),
    )
    goal = Goal(lod_ppm=Limits({"Sm": 50}), relative_error_percent=Limits({"Fe": 1}))
    return with_recipe(finished, sample=sample, goal=goal)


@pytest.fixture(scope="module")
def results(session: Session, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of results with some of its figures, and a report with these."""
    folder = tmp_path_factory.mktemp("results")
    write_tables(session, folder)
    write_statistics(session, folder)
    rows = FurtherRows(growth_of_two_maps())
    write_records(folder / "snr_growth.csv", GrowthPoint, rows.growth)
    planned = planned_figures(session, rows.growth)[1::8]
    drawn = list(drawn_figures(planned, "svg"))
    text = report_text(session, drawn, rows, folder)
    (folder / "report.html").write_text(text, encoding="utf-8")
    (folder / "figures").mkdir()
    for one, content in drawn:
        assert isinstance(content, bytes)
        (folder / "figures" / f"{one.name}.svg").write_bytes(content)
    return folder


@pytest.fixture(scope="module")
def report(results: Path) -> Reader:
    return Reader((results / "report.html").read_text("utf-8"))


def text_of(session: Session, rows: FurtherRows | None = None) -> str:
    return report_text(session, (), rows or FurtherRows(), Path("/somewhere"))


def csv_rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


TABLES = (
    "composition",
    "detection",
    "partition",
    "consistency",
    "mass_balance",
    "outlook",
    "snr_growth",
)


@pytest.mark.parametrize("name", TABLES)
def test_every_number_of_a_table_is_that_of_its_csv(
    results: Path, report: Reader, name: str
) -> None:
    wanted = csv_rows(results / f"{name}.csv")
    if name == "snr_growth":
        wanted = [row for row in wanted if row["element"] in ("Nd", "Sm", "U")]
    table = report.tables[name]
    pairs = [
        (row, texts)
        for row, texts in zip(table.rows, table.texts, strict=True)
        if len(texts) > 1 and texts[0] != "Element"
    ]
    assert [texts[0] for _, texts in pairs] == [row["element"] for row in wanted]
    checked = 0
    for (found, _), of_csv in zip(pairs, wanted, strict=True):
        for column, (value, shown) in found.items():
            assert value == of_csv[column], (name, column)
            number, half = as_number(shown)
            assert number == pytest.approx(float(value), abs=half), (name, column, shown)
            checked += 1
    assert checked > 3 * len(wanted)


def test_errors_are_shown_with_two_digits_and_values_with_as_many(report: Reader) -> None:
    row = next(r for r in report.tables["composition"].rows if "atomic_percent" in r)
    value, sigma = row["atomic_percent"][1], row["atomic_percent_sigma"][1]
    assert len(sigma.lstrip("0.")) == 2
    assert len(value.partition(".")[2]) == len(sigma.partition(".")[2])


def test_phases_side_by_side_agree_with_the_csv_in_ppm_and_percent(
    results: Path, report: Reader
) -> None:
    rows = csv_rows(results / "composition.csv")
    wanted = {
        r["element"]: r
        for r in rows
        if (r["phase"], r["source"], r["map"]) == ("Brg", "mask", "sum")
    }
    (head, *body) = report.tables["phase_Brg"].texts
    column = next(n for n, title in enumerate(head) if title.startswith("mask, 2 maps"))
    for texts in body[:-1]:
        factor = {"at.%": 1.0, "at. ppm": 1e4}[texts[1]]
        value, half = as_number(texts[column].partition("\xa0")[0])
        assert value == pytest.approx(factor * float(wanted[texts[0]]["atomic_percent"]), abs=half)
    units = {texts[0]: texts[1] for texts in body}
    assert (units["Mg"], units["Sm"]) == ("at.%", "at. ppm")


def test_nothing_but_itself_is_loaded(results: Path, report: Reader) -> None:
    assert report.addresses
    for tag, address in report.addresses:
        assert address.startswith("data:image/svg+xml;base64," if tag == "img" else "#")
    assert report.tags.isdisjoint({"script", "link", "iframe", "object", "base", "form"})
    style = re.findall(r"<style>(.*?)</style>", (results / "report.html").read_text(), re.S)
    assert style
    assert not re.search(r"@import|url\(", style[0])
    linked = {address[1:] for tag, address in report.addresses if tag == "a"}
    assert linked <= report.anchors


def pictures(report: Reader) -> Iterator[bytes]:
    for tag, address in report.addresses:
        if tag == "img":
            yield base64.b64decode(address.partition(",")[2])


def test_its_pictures_are_the_figures_of_the_folder(results: Path, report: Reader) -> None:
    files = {path.read_bytes() for path in (results / "figures").iterdir()}
    shown = list(pictures(report))
    assert set(shown) == files
    assert len(shown) > 3
    for content in shown:
        for node in ET.fromstring(content).iter():
            assert not node.tag.endswith("script")
            for name, value in node.attrib.items():
                if name.endswith("href"):
                    assert value.startswith(("#", "data:"))


def test_it_prints_with_the_head_of_tables_on_every_page(results: Path) -> None:
    text = (results / "report.html").read_text("utf-8")
    assert "@media print" in text
    assert "table-header-group" in text
    assert text.count("<thead>") == text.count("<table")


def test_sources_seeds_warnings_and_the_recipe_are_in_it(session: Session, report: Reader) -> None:
    for name in ("a", "b"):
        assert session.result("read", name).sha256 in report.text
    assert "Endmember 0.1.0" in report.text
    assert 'format = "endmember-recipe-1"' in report.text
    assert "goal" in report.text
    versions = {tuple(texts) for texts in report.tables["versions"].texts}
    assert ("decomposition", "0") in versions
    assert any(name == "numpy" for name, *_ in versions)
    for sentence in all_warnings(session):
        assert sentence in report.text


def test_texts_of_people_do_nothing() -> None:
    page = Page(HOSTILE)
    page.heading(HOSTILE)
    page.paragraph(HOSTILE, HOSTILE)
    page.items([HOSTILE])
    page.verbatim(HOSTILE)
    cells = [HOSTILE, [HOSTILE, Number(1.5, HOSTILE, HOSTILE)]]
    groups = [Group(HOSTILE, [cells], HOSTILE)]
    page.table(Table(HOSTILE, HOSTILE, [Column(HOSTILE, HOSTILE), Column("x")], groups))
    page.picture(HOSTILE, b"<svg/>", HOSTILE)
    found = Reader(page.text())
    assert "script" not in found.tags
    assert found.text.count(HOSTILE) >= 11


def anew(session: Session, recipe: Recipe) -> Session:
    """A recipe run from the results of another one, whatever fails."""
    twin = session.snapshot()
    twin.change(recipe)
    run_all(twin, go_on=True)
    return twin


def test_one_map_has_no_sum_and_a_hostile_name_is_shown_as_it_is(session: Session) -> None:
    recipe = session.recipe
    precipitates = tuple(
        changed(p, rectangles=tuple(r for r in p.rectangles if r.map == "a"))
        for p in recipe.precipitates
    )
    entry = recipe.maps[0]
    entry = changed(entry, rois=(changed(entry.rois[0], name=HOSTILE),))
    one = anew(session, changed(recipe, maps=(entry,), precipitates=precipitates))
    found = Reader(text_of(one))
    assert "script" not in found.tags
    assert HOSTILE in found.text
    assert "consistency" not in found.tables
    assert {"composition", "mass_balance", "partition"} <= set(found.tables)
    assert "all maps" not in found.text
    assert "A STEM-EDXS map (64 × 64 pixels" in found.text
    assert "Cochran" not in found.text


def test_what_failed_is_said_and_the_rest_is_there(session: Session) -> None:
    fp, capv = session.recipe.precipitates
    broken = changed(capv, absent="", component=2)
    failed = anew(session, changed(session.recipe, precipitates=(fp, broken)))
    found = Reader(text_of(failed))
    assert "What could not be done" in found.text
    assert "choose the absent element" in found.text
    places = {texts[0] for texts in found.tables["composition"].texts if len(texts) == 1}
    assert any(place.startswith("Fp, mask") for place in places)
    assert not any(place.startswith("CaPv, mask") for place in places)
    names = {one.name for one in planned_figures(failed, ())}
    assert "subtraction_a_Fp" in names
    assert "subtraction_a_CaPv" not in names


def test_without_regions_and_bulk_nothing_is_said_of_them(session: Session) -> None:
    maps = tuple(changed(entry, rois=()) for entry in session.recipe.maps)
    assert "the bulk as entered" in Reader(text_of(session)).text
    sample = changed(session.recipe.sample, bulk=Contents({}), bulk_sigma=Contents({}))
    found = Reader(text_of(anew(session, changed(session.recipe, maps=maps, sample=sample))))
    assert "regions of interest" not in found.text
    assert "bulk as entered" not in found.text
    assert {texts[0] for texts in found.tables["partition"].texts if len(texts) == 1} == {
        f"{p}, Brg, {where}, mask" for p in ("Fp", "CaPv") for where in ("a", "b", "all maps")
    }


def test_a_report_without_compositions_says_why(session: Session) -> None:
    recipe = session.recipe
    maps = tuple(changed(entry, file=f"{entry.file}.gone") for entry in recipe.maps)
    found = Reader(text_of(anew(session, changed(recipe, maps=maps))))
    assert "What could not be done" in found.text
    assert "composition" not in found.tables
    assert "Recipe as run" in found.text


def cited(session: Session, **settings: object) -> tuple[str, list[str]]:
    """The methods of these results as if the recipe had said so."""
    twin = SimpleNamespace(recipe=changed(session.recipe, **settings), result=session.result)
    return methods(twin, FurtherRows())  # type: ignore[arg-type]


def test_only_what_was_used_is_cited(session: Session) -> None:
    recipe = session.recipe
    text, references = cited(session)
    listed = "; ".join(references)
    for name in ("Chen", "Rother", "Cliff", "Currie", "Bote", "Keenan", "Heinz", "Goldstein"):
        assert name in listed
    for name in ("Deer", "Reed", "Statham", "Efron", "Kuhn"):
        assert name not in listed
    numbers = {int(n) for part in re.findall(r"\[([\d, ]+)\]", text) for n in part.split(", ")}
    assert numbers == set(range(1, len(references) + 1))
    first = [int(part.split(",")[0]) for part in re.findall(r"\[([\d, ]+)\]", text)]
    assert first[0] == 1
    # as `core.unmixing.abundance` does it: only the maps are bounded
    assert re.search(r"Abundance maps come from a fully constrained [^.]*, phase fractions", text)
    assert "without bounds" in text

    how = changed(recipe.quantification, oxygen="stoichiometry", sum_peaks=6, k_factors="k.csv")
    decomposition = changed(recipe.decomposition, method="frobenius", joint=False)
    text, references = cited(session, quantification=how, decomposition=decomposition)
    listed = "; ".join(references)
    for name in ("Deer", "Statham", "Kuhn"):
        assert name in listed
    for name in ("Bote", "Lee"):
        assert name not in listed
    assert "k-factors from the file k.csv" in text

    _, references = cited(session, precipitates=())
    assert not any(name in "; ".join(references) for name in ("Rother", "Heinz"))


def test_assumptions_follow_the_recipe(session: Session) -> None:
    told = " ".join(assumptions(session))
    assert "Si is absent from Fp" in told
    assert "foil of 117 nm" in told
    maps = tuple(changed(entry, thickness_nm=None) for entry in session.recipe.maps)
    by_hand = changed(session.recipe.precipitates[0], factor=0.2)
    twin = SimpleNamespace(recipe=changed(session.recipe, maps=maps, precipitates=(by_hand,)))
    told = " ".join(assumptions(twin))  # type: ignore[arg-type]
    assert "absorption is not corrected, since no thickness" in told
    assert "0.2 times its spectrum, set by hand" in told


def test_run_writes_figures_and_report_also_without_precipitates(tmp_path: Path) -> None:
    simulate_to(
        tmp_path / "demo.hspy", None, silent, size=32, counts_per_pixel=640.0, seed=0, layout=0
    )
    asked = demo_recipe(32)
    sample = changed(asked.sample, elements=("O", "Mg", "Si", "Fe"))
    recipe = tmp_path / "demo.toml"
    text = dump_recipe(changed(asked, sample=sample, precipitates=()), tmp_path, tmp_path)
    recipe.write_text(text, encoding="utf-8")
    out = tmp_path / "out"
    line = ["run", str(recipe), "--out", str(out), "--figures", "--report"]
    assert run_command(line) == 0
    assert (out / "snr_growth.csv").is_file()
    names = {path.name for path in (out / "figures").iterdir()}
    assert {"components_demo.svg", "masks_demo.svg", "trace_lines_Brg.svg"} <= names
    found = Reader((out / "report.html").read_text("utf-8"))
    assert sum(tag == "img" for tag, _ in found.addresses) == len(names)
    assert "is that of all pixels that are not excluded" in found.text


@pytest.mark.parametrize(
    ("shape", "box"),
    [
        ({"ellipse": (4, 6, 10, 8)}, (3.5, 5.5, 10, 8)),
        ({"polygon": ((1, 1), (5, 1), (5, 4))}, (0.5, 0.5, 4, 3)),
        ({"rectangle": (2, 3, 4, 5)}, (1.5, 2.5, 4, 5)),
    ],
)
def test_regions_are_drawn_round_their_pixels(
    shape: dict[str, tuple[object, ...]], box: tuple[float, ...]
) -> None:
    drawn = outline(drawn_region(Roi(name="r", phase="Fp", **shape)), "red", dashed=True)
    found = drawn.get_path().transformed(drawn.get_patch_transform()).get_extents()
    assert (found.x0, found.y0, found.width, found.height) == pytest.approx(box)
