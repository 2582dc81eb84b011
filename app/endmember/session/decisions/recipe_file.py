"""Recipes from and to TOML, with one sentence for whatever is wrong in a file."""

from __future__ import annotations

import difflib
import math
import os
import re
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

import msgspec
import tomli_w

from endmember.files.disk.faults import ordinary_file
from endmember.session.decisions import recipe_rules
from endmember.session.decisions.recipe import (
    Box,
    Contents,
    Densities,
    FactorsByHand,
    FormulaBases,
    Frame,
    Limits,
    Named,
    Number,
    Points,
    Recipe,
    Valences,
    changed,
)

_HEADED_LISTS = (
    "map",
    "roi",
    "exclude",
    "precipitate",
    "rectangle",
    "stroke",
    "component",
    "window",
)
_IN_ONE_LINE = (
    "density_g_cm3",
    "formula_unit",
    "bulk",
    "bulk_sigma",
    "lod_ppm",
    "relative_error_percent",
)
_BARE = re.compile(r"[\w-]+")  # a key that needs no quotes, nearly as in TOML
_TEXTS = re.compile(  # what TOML takes for texts and comments
    r'"""(?:[^\\]|\\.)*?"""|'
    r"'''.*?'''|"
    r'"(?:[^"\\\n]|\\.)*"|'
    r"'[^'\n]*'|#[^\n]*",
    re.DOTALL,
)
_BETWEEN_KEYS = re.compile(r"[\n=,\[\]{}]")
_DEEPEST = 20
_LONGEST_SHOWN = 60
_ENDLESS = re.compile(r"\S{150,}")
_LARGEST = 2**53  # beyond it not every whole number is one for the machine


class RecipeError(ValueError):
    """A recipe cannot be used; the message names file and key, what is wrong and what to do."""


_EXPECTED: dict[Any, str] = {
    str: "a text in quotes",
    bool: "true or false",
    int: "a whole number",
    Number: "a number",
    Box: "four whole numbers [x, y, width, height]",
    Frame: "four numbers [x, y, width, height]",
    Points: "a list of points [[x, y], [x, y], ...]",
    tuple[Number, Number]: "two numbers [low, high]",
    tuple[int, int]: "two whole numbers [first, last]",
    tuple[int, ...]: "a list of whole numbers, as in [0, 1]",
    tuple[str, ...]: 'a list of texts, as in ["O", "Fe"]',
    Densities: "a table of one number per phase, as in { Brg = 4.1 }",
    Contents: "a table of one number per element, as in { Mg = 17.8 }",
    Limits: "a table of one number per element, as in { Sm = 50 }",
    FormulaBases: 'a table of one text per phase, as in { Brg = "3 O" }',
    FactorsByHand: "a table of one number per element, as in Fe = 1.62",
    Valences: "a table of one number per element, as in Fe = 3",
}

_REMEDIES = {
    "format": 'write format = "endmember-recipe-1"',
    "map": "add a [[map]] table with file and name",
    "decomposition": "add a [decomposition] table with components, as in components = 3",
    "components": "state how many components to find, as in components = 3",
    "sample": "add a [sample] table with matrix and elements",
    "matrix": 'name the matrix phase, as in matrix = "Brg"',
    "elements": 'list the elements to quantify, as in elements = ["O", "Mg", "Si"]',
    "absent": "name an element that the matrix holds and this precipitate does not",
    "number": "say which component is meant, counted from 0, as in number = 1",
    "range_keV": "give its two ends, as in range_keV = [6.2, 6.6]",
}


def load_recipe(path: str | Path, *, unfinished: bool = False) -> Recipe:
    """Read a recipe file; with `unfinished`, decisions may be missing, as `check_recipe` says.

    Raises
    ------
    RecipeError
        if the file cannot be read or used.
    """
    try:
        text = ordinary_file(path).read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise RecipeError(
            f"{path}: this is no recipe, or not in UTF-8; give a recipe (a .toml file), or open a "
            "map by `endmember FILE`"
        ) from None
    except FileNotFoundError:
        raise RecipeError(f"{path}: there is no such recipe file; check its name") from None
    except OSError as error:
        reason = error.strerror or error
        raise RecipeError(f"{path}: the recipe cannot be read ({reason}); check the file") from None
    return parse_recipe(text, str(path), unfinished=unfinished)


def parse_recipe(text: str, where: str, *, unfinished: bool = False) -> Recipe:
    """The recipe written in `text`; `where` names its origin in messages.

    With `unfinished`, decisions may be missing, as `check_recipe` says.

    Raises
    ------
    RecipeError
        if the text is no TOML or no usable recipe.
    """
    _check_depth(text, where)
    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        says = "nested too deeply" if isinstance(error, RecursionError) else error
        remedy = "correct that line"
        if "\\" in str(says) or "hex value" in str(says):
            remedy = "write paths with / or in single quotes, as in 'C:\\maps\\a.emd'"
        raise RecipeError(f"{where}: this is not valid TOML: {says}; {remedy}") from None
    _check_table(document, Recipe, (), document, where)
    recipe = msgspec.convert(document, Recipe, dec_hook=_decode)
    check_recipe(recipe, where, unfinished=unfinished)
    return recipe


def _check_depth(text: str, where: str) -> None:
    """Refuse keys such as a.a.a.a without end: parsing takes their square in time and memory."""
    for part in _BETWEEN_KEYS.split(_TEXTS.sub("", text)):
        if part.count(".") > _DEEPEST:
            raise RecipeError(
                f"{where}: this is not valid TOML: nested too deeply; correct the line with "
                f"{part.strip()[:20]}..."
            )


def check_recipe(recipe: Recipe, where: str, *, unfinished: bool = False) -> None:
    """Raise RecipeError for the first thing wrong with a recipe, however it was made.

    With `unfinished`, no element and no absent element need be chosen yet.
    """
    for problem in recipe_rules.problems(recipe):
        if not (unfinished and problem.unfinished):
            raise _error(problem.path, problem.says, _document(recipe), where)


def dump_recipe(
    recipe: Recipe, folder: str | Path | None = None, base: str | Path | None = None
) -> str:
    """The recipe as TOML, every default written out.

    With `folder`, where the text is to be saved, files are named relative to it (absolute where
    that is impossible, as on another drive). `base` is the folder they are relative to now;
    without it they must be absolute, as `anchored` leaves them.
    """
    if folder is not None:
        source = Path(base) if base is not None else Path()
        recipe = with_files(recipe, lambda file: _relative(source / file, Path(folder)))
    return _toml(_document(recipe))


def anchored(recipe: Recipe, folder: str | Path) -> Recipe:
    """The recipe with its files, relative to `folder`, made absolute.

    The results of a step then depend on the recipe alone, not on where it was opened.
    """
    base = Path(folder).resolve()
    # a file saved elsewhere and opened again has its old name: "../" is followed, a link is kept
    return with_files(recipe, lambda file: str((base / file).parent.resolve() / Path(file).name))


def with_files(recipe: Recipe, place: Callable[[str], str]) -> Recipe:
    """The recipe with each of its files, of maps and beside them, where `place` puts it."""
    maps = tuple(changed(entry, file=place(entry.file)) for entry in recipe.maps)
    quantification = recipe.quantification
    if quantification.k_factors != "computed":
        quantification = changed(quantification, k_factors=place(quantification.k_factors))
    detector = recipe.detector
    if detector.curve is not None:
        detector = changed(detector, curve=place(detector.curve))
    return changed(recipe, maps=maps, quantification=quantification, detector=detector)


def _error(path: recipe_rules.Path, says: str, document: Any, where: str) -> RecipeError:
    key = ""
    names = []
    for part in path:
        if isinstance(part, int):
            key += f"[{part}]"
        else:
            shown = part if _BARE.fullmatch(part) else f'"{part[:_LONGEST_SHOWN]}"'
            key += f".{shown}" if key else shown
        try:
            document = document[part]
        except (LookupError, TypeError):
            document = None
        if isinstance(document, dict) and isinstance(name := document.get("name"), str) and name:
            names.append(f'"{name}"')
    if names and path[-1] != "name":
        key += f" ({', '.join(names)})"
    says = _ENDLESS.sub(lambda found: f"{found.group()[:_LONGEST_SHOWN]}...", says)
    sentence = f"{where}: {key} {says}"
    return RecipeError(
        "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in sentence)
    )


def _check_table(
    table: dict[str, Any],
    kind: type[msgspec.Struct],
    path: recipe_rules.Path,
    document: Any,
    where: str,
) -> None:
    """Raise for the first key of `table` that is unknown, missing or of the wrong type."""
    fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    for key in table:
        if key not in fields:
            raise _error((*path, key), f"is no known key; {_nearest(key, fields)}", document, where)
    for key, field in fields.items():
        if key in table:
            _check_value(table[key], field.type, (*path, key), document, where)
        elif field.required:
            remedy = _REMEDIES.get(key, f'add {key} = "..."')
            raise _error((*path, key), f"is missing; {remedy}", document, where)


def _check_value(value: Any, kind: Any, path: recipe_rules.Path, document: Any, where: str) -> None:
    many: Any = get_args(kind)[0] if get_origin(kind) is tuple else None
    if _is_table(kind):
        if not isinstance(value, dict):
            raise _error(path, f"must be a table; write it as [{path[-1]}]", document, where)
        _check_table(value, kind, path, document, where)
    elif _is_table(many):
        if not (isinstance(value, list) and all(isinstance(item, dict) for item in value)):
            says = f"must be a list of tables; write each as [[{_headed(path)}]]"
            raise _error(path, says, document, where)
        for index, item in enumerate(value):
            _check_table(item, many, (*path, index), document, where)
    elif not _converts(value, kind):
        says = f"must be {_expected(kind)}, not {_shown(value)}"
        raise _error(path, f"{says}; correct it", document, where)


def _headed(path: recipe_rules.Path) -> str:
    """The path as in a TOML heading, where lists carry no index."""
    return ".".join(part for part in path if isinstance(part, str))


def _is_table(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def _converts(value: Any, kind: Any) -> bool:
    try:
        msgspec.convert(value, kind, dec_hook=_decode)
    except msgspec.ValidationError:
        return False
    return _all_usable(value)


def _all_usable(value: Any) -> bool:
    """Whether all numbers in a value are finite, and of a size that a machine can work with."""
    if isinstance(value, list):
        return all(map(_all_usable, value))
    if isinstance(value, dict):  # a rule names which of its numbers is not finite
        return all(_all_usable(v) or v != v or abs(v) == math.inf for v in value.values())
    return not isinstance(value, int | float) or (math.isfinite(value) and abs(value) <= _LARGEST)


def _decode(kind: type, value: Any) -> Any:
    """Build the types of a recipe that msgspec does not know."""
    if not issubclass(kind, Named):
        raise NotImplementedError(f"a recipe holds no {kind}")
    held: Any = str if kind is FormulaBases else int | float
    return kind(msgspec.convert(value, dict[str, held]))


def _expected(kind: Any) -> str:
    if get_origin(kind) in (Union, UnionType) and kind not in _EXPECTED:
        kind = Union[tuple(k for k in get_args(kind) if k is not type(None))]  # noqa: UP007
    if get_origin(kind) is Literal:
        return " or ".join(f'"{choice}"' for choice in get_args(kind))
    return _EXPECTED[kind]


def _shown(value: Any) -> str:
    """The value as TOML writes it, cut where it is long."""
    text = str(value).lower() if isinstance(value, bool) else repr(value)
    if isinstance(value, str):
        text = f'"{value}"'
    return text if len(text) <= 60 else f"{text[:57]}..."


def _nearest(key: str, known: Mapping[str, object]) -> str:
    folded = {name.lower(): name for name in known}
    best = difflib.get_close_matches(key.lower(), folded, n=1, cutoff=0.0)[0]
    return f'the nearest known one is "{folded[best]}"'


def _relative(file: Path, folder: Path) -> str:
    # Folders are resolved first: ".." after a symbolic link leads elsewhere. The file itself is
    # not, so that a linked file keeps the name it was given.
    file = file.parent.resolve() / file.name
    try:
        return Path(os.path.relpath(file, folder.resolve())).as_posix()
    except ValueError:  # another drive
        return file.as_posix()


def _document(recipe: Recipe) -> dict[str, Any]:
    """The recipe as plain tables and lists, without the keys that have no value."""
    plain: dict[str, Any] = _without_none(msgspec.to_builtins(recipe, enc_hook=dict))
    return plain


def _without_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_none(item) for key, item in value.items() if item is not None}
    if isinstance(value, list | tuple):
        return [_without_none(item) for item in value]
    return value


def _toml(document: dict[str, Any]) -> str:
    # tomli_w alone would write each number of a box and of a polygon on its own line.
    return "\n".join(_lines(document, "")).lstrip("\n") + "\n"


def _lines(table: dict[str, Any], heading: str) -> list[str]:
    plain = {k: v for k, v in table.items() if not _is_headed(k, v)}
    lines = [f"{key} = {_value(value)}" for key, value in sorted(plain.items(), key=_texts_first)]
    for key, value in table.items():
        path = f"{heading}.{key}" if heading else key
        if key in plain:
            continue
        if isinstance(value, dict):
            lines += ["", f"[{path}]", *_lines(value, path)]
        for item in value if isinstance(value, list) else ():
            lines += ["", f"[[{path}]]", *_lines(item, path)]
    return lines


def _is_headed(key: str, value: Any) -> bool:
    """Whether a value is written under a heading of its own, and not on one line."""
    if isinstance(value, dict):
        return key not in _IN_ONE_LINE
    return (
        isinstance(value, list)
        and (not value or isinstance(value[0], dict))
        and key in _HEADED_LISTS
    )


def _texts_first(item: tuple[str, Any]) -> bool:
    return not isinstance(item[1], str)


def _value(value: Any) -> str:
    if type(value) is int:  # most of a stroke, which is written after every change
        return str(value)
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, dict):
        inside = ", ".join(tomli_w.dumps({key: item}).strip() for key, item in value.items())
        return f"{{ {inside} }}" if inside else "{}"
    return tomli_w.dumps({"k": value}).strip().removeprefix("k = ")
