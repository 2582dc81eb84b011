"""Files that were damaged on the way: cut short, or with single bytes changed.

Whatever happens to them, this program goes on, within seconds, and a total is right, refused or
doubted. `docs/formats.md` lists the formats that cannot show a changed count.
"""

from __future__ import annotations

import random
import shutil
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from endmember.core.counts.spectrum import EnergyAxis, Spectrum
from endmember.core.simulation.simulated_map import simulate_map
from endmember.files.pictures.exporting import write_map_hspy, write_spectrum_msa
from endmember.files.reading import watch as reading_watch
from endmember.files.reading.reader import UnreadableFile, open_map, open_spectrum

FLIPS = 21  # in the header, and as many in the body
HEADER_BYTES = 2048
LONGEST_S = 25.0
UNSHOWN_SHARE = 0.05  # of all counts: the most that a changed byte may move unseen


class Kind(NamedTuple):
    """A file to damage, what belongs to it, what is opened, and whether it shows every change."""

    file: str
    beside: tuple[str, ...] = ()
    opened: str = ""
    single: bool = False
    shows_flips: bool = False


REAL = [
    Kind("bcf/test_TEM.bcf", shows_flips=True),
    Kind("hspy/core_shell.hspy", shows_flips=True),
    Kind("emd_velox/velox_emd_version11/Test SI 16x16 215 kx.emd", shows_flips=True),
    Kind("phenom/Elid2Version4.elid", shows_flips=True),
    Kind("edax_crop/spd_crop.spd", ("spd_crop.spc", "Live Map 2_Img.ipr")),
    Kind("ripple/4on3_full.raw", ("4on3_full.rpl",), "4on3_full.rpl"),
    Kind("jeol/JEOL_eds/64.pts"),
    Kind("jeol/JEOL_eds/spot.eds", single=True),
    Kind("msa/K412 unk.msa", single=True),
    Kind("tia/more_ser_then_emi_metadata_1.ser", single=True),
    Kind("edax/single_spect.spc", single=True),
    Kind("spx/bruker_nano.spx", single=True),
]
OWN = [
    Kind("map.hspy", shows_flips=True),
    Kind("map.raw", ("map.rpl",), "map.rpl"),
    Kind("spectrum.msa", single=True),
]


def variants(data: bytes) -> list[tuple[str, bytes]]:
    """Cuts at every tenth, and changed bytes in header and body, always the same ones."""
    rng = random.Random(6)
    head = min(HEADER_BYTES, len(data) // 10)
    made = [(f"cut to {tenth} tenths", data[: len(data) * tenth // 10]) for tenth in range(1, 10)]
    for number in range(2 * FLIPS):
        place = rng.randrange(head) if number < FLIPS else rng.randrange(head, len(data))
        changed = bytearray(data)
        changed[place] ^= rng.randrange(1, 256)
        made.append((f"changed at {place}", bytes(changed)))
    return made


def total_of(path: Path, single: bool) -> tuple[float, set[str]]:
    if single:
        read = open_spectrum(path)
        return float(read.spectrum.counts.sum()), set(read.warnings)
    found = open_map(path)
    return float(found.image.total), set(found.warnings)


def damage(folder: Path, kind: Kind, source: Path) -> dict[str, tuple[float, float]]:
    """The variants that were read without any doubt: their totals, and the right one."""
    for name in kind.beside:
        shutil.copyfile(source.parent / name, folder / name)
    path, data = folder / source.name, source.read_bytes()
    opened = folder / kind.opened if kind.opened else path
    path.write_bytes(data)
    right, known = total_of(opened, kind.single)
    undoubted: dict[str, tuple[float, float]] = {}
    refused: dict[str, str] = {}
    for label, content in variants(data):
        path.write_bytes(content)
        try:
            total, said = total_of(opened, kind.single)
        except UnreadableFile as error:
            refused[label] = str(error)
        else:
            if not said - known:
                undoubted[label] = total, right
    for label, sentence in refused.items():
        assert str(folder) in sentence, label
        assert "sign of life" not in sentence, label
        assert "\n" not in sentence, label
    return undoubted


def check(folder: Path, kind: Kind, source: Path) -> None:
    for label, (total, right) in damage(folder, kind, source).items():
        if kind.shows_flips or label.startswith("cut"):
            assert total == right, label
        else:
            assert abs(total - right) <= UNSHOWN_SHARE * right, label


@pytest.fixture(autouse=True)
def silence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(reading_watch.SILENCE_VARIABLE, str(LONGEST_S))


def test_500_variants_of_eight_formats_are_made() -> None:
    of_each = len(variants(bytes(100_000)))
    assert of_each * len(REAL) >= 500
    assert len({Path(kind.file).suffix for kind in REAL}) >= 8


@pytest.mark.parametrize("kind", REAL, ids=lambda kind: Path(kind.file).suffix)
def test_a_damaged_real_file_is_read_right_refused_or_doubted(
    shared: Path, tmp_path: Path, kind: Kind
) -> None:
    check(tmp_path, kind, shared / "data" / "real" / kind.file)


@pytest.fixture
def own_files(tmp_path: Path) -> Path:
    """A map as .hspy and as .rpl with .raw, and a spectrum as .msa."""
    folder = tmp_path / "own"
    folder.mkdir()
    image = simulate_map(size=16)[0]
    write_map_hspy(folder / "map.hspy", image, "a test")
    cube = np.zeros(image.shape, "<u2").reshape(-1, image.axis.channels)
    pixels = np.repeat(np.arange(len(cube)), np.diff(image.starts))
    cube[pixels, image.channels] = image.counts
    (folder / "map.raw").write_bytes(cube.tobytes())
    sizes = {"width": 16, "height": 16, "depth": image.axis.channels, "offset": 0}
    facts = {"data-length": 2, "data-type": "unsigned", "byte-order": "little-endian"}
    lines = [f"{key}\t{value}" for key, value in (sizes | facts | {"record-by": "vector"}).items()]
    (folder / "map.rpl").write_text("key\tvalue\n" + "\n".join(lines) + "\n", encoding="ascii")
    whole = image.spectrum()
    single = Spectrum(whole.counts, EnergyAxis(0.005, 0.01, len(whole.counts)), 200.0, 22.0)
    write_spectrum_msa(folder / "spectrum.msa", single, "Brg")
    return folder


@pytest.mark.parametrize("kind", OWN, ids=lambda kind: Path(kind.file).suffix)
def test_a_damaged_own_file_is_read_right_refused_or_doubted(
    own_files: Path, tmp_path: Path, kind: Kind
) -> None:
    check(tmp_path, kind, own_files / kind.file)
