"""Line markers and the search for lines, against tabulated energies."""

from __future__ import annotations

import numpy as np
import pytest

from endmember.core.counts.spectrum import EnergyAxis
from endmember.core.fitting.line_markers import Marker, lines_near, markers, nearest_line
from endmember.core.fitting.unexplained import CANDIDATES
from endmember.core.xrays.lines import emission_lines, family_lines

AXIS = EnergyAxis(0.0, 0.01, 2048)
BEAM_keV = 200.0


def by_label(*elements: str, axis: EnergyAxis = AXIS) -> dict[str, Marker]:
    return {marker.label: marker for marker in markers(elements, axis, BEAM_keV)}


@pytest.mark.parametrize(
    ("label", "energy_keV"),  # Bearden 1967, in eV steps; the weighted mean of alpha 1 and 2
    [
        ("O Kα", 0.525),
        ("Si Kα", 1.740),
        ("Fe Kα", 6.399),
        ("Fe Kβ", 7.058),
        ("Fe Lα", 0.705),
        ("Nd Lα", 5.228),
        ("Nd Lβ1", 5.722),
        ("Nd Lβ2", 6.089),
        ("Nd Lγ1", 6.602),
        ("U Mα", 3.170),
        ("U Mβ", 3.336),
        ("U Lα", 13.60),
        ("Cu Kβ", 8.905),
    ],
)
def test_lines_are_called_as_microscopists_read_them(label: str, energy_keV: float) -> None:
    assert by_label("O", "Si", "Fe", "Nd", "U", "Cu")[label].energy_keV == pytest.approx(
        energy_keV, abs=0.004
    )


def test_alpha_1_and_2_are_one_marker_between_them() -> None:
    marker = by_label("Fe")["Fe Kα"]
    alpha = family_lines("Fe", "K", BEAM_keV, "alpha")
    weights = np.array([line.cross_section_cm2 for line in alpha])
    mean = np.average([line.energy_keV for line in alpha], weights=weights)
    assert marker.energy_keV == pytest.approx(mean)
    assert (marker.alpha, marker.strength, marker.family) == (True, 1.0, "K")
    beta = sum(x.cross_section_cm2 for x in emission_lines("Fe", BEAM_keV) if "KM" in x.name)
    assert by_label("Fe")["Fe Kβ"].strength == pytest.approx(beta / weights.sum(), rel=1e-3)


def test_lines_that_the_detector_resolves_keep_their_own_markers() -> None:
    found = by_label("Ba", axis=EnergyAxis(0.0, 0.02, 2048))
    assert found["Ba Kα1"].energy_keV == pytest.approx(32.194, abs=0.002)
    assert found["Ba Kα2"].energy_keV == pytest.approx(31.817, abs=0.002)
    assert found["Ba Kα1"].alpha
    assert found["Ba Kα2"].alpha
    assert "Ba Kα" not in found


def test_faint_lines_are_left_out_and_every_family_has_its_strongest() -> None:
    found = markers(("Fe", "Nd", "U"), AXIS, BEAM_keV)
    assert min(marker.strength for marker in found) >= 0.03
    for element, family in (("Fe", "K"), ("Fe", "L"), ("Nd", "L"), ("U", "L"), ("U", "M")):
        own = [m.strength for m in found if (m.element, m.family) == (element, family)]
        assert max(own) == 1.0
    assert len(found) < 35


def test_only_lines_on_the_axis_are_marked() -> None:
    found = markers(("Fe", "Si"), EnergyAxis(1.0, 0.01, 600), BEAM_keV)
    assert [marker.label for marker in found] == ["Fe Kα", "Si Kα"]


def test_no_two_markers_of_an_element_have_one_name() -> None:
    for element in CANDIDATES:
        labels = [marker.label for marker in markers((element,), AXIS, BEAM_keV)]
        assert len(set(labels)) == len(labels), element


@pytest.mark.parametrize("element", ["C", "O", "Mg", "Al", "Si", "S", "Ca", "Ti", "Fe", "Cu", "Mo"])
def test_the_likeliest_line_at_a_peak_is_the_common_elements_alpha_line(element: str) -> None:
    energies = {"C": 0.277, "O": 0.525, "Mg": 1.254, "Al": 1.487, "Si": 1.740, "S": 2.307}
    energies |= {"Ca": 3.691, "Ti": 4.509, "Fe": 6.40, "Cu": 8.04, "Mo": 17.44}
    found = lines_near(energies[element] + 0.004, BEAM_keV)
    assert found[0].marker.label == f"{element} Kα"
    assert found[0].distance_keV == pytest.approx(-0.004, abs=0.004)


def test_an_element_already_listed_comes_first_where_lines_coincide() -> None:
    assert lines_near(2.31, BEAM_keV)[0].marker.element == "S"
    assert lines_near(2.31, BEAM_keV, known=("Pb",))[0].marker.label == "Pb Mα"
    assert lines_near(5.947, BEAM_keV)[0].marker.label == "Mn Kα"
    assert lines_near(5.947, BEAM_keV, known=("Cr",))[0].marker.label == "Cr Kβ"


def test_candidates_lie_within_the_tolerance_and_the_best_comes_first() -> None:
    found = lines_near(5.8987, BEAM_keV)
    assert found
    assert max(abs(candidate.distance_keV) for candidate in found) <= 0.065
    scores = [candidate.score for candidate in found]
    assert scores == sorted(scores, reverse=True)
    wide = lines_near(5.8987, BEAM_keV, tolerance_keV=0.2)
    assert {c.marker.label for c in found} < {c.marker.label for c in wide}
    assert lines_near(400.0, BEAM_keV) == ()


def test_the_search_finds_what_going_through_every_element_finds() -> None:
    symbols = ("Be", "O", "Na", "Fe", "Gd", "Pt", "U", "Cf")
    every = markers(symbols, EnergyAxis(0.0, 0.01, 4096), BEAM_keV)
    for energy in (0.7, 1.05, 3.2, 6.4, 9.4):
        expected = {m.label for m in every if abs(m.energy_keV - energy) <= 0.1}
        found = lines_near(energy, BEAM_keV, tolerance_keV=0.1)
        assert {c.marker.label for c in found if c.marker.element in symbols} == expected


def test_the_nearest_line_is_named_only_where_one_is_near() -> None:
    shown = markers(("Si", "Fe"), AXIS, BEAM_keV)
    near = nearest_line(6.45, shown)
    assert near is not None
    assert near.label == "Fe Kα"
    assert nearest_line(4.0, shown) is None
    assert nearest_line(6.4, ()) is None
