"""What an installed program brings along: icon, desktop entry, file types, compiled code."""

from __future__ import annotations

import configparser
import importlib.resources
import importlib.util
import os
import shutil
from pathlib import Path
from types import ModuleType
from xml.etree import ElementTree

import numpy as np
import pytest
from PyQt6.QtGui import QImage, QImageReader

from endmember import compiled_code

SIZES = (16, 22, 24, 32, 48, 64, 128, 256, 512)
MIME = "{http://www.freedesktop.org/standards/shared-mime-info}"


@pytest.fixture(scope="module")
def icons() -> Path:
    return Path(str(importlib.resources.files("endmember_resources"))) / "icons"


@pytest.fixture(scope="module")
def make_icons(repository: Path) -> ModuleType:
    path = repository / "packaging" / "make_icons.py"
    spec = importlib.util.spec_from_file_location("endmember_make_icons", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def pixels(image: QImage) -> np.ndarray:
    image = image.convertToFormat(QImage.Format.Format_ARGB32)
    bits = image.constBits()
    assert bits is not None
    flat = np.frombuffer(bits.asstring(image.sizeInBytes()), np.uint8)
    return flat.reshape(image.height(), image.width(), 4).astype(int)


@pytest.mark.parametrize("size", SIZES)
def test_every_png_is_what_the_drawing_gives(
    icons: Path, make_icons: ModuleType, size: int
) -> None:
    stored = pixels(QImage(str(icons / f"endmember-{size}.png")))
    assert stored.shape == (size, size, 4)
    # two versions of Qt may differ in the smoothing of an edge
    assert np.abs(stored - pixels(make_icons.drawn(size))).mean() < 2


@pytest.mark.parametrize("size", SIZES)
def test_the_icon_is_transparent_at_its_corner_and_full_of_contrast(icons: Path, size: int) -> None:
    image = pixels(QImage(str(icons / f"endmember-{size}.png")))
    assert image[0, 0, 3] < 128
    opaque = image[image[..., 3] == 255][:, :3]
    for blue_green_red in ((0x00, 0x9F, 0xE6), (0xE9, 0xB4, 0x56), (255, 255, 255)):
        distance = np.abs(opaque - np.array(blue_green_red)).max(axis=1)
        assert (distance < 48).sum() >= size * size // 40, blue_green_red


@pytest.mark.parametrize(
    ("kind", "sizes"),
    [("ico", {16, 24, 32, 48, 64, 128, 256}), ("icns", {16, 32, 64, 128, 256, 512})],
)
def test_windows_and_macos_icons_hold_their_sizes(icons: Path, kind: str, sizes: set[int]) -> None:
    reader = QImageReader(str(icons / f"endmember.{kind}"))
    found = set()
    for number in range(reader.imageCount()):
        assert reader.jumpToImage(number)
        image = reader.read()
        png = QImage(str(icons / f"endmember-{image.width()}.png"))
        np.testing.assert_array_equal(pixels(image), pixels(png))
        found.add(image.width())
    assert found == sizes


def test_the_entry_opens_the_types_that_are_declared(repository: Path) -> None:
    entry = configparser.ConfigParser(interpolation=None)
    entry.optionxform = str
    entry.read(repository / "packaging" / "endmember.desktop", encoding="utf-8")
    section = entry["Desktop Entry"]
    assert section["Exec"] == "endmember %F"
    assert section["Icon"] == "endmember"
    types = ElementTree.parse(repository / "packaging" / "endmember-mime.xml").getroot()
    declared = {t.get("type") for t in types.findall(f"{MIME}mime-type")}
    assert set(section["MimeType"].strip(";").split(";")) == declared


def test_every_declared_type_has_a_reader(repository: Path) -> None:
    from rsciio import IO_PLUGINS

    readable = {e.lower() for plugin in IO_PLUGINS for e in plugin["file_extensions"]}
    types = ElementTree.parse(repository / "packaging" / "endmember-mime.xml").getroot()
    patterns = [glob.get("pattern", "") for glob in types.iter(f"{MIME}glob")]
    assert len(patterns) == 5
    assert {pattern.removeprefix("*.") for pattern in patterns} <= readable


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's cache folder, and numba told nothing of it yet."""
    monkeypatch.delenv(compiled_code.VARIABLE, raising=False)
    monkeypatch.setattr("platformdirs.user_cache_path", lambda *_, **__: tmp_path / "cache")
    # whatever is set by the code under test is taken back with it
    monkeypatch.setattr("os.environ", dict(os.environ))
    return tmp_path / "cache"


def test_beside_writable_modules_numba_keeps_its_compiled_code_itself(cache: Path) -> None:
    compiled_code.choose_folder()
    assert compiled_code.VARIABLE not in os.environ
    assert not cache.exists()


def test_a_frozen_program_keeps_compiled_code_for_the_user(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.frozen", True, raising=False)
    compiled_code.choose_folder()
    assert os.environ[compiled_code.VARIABLE] == str(cache / "compiled")
    assert (cache / "compiled").is_dir()


def test_modules_that_cannot_be_written_beside_keep_it_there_too(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = Path(compiled_code.__file__).parent
    monkeypatch.setattr("os.access", lambda path, _: Path(path) != package)
    compiled_code.choose_folder()
    assert os.environ[compiled_code.VARIABLE] == str(cache / "compiled")


def test_a_folder_that_the_user_names_is_taken(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.frozen", True, raising=False)
    os.environ[compiled_code.VARIABLE] = "mine"
    compiled_code.choose_folder()
    assert os.environ[compiled_code.VARIABLE] == "mine"
    assert not cache.exists()


def test_without_a_cache_folder_compiled_code_lasts_as_long_as_the_process(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache.write_text("a file where the folder should be")
    monkeypatch.setattr("sys.frozen", True, raising=False)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    leaving: list[tuple[object, ...]] = []
    monkeypatch.setattr("atexit.register", lambda *call, **_: leaving.append(call))
    compiled_code.choose_folder()
    folder = Path(os.environ[compiled_code.VARIABLE])
    assert folder.is_dir()
    assert folder.parent == tmp_path
    assert leaving == [(shutil.rmtree, folder)]
