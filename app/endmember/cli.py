"""The command line: the window, and what can be done without one."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import traceback
from collections.abc import Container, Sequence
from pathlib import Path

from endmember import __version__
from endmember.batch_command import add_batch
from endmember.recipe_command import run_to
from endmember.run_options import (
    add_further_tables,
    add_publication,
    further_tables,
    publication,
)

DONE, FAULT, UNUSABLE, INTERRUPTED = 0, 1, 2, 130


def run_command(arguments: Sequence[str]) -> int:
    """Parse and carry out one command.

    Returns 0 when done, 2 when the input cannot be used (one sentence on standard error), 1 after
    a fault of the program (with the place of the log), 130 after Ctrl-C.
    """
    options = _parsed(arguments)
    try:
        return options.run(options) or DONE
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return INTERRUPTED
    except (ValueError, OSError) as error:
        if not _is_for_the_user(error):
            return _fault(error)
        print(f"endmember: {error}", file=sys.stderr)
        return UNUSABLE
    except Exception as error:
        return _fault(error)


def _parsed(arguments: Sequence[str]) -> argparse.Namespace:
    """The options, with the function to run; what is no command is files for the window."""
    parser, commands = _parser()
    if arguments and (arguments[0].startswith("-") or arguments[0] in commands):
        return parser.parse_args(arguments)
    for argument in arguments:
        if argument.startswith("-"):
            parser.error(f"unrecognized argument after files: {argument}")
    return argparse.Namespace(run=_window, files=[Path(argument) for argument in arguments])


def _is_for_the_user(error: Exception) -> bool:
    # LinAlgError and decoding errors are ValueErrors for which no sentence was written
    from numpy.linalg import LinAlgError

    return not isinstance(error, LinAlgError | UnicodeError)


def _fault(error: Exception) -> int:
    details = "".join(traceback.format_exception(error))
    if isinstance(error, RuntimeError) and len(error.args) > 1:
        details += f"\n{error.args[1]}"
    with tempfile.NamedTemporaryFile(
        "w", prefix="endmember-", suffix=".log", delete=False, encoding="utf-8"
    ) as log:
        log.write(f"endmember {__version__}\n{details}")
    print(
        f"endmember: an internal fault ({error.args[0] if error.args else error!r}); "
        f"the log is {log.name}",
        file=sys.stderr,
    )
    return FAULT


def _parser() -> tuple[argparse.ArgumentParser, Container[str]]:
    """The parser, and the names of its commands."""
    parser = argparse.ArgumentParser(
        prog="endmember",
        usage="%(prog)s [FILE... | RECIPE.toml | COMMAND ...]",
        description="Separates overlapping phases in STEM-EDXS maps and measures the trace "
        "elements in each. Without a command, the window opens, with the files if any "
        "are named.",
    )
    parser.set_defaults(run=_window, files=())
    commands = parser.add_subparsers(metavar="COMMAND", prog=parser.prog)
    _add_run(commands)
    add_batch(commands)
    _add_demo(commands)
    _add_info(commands)
    _add_quantify(commands)
    _add_k_factors(commands)
    _add_simulate(commands)
    version = commands.add_parser(
        "version",
        help="versions of Endmember and its libraries",
        description="Prints the version of Endmember and of the libraries that decide its numbers.",
    )
    version.add_argument("--json", action="store_true", help="print as JSON (default: as text)")
    version.set_defaults(run=_version)
    return parser, commands.choices


Commands = argparse._SubParsersAction  # argparse has no public name for it


def _add_run(commands: Commands[argparse.ArgumentParser]) -> None:
    run = commands.add_parser(
        "run",
        help="run a recipe from file to composition table",
        description="Reads the maps of a recipe, carries out every step, prints the compositions "
        "and writes a folder of tables, spectra, masks and maps.",
    )
    run.add_argument("recipe", type=Path, metavar="RECIPE.toml", help="the recipe; see README")
    run.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="folder for the results; no default"
    )
    run.add_argument(
        "--force", action="store_true", help="replace DIR, if an earlier run wrote it (default: no)"
    )
    add_further_tables(run)
    add_publication(run)
    run.set_defaults(run=_run)


def _add_demo(commands: Commands[argparse.ArgumentParser]) -> None:
    demo = commands.add_parser(
        "demo",
        help="open the window on the built-in demo map",
        description="Simulates the demo map once, with its recipe complete, and opens the window "
        "on it.",
    )
    demo.add_argument(
        "--size", type=_at_least(64), default=256, metavar="N", help="width in pixels (default 256)"
    )
    demo.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        help="folder for map, recipe and results (default: your data folder)",
    )
    demo.add_argument(
        "--no-window",
        action="store_true",
        help="run the recipe here and print the compositions (default: open the window)",
    )
    demo.set_defaults(run=_demo)


def _add_info(commands: Commands[argparse.ArgumentParser]) -> None:
    info = commands.add_parser(
        "info",
        help="what is in a file, and which signal is the map",
        description="Lists the signals of a file, says which one would be taken as the map or the "
        "spectrum, and what the file knows of it.",
    )
    info.add_argument("file", type=Path, metavar="FILE", help="a file of maps or spectra")
    info.add_argument("--json", action="store_true", help="print as JSON (default: as text)")
    info.set_defaults(run=_info)


def _add_quantify(commands: Commands[argparse.ArgumentParser]) -> None:
    quantify = commands.add_parser(
        "quantify",
        help="quantify a single spectrum",
        description="Fits a single spectrum as recorded, prints its composition, and writes it "
        "and the limits of detection as tables.",
    )
    add = quantify.add_argument
    add("spectrum", type=Path, metavar="SPECTRUM", help="file of the spectrum, such as .msa")
    add(
        "--elements",
        type=_symbols,
        required=True,
        metavar="O,Mg,...",
        help="elements to quantify; no default",
    )
    add(
        "--system-elements",
        type=_symbols,
        default=(),
        metavar="Cu,...",
        help="elements fitted but not quantified, as of the grid (default: none)",
    )
    add(
        "--out",
        type=Path,
        required=True,
        metavar="FILE.csv",
        help="table of the composition; limits go to FILE_detection.csv; no default",
    )
    _add_instrument(quantify)
    _add_k_factor_file(quantify)
    for name, unit, usual in (("--energy-offset-keV", ", keV", 0.0), ("--energy-gain", "", 1.0)):
        says = f"energies become offset + gain * those of the file{unit} (default: {usual:g})"
        add(name, type=float, default=usual, metavar="X", help=says)
    add("--thickness-nm", type=float, metavar="T", help=f"of the foil, in nm {_ABSORPTION}")
    add("--density-g-cm3", type=float, metavar="D", help=f"of the phase, in g/cm3 {_ABSORPTION}")
    quantify.set_defaults(run=_quantify)


_ABSORPTION = "(default: absorption is not corrected)"


def _add_instrument(quantify: argparse.ArgumentParser) -> None:
    add = quantify.add_argument
    add(
        "--beam-energy-keV",
        type=_positive,
        metavar="E",
        help="in keV, 40 to 400 (default: what the file says)",
    )
    add(
        "--take-off-angle-deg",
        type=_positive,
        metavar="A",
        help="between foil and detector, in degrees (default: what the file says)",
    )
    add(
        "--energy-range-keV",
        type=_range,
        default=(0.3, 20.0),
        metavar="LO,HI",
        help="range that is fitted, in keV (default 0.3,20)",
    )
    _add_detector_curve(quantify)


def _add_detector_curve(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--detector-curve",
        type=Path,
        metavar="FILE",
        help="CSV with energy_keV,efficiency (default: a windowless detector, 450 um of Si)",
    )


def _add_k_factor_file(quantify: argparse.ArgumentParser) -> None:
    add = quantify.add_argument
    add("--k-factors", type=Path, metavar="FILE", help="file of k-factors (default: computed)")
    add(
        "--k-factor-basis",
        choices=("weight", "atomic"),
        help="of a file that does not say it (default: as the file says)",
    )
    add(
        "--k-factor-definition",
        choices=("alpha", "family"),
        help="alpha line or whole family, of a file that does not say it (default: as it says)",
    )


def _add_k_factors(commands: Commands[argparse.ArgumentParser]) -> None:
    table = commands.add_parser(
        "k-factors",
        help="print computed k-factors with what they mean",
        description="Computes Cliff-Lorimer k-factors from ionisation cross sections and prints "
        "them with basis, reference, line definition, beam energy and detector.",
    )
    add = table.add_argument
    add(
        "--elements",
        type=_symbols,
        required=True,
        metavar="O,Mg,...",
        help="elements of the table; no default",
    )
    add(
        "--beam-energy-keV",
        type=_positive,
        default=200.0,
        metavar="E",
        help="in keV, 40 to 400 (default 200)",
    )
    add("--reference", default="Si", metavar="Si", help="element with k = 1 (default Si)")
    add(
        "--definition",
        choices=("alpha", "family"),
        default="alpha",
        help="counts of the alpha line or of its whole family (default alpha)",
    )
    add(
        "--basis",
        choices=("weight", "atomic"),
        default="weight",
        help="k for fractions by weight or by atoms (default weight)",
    )
    add(
        "--no-detector",
        action="store_true",
        help="leave the efficiency of the detector out (default: inside)",
    )
    _add_detector_curve(table)
    add(
        "--csv",
        type=Path,
        metavar="FILE",
        help="written too; can be read back (default: printed only)",
    )
    table.set_defaults(run=_k_factors)


def _add_simulate(commands: Commands[argparse.ArgumentParser]) -> None:
    simulate = commands.add_parser(
        "simulate",
        help="simulate a map with known truth",
        description="Simulates a map of a foil with two kinds of precipitates, whose composition "
        "is known, and writes it as .hspy.",
    )
    add = simulate.add_argument
    add("out", type=Path, metavar="OUT.hspy", help="file of the map")
    add(
        "--size",
        type=_at_least(16),
        default=256,
        metavar="N",
        help="width and height in pixels (default 256)",
    )
    add(
        "--counts-per-pixel",
        type=_positive,
        default=160.0,
        metavar="C",
        help="mean X-ray counts of a pixel (default 160)",
    )
    add(
        "--seed",
        type=_at_least(0),
        default=0,
        metavar="S",
        help="of the counting noise, a whole number (default 0)",
    )
    add(
        "--layout",
        type=_at_least(0),
        default=0,
        metavar="L",
        help="arrangement of grains, a whole number; 0 is the demo specimen (default 0)",
    )
    add(
        "--truth",
        type=Path,
        metavar="TRUTH.npz",
        help="what the map is made of, as NumPy arrays (default: not written)",
    )
    simulate.set_defaults(run=_simulate)


class _at_least:  # noqa: N801 - reads as a type in add_argument
    def __init__(self, least: int) -> None:
        self.least = least

    def __call__(self, text: str) -> int:
        value = int(text) if text.lstrip("-").isdigit() else None
        if value is None or value < self.least:
            raise argparse.ArgumentTypeError(f'"{text}" is not a whole number from {self.least}')
        return value


def _positive(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f'"{text}" is not a positive number')
    return value


def _symbols(text: str) -> tuple[str, ...]:
    # an element named twice would be two columns of the fit that nothing tells apart
    return tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))


def _range(text: str) -> tuple[float, float]:
    try:
        low, high = (float(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f'"{text}" is not LO,HI in keV') from None
    if not 0 <= low < high:
        raise argparse.ArgumentTypeError(f'"{text}": LO must lie below HI')
    return low, high


def _run(options: argparse.Namespace) -> None:
    asked = further_tables(options), publication(options)
    run_to(options.recipe, options.out, options.force, *asked)


def _window(options: argparse.Namespace) -> int:
    from endmember.window_command import open_files

    return open_files(options.files)


def _demo(options: argparse.Namespace) -> int:
    if not options.no_window:
        from endmember.window_command import open_demo

        return open_demo(options.size, options.out)
    from endmember.demo import prepare_demo
    from endmember.progress_bar import Bar

    with Bar() as bar:
        recipe = prepare_demo(options.out, options.size, lambda f: bar.show("simulating", f))
    run_to(recipe, recipe.parent / "results", force=True)
    print(f"map, truth and recipe: {recipe.parent}")
    return DONE


def _info(options: argparse.Namespace) -> None:
    from endmember.files.reading.reader import describe

    found = describe(options.file)
    if options.json:
        print(json.dumps(found.to_json(), indent=2, ensure_ascii=False))
    else:
        print(found.to_text())


def _quantify(options: argparse.Namespace) -> None:
    from endmember.quantify_command import quantify_file

    print(quantify_file(options))


def _k_factors(options: argparse.Namespace) -> None:
    from endmember.k_factor_command import k_factors_text

    print(k_factors_text(options))


def _simulate(options: argparse.Namespace) -> None:
    from endmember.demo import simulate_to
    from endmember.progress_bar import Bar

    if options.out.suffix.lower() != ".hspy":
        raise ValueError(f"{options.out}: a simulated map is written as .hspy: name it so")
    with Bar() as bar:
        simulate_to(
            options.out,
            options.truth,
            lambda f: bar.show("simulating", f),
            size=options.size,
            counts_per_pixel=options.counts_per_pixel,
            seed=options.seed,
            layout=options.layout,
        )


def _version(options: argparse.Namespace) -> None:
    from endmember.versions import versions, window_versions

    found = {**versions(), **window_versions()}
    if options.json:
        print(json.dumps(found, indent=2))
    else:
        print("\n".join(f"{name} {number}" for name, number in found.items()))
