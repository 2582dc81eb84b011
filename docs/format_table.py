"""What Endmember makes of a folder of files, as the table in `docs/formats.md`.

    .venv/bin/python docs/format_table.py ../shared/data/real

writes the table anew, between its two marks. A test holds it.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from endmember.files.reading.reader import UnreadableFile, describe

PAGE = Path(__file__).resolve().parent / "formats.md"
BEGIN, END = "<!-- table of real files -->", "<!-- end of the table -->"
HEAD = "| file | what is read | energies, keV | counts | pixel, nm | beam, keV | take-off, deg |"


def files_in(folder: Path) -> list[Path]:
    """The files of a folder, and folders that are one file (.zspy)."""
    found = []
    for path in sorted(folder.rglob("*")):
        within = path.relative_to(folder).parts[:-1]
        is_file = path.is_file() and path.name.lower() != "readme.md"
        if (is_file or path.suffix == ".zspy") and not any(p.endswith(".zspy") for p in within):
            found.append(path)
    return found


def row(path: Path, folder: Path) -> str:
    """One row of the table."""
    name = path.relative_to(folder).as_posix()
    try:
        found = describe(path)
        reason = found.warnings[0] if found.map is None and found.spectrum is None else ""
    except UnreadableFile as error:
        reason = str(error)
    if reason:
        said = reason.replace(f"{path}: ", "").replace(f"{folder}/", "").replace("|", "/")
        return f"| {name} | refused: {said} | | | | | |"
    taken = found.map or found.spectrum or {}
    return f"| {name} | {' | '.join(_cells(taken, found.map is not None))} |"


def _cells(taken: dict[str, Any], is_map: bool) -> list[str]:
    shape = taken["shape"]
    start, step = taken["energy_start_keV"], taken["energy_step_keV"]
    what = f"map {shape[1]} x {shape[0]} x {shape[2]}" if is_map else f"spectrum {shape[0]}"
    return [
        what,
        f"{start:.4g} to {start + step * (shape[-1] - 1):.4g}",
        f"{taken['total_counts']}",
        _known(taken.get("pixel_size_nm")),
        _known(taken["beam_energy_keV"]),
        _known(taken["take_off_angle_deg"]),
    ]


def _known(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"


def table(folder: Path) -> list[str]:
    """The lines of the table."""
    rule = "|---" * (HEAD.count("|") - 1) + "|"
    return [HEAD, rule, *(row(path, folder) for path in files_in(folder))]


def written_table() -> list[str]:
    """The lines as they stand in the page."""
    text = PAGE.read_text(encoding="utf-8")
    return text.partition(BEGIN)[2].partition(END)[0].strip().splitlines()


def main(folder: Path) -> None:
    """Write the table into the page."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    lines = "\n".join([BEGIN, *table(folder), END])
    PAGE.write_text(before + lines + after, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
