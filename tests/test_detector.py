"""The detector: its layers in closed form, and its curve from a file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xraylib

from endmember.core.xrays.detector import Detector, DetectorCurve
from endmember.core.xrays.k_factors import k_factor_table
from endmember.core.xrays.lines import Family
from endmember.files.k_factors.detector_curve import read_detector_curve

FAMILIES: dict[str, Family] = {"O": "K", "Mg": "K", "Fe": "K", "Nd": "L", "U": "M"}
BEAM_keV = 200.0


def curve_file(folder: Path, text: str) -> Path:
    path = folder / "curve.csv"
    path.write_bytes(text.encode("utf-8"))
    return path


def layer_curve() -> tuple[list[float], list[float]]:
    """exp(-mu rho t) of 250 nm of aluminium, from xraylib directly, every 2 eV."""
    energies = np.arange(0.1, 20.5, 0.002).tolist()
    path_g_cm2 = 2.70 * 250e-7
    return energies, [float(np.exp(-xraylib.CS_Total(13, e) * path_g_cm2)) for e in energies]


def test_a_layer_counts_the_share_that_the_law_of_absorption_lets_through() -> None:
    energies = np.array([0.525, 1.74, 6.4])
    thick = Detector(silicon_um=450, dead_layer_nm=0, aluminium_nm=250).efficiency(energies)
    for energy, found in zip(energies.tolist(), thick.tolist(), strict=True):
        through = np.exp(-xraylib.CS_Total(13, energy) * 2.70 * 250e-7)
        stopped = 1 - np.exp(-xraylib.CS_Total(14, energy) * 2.33 * 450e-4)
        assert found == pytest.approx(through * stopped, rel=1e-12)


def test_a_curve_of_one_layer_gives_the_k_factors_of_that_layer(tmp_path: Path) -> None:
    rows = "".join(f"{e:.3f},{v:.12g}\n" for e, v in zip(*layer_curve(), strict=True))
    curve = read_detector_curve(curve_file(tmp_path, f"energy_keV,efficiency\n{rows}"))
    # a silicon so thick that it stops every X-ray asked about leaves the aluminium alone
    layer = Detector(silicon_um=1e5, dead_layer_nm=0, aluminium_nm=250)
    by_curve, by_layer = (
        k_factor_table(FAMILIES, ("Si", "K"), BEAM_keV, detector=detector)
        for detector in (Detector(curve=curve), layer)
    )
    for one, other in zip(by_curve.rows, by_layer.rows, strict=True):
        assert one.k == pytest.approx(other.k, rel=1e-5), one.element
    bare = k_factor_table(FAMILIES, ("Si", "K"), BEAM_keV)
    assert by_curve.rows[0].k > 1.1 * bare.rows[0].k, "the layer takes more of O than of Si"


def test_a_curve_runs_straight_between_its_points_and_holds_its_ends_a_little() -> None:
    curve = DetectorCurve("c.csv", (1.0, 2.0, 10.0), (0.5, 0.9, 0.1))
    wanted = np.array([0.95, 1.0, 1.25, 6.0, 10.05])
    found = Detector(curve=curve).efficiency(wanted)
    np.testing.assert_allclose(found, [0.5, 0.5, 0.6, 0.5, 0.1], rtol=1e-14)


@pytest.mark.parametrize("energy", [0.85, 10.2])
def test_outside_its_range_a_curve_is_not_continued(energy: float) -> None:
    curve = DetectorCurve("c.csv", (1.0, 10.0), (0.5, 0.9))
    with pytest.raises(ValueError, match=r"c\.csv: the detector curve covers 1 to 10 keV, but"):
        Detector(curve=curve).efficiency(np.array([5.0, energy]))


def test_comments_further_columns_and_another_order_of_columns_are_read(tmp_path: Path) -> None:
    text = "\ufeff# of our detector\nerror, efficiency, energy_keV\n\n1,0.5,0.2\n1,0.75,2e1\n"
    curve = read_detector_curve(curve_file(tmp_path, text))
    assert (curve.energies_keV, curve.efficiency) == ((0.2, 20.0), (0.5, 0.75))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "lacks the column energy_keV"),
        ("energy_keV;efficiency\n1;0.5\n", "lacks the column energy_keV"),
        ("energy_keV,eff\n1,0.5\n", "lacks the column efficiency"),
        ("energy_keV,efficiency\n", "needs two points"),
        ("energy_keV,efficiency\n1,0.5\n", "needs two points"),
        ("energy_keV,efficiency\n1,half\n2,0.5\n", 'line 2: the efficiency "half"'),
        ("energy_keV,efficiency\n1\n2,0.5\n", 'line 2: the efficiency ""'),
        ("energy_keV,efficiency\n1,nan\n2,0.5\n", 'line 2: the efficiency "nan"'),
        ("energy_keV,efficiency\n1,0.5\n# x\nlow,0.5\n", 'line 4: the energy_keV "low"'),
        ("energy_keV,efficiency\n1,0.5\n1,0.6\n", "line 3: the energy 1 keV follows 1 keV"),
        ("energy_keV,efficiency\n2,0.5\n1,0.6\n", "line 3: the energy 1 keV follows 2 keV"),
        ("energy_keV,efficiency\n-1,0.5\n1,0.6\n", "line 2: the energy -1 keV"),
        ("energy_keV,efficiency\n100,0.5\n1000,0.6\n", "in keV, not in eV"),
        ("energy_keV,efficiency\n1,50\n2,60\n", "line 2: the efficiency 50"),
        ("energy_keV,efficiency\n1,0.5\n2,-0.1\n", "line 3: the efficiency -0.1"),
        ("energy_keV,efficiency\n1,0\n2,0.5\n", "leave out energies at which nothing is counted"),
    ],
)
def test_a_curve_that_cannot_be_used_is_refused_in_one_sentence(
    tmp_path: Path, text: str, told: str
) -> None:
    path = curve_file(tmp_path, text)
    with pytest.raises(ValueError, match=r"curve\.csv") as refusal:
        read_detector_curve(path)
    assert told in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_missing_or_binary_curve_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"none\.csv: the detector curve cannot be read"):
        read_detector_curve(tmp_path / "none.csv")
    path = tmp_path / "binary.csv"
    path.write_bytes(b"\xff\xfe\x00\x81")
    with pytest.raises(ValueError, match="cannot be read"):
        read_detector_curve(path)


@pytest.mark.parametrize(
    ("energies", "efficiency", "told"),
    [
        ((1.0, 2.0), (0.5,), "two points"),
        ((1.0, float("nan")), (0.5, 0.5), "no number"),
        ((2.0, 1.0), (0.5, 0.5), "do not rise"),
        ((1.0, 2.0), (0.5, 1.5), "does not lie above 0 and up to 1"),
    ],
)
def test_an_impossible_curve_is_not_made(
    energies: tuple[float, ...], efficiency: tuple[float, ...], told: str
) -> None:
    with pytest.raises(ValueError, match=told):
        DetectorCurve("c.csv", energies, efficiency)
