"""Names for keys that hold between two starts: by the program, the settings and the files read.

A key names a result as long as the program runs. Beyond that, two more things decide it: the
program itself, and the content of the files that the settings name.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from endmember.session.cache.program_digest import program_digest
from endmember.session.decisions.recipe import DetectorSettings, MapInput, Named, Quantification
from endmember.session.state.steptable import Key

MOST_NAMES = 2000
NOT_READ = ".toml"  # a recipe beside its map changes often, and no reader of maps opens it
NAMES_OTHER_FILES = ".asw"  # a list of files anywhere


class UnnamedError(ValueError):
    """Something that decides a result cannot be put into words."""


class KeyNames:
    """Names keys in the order in which their steps run. May be used by several threads.

    The name of a key holds the names of its inputs as they were when *those* were made or found,
    not as their files are today: a map that is overwritten while the program runs must not lend its
    new time stamp to results of the old one.
    """

    def __init__(self, program: Callable[[], str] = program_digest) -> None:
        self._program = program
        self._program_digest: str | None = None
        self._names: OrderedDict[Key, str] = OrderedDict()
        self._lock = threading.Lock()

    def name(self, key: Key) -> str:
        """The name of a result that is about to be made, with its files as they are now.

        Raises
        ------
        UnnamedError
            if an input has no name, or a setting is of a kind that is not known here.
        OSError, LookupError
            if the program's own files cannot be read.
        """
        with self._lock:
            if self._program_digest is None:
                self._program_digest = self._program()
            inputs = [self._known(needed) for needed in key.inputs]
            text = (self._program_digest, key.step, key.maps, inputs, canonical(key.settings))
            name = hashlib.sha256(repr(text).encode("utf-8", "surrogatepass")).hexdigest()
            self._names[key] = name
            self._names.move_to_end(key)
            while len(self._names) > MOST_NAMES:
                self._names.popitem(last=False)
            return name

    def _known(self, key: Key) -> str:
        if key not in self._names:
            raise UnnamedError(f"the input {key.step} was not made here")
        self._names.move_to_end(key)
        return self._names[key]


def canonical(value: object) -> str:
    """Settings as a text that is the same for the same settings; with the stamps of their files.

    Raises
    ------
    UnnamedError
        if there is a value of another kind than recipes have.
    """
    if value is None or type(value) in (bool, int, float, str):
        return repr(value)
    if type(value) is tuple:
        return f"({', '.join(map(canonical, value))})"
    if isinstance(value, Named):
        inside = ", ".join(f"{name!r}: {canonical(value[name])}" for name in sorted(value))
        return f"{type(value).__name__}{{{inside}}}"
    if isinstance(value, msgspec.Struct):
        fields = (f"{n}={canonical(getattr(value, n))}" for n in value.__struct_fields__)
        stamps = [stamp for file in _files_of(value) for stamp in file_stamps(file)]
        return f"{type(value).__name__}({', '.join(fields)}){stamps if stamps else ''}"
    raise UnnamedError(f"a setting is of the kind {type(value).__name__}")


def _files_of(part: msgspec.Struct) -> Iterator[Path]:
    """The files that a part of the recipe names."""
    if isinstance(part, MapInput):
        yield Path(part.file)
    elif isinstance(part, Quantification) and part.k_factors != "computed":
        yield Path(part.k_factors)
    elif isinstance(part, DetectorSettings) and part.curve is not None:
        yield Path(part.curve)


def file_stamps(file: Path) -> list[tuple[str, int, int]]:
    """Path, size and time of a file, and of those beside it that its reader may open.

    These are the files of the same stem (.raw beside .rpl, .ipr beside .spd), and the numbered .ser
    beside .emi.

    Raises
    ------
    UnnamedError
        if the file names others, that may lie anywhere, or is not there.
    """
    file = file.absolute()
    if file.suffix.lower() == NAMES_OTHER_FILES:
        raise UnnamedError(f"{file} names other files")
    try:
        there = sorted(path for path in file.parent.iterdir() if _belongs(path, file))
        return [_stamp(path) for path in [file, *there] if path == file or path.is_file()]
    except OSError as error:
        raise UnnamedError(f"{file} cannot be looked at ({error.strerror})") from error


def _belongs(path: Path, file: Path) -> bool:
    stem, own = path.stem.casefold(), file.stem.casefold()
    suffix = path.suffix.lower()
    if file.suffix.lower() == ".emi" and suffix == ".ser" and stem.startswith(f"{own}_"):
        return True
    return stem == own and suffix != NOT_READ and path.name != file.name


def _stamp(path: Path) -> tuple[str, int, int]:
    of = path.stat()
    return str(path), of.st_size, of.st_mtime_ns
