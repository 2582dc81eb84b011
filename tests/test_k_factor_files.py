"""Files of k-factors: four formats, what each says, and what is asked where one is silent."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from endmember.core.xrays.detector import Detector
from endmember.core.xrays.fit_columns import Column
from endmember.core.xrays.k_factors import (
    Basis,
    GivenFactor,
    GivenFactors,
    k_factor_table,
    sensitivity,
)
from endmember.core.xrays.lines import Definition, Family, atomic_mass, family_lines
from endmember.files.k_factors.factor_checks import Stated
from endmember.files.k_factors.k_factor_csv import write_plain_csv
from endmember.files.k_factors.k_factor_file import read_k_factors
from endmember.session.decisions.recipe import (
    DetectorSettings,
    FactorsByHand,
    Quantification,
    Sample,
    changed,
)
from endmember.session.decisions.recipe_file import parse_recipe
from endmember.session.results.results_folder import further_inputs
from endmember.session.steps.chain import method_of

BOTH = Stated("weight", "family")
SAMPLE = Sample(matrix="Brg", elements=("Mg", "Si", "Fe"))
FAMILIES: dict[str, Family] = {"O": "K", "Mg": "K", "Si": "K", "Fe": "K", "Nd": "L", "U": "M"}


def written(folder: Path, text: str | bytes, name: str = "k.csv") -> Path:
    path = folder / name
    path.write_bytes(text.encode("utf-8") if isinstance(text, str) else text)
    return path


def values(found: GivenFactors) -> dict[tuple[str, str], float]:
    assert found.of_file is not None
    return {place: factor.value for place, factor in found.of_file.items()}


def kinds(found: GivenFactors) -> set[tuple[str, str, bool]]:
    assert found.of_file is not None
    return {(f.basis, f.definition, f.detector_inside) for f in found.of_file.values()}


def refusal(path: Path, stated: Stated | None = None) -> str:
    with pytest.raises(ValueError, match=path.name) as refused:
        read_k_factors(path, stated)
    sentence = str(refused.value)
    assert "\n" not in sentence
    return sentence


# the format of this program


def test_a_plain_table_is_read_with_line_and_basis(tmp_path: Path) -> None:
    text = "\ufeffelement, line, k, basis\nMg, Ka, 1.02, weight\n\nU,Ma,3.3e0,atomic\nU,L,1,weight"
    found = read_k_factors(written(tmp_path, text))
    assert found.of_file == {
        ("Mg", "K"): GivenFactor("K", 1.02, "weight", "alpha"),
        ("U", "M"): GivenFactor("M", 3.3, "atomic", "alpha"),
        ("U", "L"): GivenFactor("L", 1.0, "weight", "family"),
    }
    assert (found.name, found.beam_energy_keV, found.warnings) == ("k.csv", None, ())


def test_further_columns_are_understood_or_passed_over(tmp_path: Path) -> None:
    text = (
        "note,k,element,line,basis,detector,beam_energy_keV\n"
        "ours,1.02,Mg,Ka,weight,none,300\nours,1,Si,Ka,weight,inside,300\n"
    )
    found = read_k_factors(written(tmp_path, text))
    assert found.of_file is not None
    assert {e: f.detector_inside for (e, _), f in found.of_file.items()} == {
        "Mg": False,
        "Si": True,
    }
    assert found.beam_energy_keV == 300


def test_a_table_without_basis_is_read_when_it_is_stated(tmp_path: Path) -> None:
    path = written(tmp_path, "element,line,k\nMg,Ka,1\n")
    told = refusal(path)
    assert 'k_factor_basis = "weight" or "atomic" under [quantification]' in told
    assert "--k-factor-basis" in told
    assert kinds(read_k_factors(path, Stated("atomic"))) == {("atomic", "alpha", True)}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "lack the column element"),
        ("element,k,basis\nMg,1,weight\n", "lack the column line"),
        ("element,line,k\nMg,Ka,1\n", "lack the column basis"),
        ("element,line,k,basis\nMg,Kb,1,weight\n", 'line 2: the line "Kb"'),
        ("element,line,k,basis\nO,La,1,weight\n", "line 2: O has no La line"),
        ("element,line,k,basis\nMg,Ka,1,mass\n", 'line 2: the basis "mass"'),
        ("element,line,k,basis\nMg,Ka,1\n", 'line 2: the basis ""'),
        ("element,line,k,basis\nMg,Ka,one,weight\n", 'line 2: the k-factor "one"'),
        ("element,line,k,basis\nMg,Ka,-1,weight\n", 'line 2: the k-factor "-1"'),
        ("element,line,k,basis\n\nMg,Ka,0,weight\n", 'line 3: the k-factor "0"'),
        ("element,line,k,basis\nMg,Ka,nan,weight\n", 'line 2: the k-factor "nan"'),
        ("element,line,k,basis\nMg,Ka,,weight\n", 'line 2: the k-factor ""'),
        ("element,line,k,basis\nMx,Ka,1,weight\n", 'line 2: "Mx" is not an element'),
        ("element,line,k,basis\n,Ka,1,weight\n", 'line 2: "" is not an element'),
        ("element,line,k,basis\nMg,Ka,1,weight\nMg,Ka,2,weight\n", "line 3: Mg Ka comes twice"),
        ("element,line,k,basis\nMg,Ka,1,weight\nMg,K,2,weight\n", "line 3: Mg Ka comes twice"),
        (
            "element,line,k,basis,detector\nMg,Ka,1,weight,yes\n",
            'line 2: the detector "yes" is neither inside nor none',
        ),
        (
            "element,line,k,basis,reference\nMg,Ka,1,weight,Si Ka\nFe,Ka,1,weight,Mg Ka\n",
            'line 3: the reference "Mg Ka" differs from "Si Ka"',
        ),
        (
            "element,line,k,basis,beam_energy_keV\nMg,Ka,1,weight,200\nFe,Ka,1,weight,80\n",
            "line 3: the beam_energy_keV",
        ),
        ('element,line,k,basis\nMg,"' + "x" * 140_000 + '",1,weight\n', "cannot be read"),
    ],
)
def test_a_plain_table_that_cannot_be_used_is_refused(tmp_path: Path, text: str, told: str) -> None:
    assert told in refusal(written(tmp_path, text))


def test_a_missing_or_binary_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"none\.csv: the k-factors cannot be read"):
        read_k_factors(tmp_path / "none.csv")
    with pytest.raises(ValueError, match="cannot be read"):
        read_k_factors(tmp_path)
    assert "cannot be read" in refusal(written(tmp_path, b"\xff\xfe\x00\x81", "binary.csv"))


@pytest.mark.parametrize(
    ("stated", "told"),
    [
        (Stated(basis="atomic"), 'k_factor_basis says "atomic": leave k_factor_basis out'),
        (Stated(definition="family"), 'k_factor_definition says "family": leave'),
    ],
)
def test_what_is_stated_must_not_contradict_the_file(
    tmp_path: Path, stated: Stated, told: str
) -> None:
    path = written(tmp_path, "element,line,k,basis\nMg,Ka,1,weight\n")
    assert told in refusal(path, stated)


@pytest.mark.parametrize("definition", ["alpha", "family"])
@pytest.mark.parametrize("basis", ["weight", "atomic"])
@pytest.mark.parametrize("detector", [Detector(), None], ids=["detector", "bare"])
def test_a_printed_table_comes_back_as_it_was(
    tmp_path: Path, definition: Definition, basis: Basis, detector: Detector | None
) -> None:
    made = k_factor_table(
        FAMILIES, ("Mg", "K"), 200.0, definition=definition, basis=basis, detector=detector
    )
    write_plain_csv(tmp_path / "k.csv", made)
    found = read_k_factors(tmp_path / "k.csv")
    assert values(found) == pytest.approx({(r.element, r.family): r.k for r in made.rows}, rel=1e-9)
    assert kinds(found) == {(basis, definition, detector is not None)}
    assert found.beam_energy_keV == 200


# Velox

VELOX = """\
Line identifier,Energy level,Intensity,Chi-Rho-Tau absorption,K-factor
-,eV,counts,-,-
B-Ka1,1.83300e+02,0.00000e+00,0.00000e+00,1.00000e+00
Si-Ka1,1.73970e+03,2.08039e+01,0.00000e+00,3.24726e-01
S-Ll,1.47110e+02,0.00000e+00,0.00000e+00,8.09971e+00
Fe-Ka1,6.40390e+03,8.53115e+02,0.00000e+00,4.32916e-01
Fe-Ka2,6.39090e+03,4.26557e+02,0.00000e+00,4.32916e-01
Fe-Kb1,7.05800e+03,1.74035e+02,0.00000e+00,4.32916e-01
Fe-La1,7.04500e+02,0.00000e+00,0.00000e+00,8.76707e-01
U-Ma1,3.17080e+03,0.00000e+00,0.00000e+00,2.76069e-01
U-Mz1,2.50000e+03,0.00000e+00,0.00000e+00,2.8e-01
Au-Na1,2.50000e+02,0.00000e+00,0.00000e+00,3.83686e+00
"""


@pytest.mark.parametrize("name", ["velox.csv", "velox.txt", "k.esl"])
def test_an_export_of_velox_is_known_by_its_content(tmp_path: Path, name: str) -> None:
    found = read_k_factors(written(tmp_path, VELOX, name), BOTH)
    assert values(found) == {
        ("B", "K"): 1.0,
        ("Si", "K"): 0.324726,
        ("Fe", "K"): 0.432916,
        ("Fe", "L"): 0.876707,
        ("U", "M"): 0.276069,
    }
    assert kinds(found) == {("weight", "family", True)}


def test_rows_of_whole_shells_are_read_from_velox_too(tmp_path: Path) -> None:
    text = "Element,K-factor\r\nFe-K,0.43\r\nU-M,0.27\r\nFe-La,0.9\r\n"
    found = read_k_factors(written(tmp_path, text), BOTH)
    assert values(found) == {("Fe", "K"): 0.43, ("U", "M"): 0.27, ("Fe", "L"): 0.9}


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("Fe-Ka1,", "Fe Ka1,", 'line 6: "Fe Ka1" is not an element and a line'),
        ("Fe-Ka1,", "Fe-Qa1,", 'line 6: "Fe-Qa1" is not an element and a line'),
        ("Fe-Ka1,", "Fx-Ka1,", 'line 6: "Fx" is not an element'),
        ("2.76069e-01", "much", 'line 10: the k-factor "much"'),
        ("2.76069e-01", "-2.7e-01", 'line 10: the k-factor "-2.7e-01"'),
        ("2.76069e-01", "0", 'line 10: the k-factor "0"'),
        ("Fe-Ka2,6.39090e+03,4.26557e+02,0.00000e+00,4.32916", "Fe-K,1,1,1,4.4", "Fe Ka comes"),
    ],
)
def test_an_export_of_velox_that_cannot_be_used_is_refused(
    tmp_path: Path, old: str, new: str, told: str
) -> None:
    assert VELOX.count(old) == 1
    assert told in refusal(written(tmp_path, VELOX.replace(old, new)), BOTH)


def test_an_export_of_velox_without_alpha_lines_is_refused(tmp_path: Path) -> None:
    assert "no row is of an alpha line" in refusal(
        written(tmp_path, "Line identifier,K-factor\nFe-Kb1,0.4\n"), BOTH
    )


# Bruker


def esl(**lists: str) -> str:
    """A library as it is known: numbers by atomic number from 0."""
    inside = "".join(f"<{name}>{numbers}</{name}>" for name, numbers in lists.items())
    return (
        '<?xml version="1.0" encoding="WINDOWS-1252" standalone="yes"?>\n'
        '<TRTStandardLibrary><ClassInstance Type="TRTStandardLibrary" Name="Bücher">'
        "<Header><PrimaryEnergy>200.0</PrimaryEnergy></Header>"
        f"<CliffLorimerFactors>{inside}</CliffLorimerFactors></ClassInstance></TRTStandardLibrary>"
    )


def by_number(factors: dict[int, str], length: int = 30) -> str:
    return ",".join(factors.get(number, "0") for number in range(length))


K_LIST = by_number({8: "1.684306", 14: "1.0", 26: "2.606972"})
L_LIST = by_number({26: "2.444223"}, 94)


@pytest.mark.parametrize("name", ["factors.esl", "factors.xml", "factors.csv"])
def test_a_library_of_esprit_is_known_by_its_content(tmp_path: Path, name: str) -> None:
    text = esl(K_Factors=K_LIST, L_Factors=L_LIST, M_Factors=by_number({92: "1.5"}, 93))
    found = read_k_factors(
        written(tmp_path, text.encode("cp1252"), name), Stated("weight", "alpha")
    )
    assert values(found) == {
        ("O", "K"): 1.684306,
        ("Si", "K"): 1.0,
        ("Fe", "K"): 2.606972,
        ("Fe", "L"): 2.444223,
        ("U", "M"): 1.5,
    }
    assert kinds(found) == {("weight", "alpha", True)}
    assert found.beam_energy_keV == 200


def test_names_and_places_in_a_library_may_differ(tmp_path: Path) -> None:
    text = f'<a xmlns="urn:x"><CLIFFLORIMERFACTORS KFactors="{K_LIST}"/></a>'
    found = read_k_factors(written(tmp_path, text), BOTH)
    assert values(found)["Fe", "K"] == 2.606972
    assert found.beam_energy_keV is None
    comma = ";".join(["0"] * 14 + ["1,25"])
    text = f"<a><CliffLorimerFactors><K-Factors>{comma}</K-Factors></CliffLorimerFactors></a>"
    assert values(read_k_factors(written(tmp_path, text), BOTH)) == {("Si", "K"): 1.25}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("<a><b></a>", "no valid XML"),
        ("<a><b/></a>", "holds no CliffLorimerFactors"),
        (esl(), "holds no CliffLorimerFactors with K_Factors"),
        (esl(K_Factors=K_LIST.replace("2.606972", "much")), 'K_Factors, Fe: the k-factor "much"'),
        (esl(L_Factors=L_LIST.replace("2.44", "-2.44")), 'L_Factors, Fe: the k-factor "-2.444223"'),
        (esl(K_Factors=K_LIST.replace("1.0", "")), 'K_Factors, Si: the k-factor ""'),
        (esl(K_Factors="1.0,2.0,3.0"), "number 1 of the list is 1.0, but entries are counted"),
        (esl(M_Factors=by_number({140: "1"}, 141)), "there is no such element"),
    ],
)
def test_a_library_that_cannot_be_used_is_refused(tmp_path: Path, text: str, told: str) -> None:
    assert told in refusal(written(tmp_path, text.encode("cp1252"), "f.esl"), BOTH)


@pytest.mark.parametrize(
    "text", [VELOX, esl(K_Factors=K_LIST).replace("ü", "u")], ids=["velox", "esprit"]
)
@pytest.mark.parametrize(
    ("stated", "key", "option"),
    [
        (Stated(), 'k_factor_basis = "weight" or "atomic"', "--k-factor-basis"),
        (Stated(basis="weight"), 'k_factor_definition = "alpha" or "family"', "--k-factor-def"),
        (Stated(definition="alpha"), 'k_factor_basis = "weight" or "atomic"', "--k-factor-basis"),
    ],
)
def test_what_a_vendor_leaves_open_is_asked_by_key_and_option(
    tmp_path: Path, text: str, stated: Stated, key: str, option: str
) -> None:
    told = refusal(written(tmp_path, text), stated)
    assert f"{key} under [quantification]" in told
    assert option in told


# line cross sections

# cross sections of espm's table for 200 keV (espm/tables/200keV_xrays.json), in cm2
ESPM = {
    "table": {
        "14": {
            "KL2": {"energy": 1.7394, "cs": 2.836852911761039e-23},
            "KL3": {"energy": 1.74, "cs": 5.636433812034059e-23},
            "KM3": {"energy": 1.8359, "cs": 1.5675145018325977e-24},
        },
        "26": {
            "KL2": {"energy": 6.3909, "cs": 3.205088747388646e-23},
            "KL3": {"energy": 6.4039, "cs": 6.276699353379618e-23},
            "KM3": {"energy": 7.058, "cs": 8.449671868010741e-24},
            "L3M4": {"energy": 0.7045, "cs": 7.977756593189625e-24},
            "L3M5": {"energy": 0.7045, "cs": 7.107763207247695e-23},
        },
    },
    "metadata": {"beam_energy": 200, "lines": True},
}


def weight_k(element: str, given: GivenFactors, detector: Detector) -> float:
    family = FAMILIES[element]
    column = Column(element, family, family_lines(element, family, 200.0), 1.0)
    return sensitivity(column, detector, None, {}, given, 200.0).weight_k


def test_cross_sections_of_espm_give_its_k_factors_with_our_masses_and_detector(
    tmp_path: Path,
) -> None:
    found = read_k_factors(written(tmp_path, json.dumps(ESPM), "k.json"))
    assert kinds(found) == {("atomic", "alpha", False)}
    assert set(values(found)) == {("Si", "K"), ("Fe", "K"), ("Fe", "L")}
    bare = atomic_mass("Fe") / atomic_mass("Si")
    bare *= (2.836852911761039 + 5.636433812034059) / (3.205088747388646 + 6.276699353379618)
    efficiency = {
        row.element: row.efficiency
        for row in k_factor_table(FAMILIES, ("Si", "K"), 200.0, detector=Detector()).rows
    }
    silicon, iron = efficiency["Si"], efficiency["Fe"]
    assert silicon is not None
    assert iron is not None
    detector = Detector()
    found_k = weight_k("Fe", found, detector) / weight_k("Si", found, detector)
    assert found_k == pytest.approx(bare * silicon / iron, rel=1e-9)


def test_the_wrong_sign_in_such_tables_is_told_with_its_size(tmp_path: Path) -> None:
    (told,) = read_k_factors(written(tmp_path, json.dumps(ESPM), "k.json")).warnings
    assert "wrong sign of the relativistic exponent" in told
    # k of Fe from the table, 1.777, against 1.7107 of the published table: 3.9 %
    assert "k of Fe relative to Si is +3.9 % off the computed one" in told
    assert 'prefer k_factors = "computed"' in told


def test_a_table_without_that_fault_is_not_blamed_for_it(tmp_path: Path) -> None:
    table = {
        e: {x.name: x.cross_section_cm2 for x in family_lines(e, "K", 200.0)} for e in ("Si", "Fe")
    }
    document = {**table, "metadata": {"beam_energy": 200}}
    (told,) = read_k_factors(written(tmp_path, json.dumps(document), "k.json")).warnings
    assert "does not have that fault" in told


def test_without_iron_silicon_or_beam_energy_the_warning_is_general(tmp_path: Path) -> None:
    only = {"table": {"Mg": {"Ka1": 2.0, "Ka2": 1.0}, "O": {"Ka": 1.0}}}
    found = read_k_factors(written(tmp_path, json.dumps(only), "k.json"))
    assert "about 4 % too high at 200 kV: prefer" in found.warnings[0]
    assert found.beam_energy_keV is None
    ratio = values(found)["O", "K"] / values(found)["Mg", "K"]
    assert ratio == pytest.approx(3.0, rel=1e-12)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "no valid JSON"),
        ("{}", "holds no cross sections of alpha lines"),
        ('{"table": [1]}', "holds no cross sections of alpha lines"),
        ('{"table": {"26": {"KM3": {"cs": 1e-24}}}}', "holds no cross sections of alpha lines"),
        ('{"table": {"200": {"KL3": {"cs": 1e-24}}}}', "no element with the atomic number 200"),
        ('{"table": {"Fx": {"KL3": {"cs": 1e-24}}}}', '"Fx" is not an element'),
        ('{"table": {"26": {"KL3": {"cs": "much"}}}}', 'Fe KL3: the k-factor "much"'),
        ('{"table": {"26": {"KL3": {"cs": 0}}}}', 'Fe KL3: the k-factor "0"'),
        ('{"table": {"26": {"KL3": {"cs": -1e-24}}}}', 'Fe KL3: the k-factor "-1e-24"'),
        ('{"table": {"26": {"KL3": {"energy": 6.4}}}}', 'Fe KL3: the k-factor "None"'),
        ('{"table": {"26": {"KL3": true}}}', 'Fe KL3: the k-factor "True"'),
    ],
)
def test_a_table_of_cross_sections_that_cannot_be_used_is_refused(
    tmp_path: Path, text: str, told: str
) -> None:
    assert told in refusal(written(tmp_path, text, "k.json"))


# in a recipe


def test_the_method_of_a_run_holds_file_hand_and_detector(tmp_path: Path) -> None:
    curve = written(tmp_path, "energy_keV,efficiency\n0.1,0.5\n20,0.9\n", "curve.csv")
    settings = Quantification(
        k_factors=str(written(tmp_path, VELOX)),
        k_factor_basis="weight",
        k_factor_definition="family",
        k_factor=FactorsByHand({"Fe": 2}),
    )
    method = method_of(SAMPLE, settings, DetectorSettings(curve=str(curve)))
    assert isinstance(method.given, GivenFactors)
    assert kinds(method.given) == {("weight", "family", True)}
    assert method.given.by_hand == {"Fe": 2.0}
    assert method.detector.curve is not None
    assert method.detector.curve.efficiency == (0.5, 0.9)
    by_hand = method_of(SAMPLE, changed(settings, k_factors="computed"), DetectorSettings())
    assert by_hand.given == GivenFactors(by_hand={"Fe": 2.0})
    assert by_hand.detector == Detector()
    layers = DetectorSettings(silicon_um=500, dead_layer_nm=10, aluminium_nm=0)
    assert method_of(SAMPLE, Quantification(), layers).detector == Detector(500.0, 10.0, 0.0)
    assert method_of(SAMPLE, Quantification(), layers).given is None


def test_the_account_of_a_run_names_the_files_that_decide_its_numbers(tmp_path: Path) -> None:
    text = (
        'format = "endmember-recipe-1"\n[[map]]\nfile = "a.bcf"\nname = "a"\n'
        '[decomposition]\ncomponents = 2\n[sample]\nmatrix = "A"\nelements = ["O"]\n'
    )
    recipe = parse_recipe(text, "r.toml")
    assert further_inputs(recipe) == {}
    k, curve = written(tmp_path, b"k"), written(tmp_path, b"curve", "c.csv")
    recipe = changed(
        recipe,
        quantification=changed(recipe.quantification, k_factors=str(k)),
        detector=DetectorSettings(curve=str(curve)),
    )
    assert further_inputs(recipe) == {
        "k_factors": {"file": "k.csv", "sha256": hashlib.sha256(b"k").hexdigest()},
        "detector_curve": {"file": "c.csv", "sha256": hashlib.sha256(b"curve").hexdigest()},
    }
