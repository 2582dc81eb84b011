"""A batch: the maps of a folder, one recipe's settings, a folder of results for each map."""

from __future__ import annotations

import contextlib
import hashlib
import json
import secrets
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from endmember.files.disk.folders import RESULT_MARK, sweep, write_json
from endmember.files.tables.batch_table import BatchRow, join_csv, write_batch_csv
from endmember.session.batch.batch_maps import EVERY_MAP, BatchMap, batch_maps
from endmember.session.batch.batch_runs import MapRun, Outcome
from endmember.session.batch.batch_workers import processors, workers
from endmember.session.cache.key_names import UnnamedError, canonical
from endmember.session.cache.program_digest import program_digest
from endmember.session.decisions.recipe_file import dump_recipe

LEDGER = "batch.json"  # a folder that holds it is known to be that of a batch
SUMMARY, COMPOSITION = "batch.csv", "composition.csv"
STOP = ".stop-"  # begins the name of the file whose appearance stops the workers
LEDGER_FORMAT = "endmember-batch-1"


@dataclass(frozen=True)
class Batch:
    """The maps of a batch and where their results go."""

    maps: tuple[BatchMap, ...]
    out: Path

    @cached_property
    def program(self) -> str:
        """What the program is; see `program_digest`."""
        return program_digest()

    def results_of(self, name: str) -> Path:
        """The folder of one map's results."""
        return self.out / name

    def key(self, of: BatchMap) -> str:
        """What decides the results of a map: program, recipe, size and time of all files it names.

        Empty where files decide that cannot be named: such a map is computed each time.
        """
        try:
            text = repr((self.program, canonical(of.recipe)))
        except UnnamedError:
            return ""
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def prepare_batch(folder: Path, recipe: Path, out: Path, pattern: str = EVERY_MAP) -> Batch:
    """Find the maps and see that results may be written to `out`, before any work is done.

    Raises
    ------
    ValueError
        if the recipe, the folder or the pattern cannot be used, or `out` holds something else than
        the results of a batch.
    """
    target = out.resolve()
    if target.exists() and not target.is_dir():
        raise ValueError(f"{out}: is a file, not a folder; choose another name")
    if target.is_dir() and any(target.iterdir()) and not (target / LEDGER).is_file():
        raise ValueError(
            f"{out}: holds files that no batch wrote (there is no {LEDGER}); choose another folder"
        )
    apart = target if target != folder.resolve() else None
    found = batch_maps(folder.resolve(), recipe, pattern, apart)
    return Batch(tuple(found), target)


def run_batch(
    batch: Batch,
    tell: Callable[[Outcome, int], None],
    number: int | None = None,
    scheduler: str | None = None,
) -> list[Outcome]:
    """Run every map whose results are not there yet; returns the outcomes in the order of the maps.

    `number` is that of processes on this machine, None for one on each processor; `scheduler` the
    address of a Dask scheduler in their place. `tell` is called with each outcome and the number
    of those still to come. However it ends, also by KeyboardInterrupt, whole results stay, and the
    tables tell what there is.

    Raises
    ------
    ValueError
        if `batch.out` cannot be written to, or the scheduler does not answer.
    """
    _make_folder(batch.out)
    ledger = _Ledger(batch.out)
    outcomes: dict[str, Outcome] = {}
    try:
        with contextlib.closing(_all_outcomes(batch, ledger, number, scheduler)) as found:
            for outcome in found:
                outcomes[outcome.name] = outcome
                tell(outcome, len(batch.maps) - len(outcomes))
    finally:
        _remove_left_behind(batch)
        ordered = [outcomes.get(of.name, Outcome(of.name, "stopped")) for of in batch.maps]
        _write_tables(batch, ordered)
    return ordered


def _all_outcomes(
    batch: Batch, ledger: _Ledger, number: int | None, scheduler: str | None
) -> Generator[Outcome]:
    """First what needs no work, then each map as it is computed."""
    due, keys = [], {}
    for of in batch.maps:
        keys[of.name] = batch.key(of)  # of the files as they are before they are read
        settled = _settled(batch, of, ledger, keys[of.name])
        if settled is None:
            due.append(of)
        else:
            yield settled
    _remove_left_behind(batch)
    for outcome in _computed(batch, due, number, scheduler) if due else ():
        ledger.enter(outcome, keys[outcome.name])
        yield _with_log(batch, outcome)


def _settled(batch: Batch, of: BatchMap, ledger: _Ledger, key: str) -> Outcome | None:
    """The outcome of a map that needs no work."""
    if of.recipe is None:
        return Outcome(of.name, "failed", failure=of.failure)
    return ledger.kept(of.name, key, batch.results_of(of.name))


def _computed(
    batch: Batch, maps: Sequence[BatchMap], number: int | None, scheduler: str | None
) -> Iterator[Outcome]:
    at_once = min(number or processors(), len(maps))
    threads = None if scheduler is not None else max(1, processors() // at_once)
    stop = batch.out / f"{STOP}{secrets.token_hex(4)}"
    with workers(at_once, scheduler) as results:
        yield from results([_run_of(batch, of, stop, threads) for of in maps])


def _run_of(batch: Batch, of: BatchMap, stop: Path, threads: int | None) -> MapRun:
    assert of.recipe is not None
    return MapRun(
        name=of.name,
        recipe=dump_recipe(of.recipe),
        where=of.where,
        out=str(batch.results_of(of.name)),
        program=batch.program,
        stop=str(stop),
        threads=threads,
    )


class _Ledger:
    """What became of each map, kept in `LEDGER`, so that a batch goes on where it stopped."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / LEDGER
        self._entries = self._read()
        self._write()  # marks the folder before the first map is done

    def _read(self) -> dict[str, dict[str, Any]]:
        try:
            found = json.loads(self._path.read_text("utf-8"))
        except (OSError, ValueError):
            return {}
        entries = found.get("maps") if isinstance(found, dict) else None
        if not isinstance(entries, dict) or found.get("format") != LEDGER_FORMAT:
            return {}
        return {name: entry for name, entry in entries.items() if isinstance(entry, dict)}

    def _write(self) -> None:
        write_json(self._path, {"format": LEDGER_FORMAT, "maps": self._entries})

    def kept(self, name: str, key: str, results: Path) -> Outcome | None:
        """The outcome of an earlier batch whose results are there and would be the same again."""
        entry = self._entries.get(name, {})
        whole = all((results / file).is_file() for file in (RESULT_MARK, COMPOSITION))
        if not (key and entry.get("key") == key and whole):
            return None
        seconds, warnings = entry.get("seconds"), entry.get("warnings")
        return Outcome(
            name,
            "kept",
            float(seconds) if isinstance(seconds, int | float) else None,
            warnings if isinstance(warnings, int) else None,
        )

    def enter(self, outcome: Outcome, key: str) -> None:
        """Keep what became of a map; only what is done is not done again."""
        self._entries[outcome.name] = {
            "key": key if outcome.state == "done" else "",
            "state": outcome.state,
            "seconds": outcome.seconds,
            "warnings": outcome.warnings,
            "failure": outcome.failure,
        }
        self._write()


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ValueError(
            f"{folder}: the folder cannot be created ({error.strerror}); choose another place"
        ) from error


def _with_log(batch: Batch, outcome: Outcome) -> Outcome:
    """The outcome, whose details are written beside the results, as the sentence then says."""
    log = batch.out / f"{outcome.name}.log"
    if not outcome.details:
        if outcome.state == "done":
            log.unlink(missing_ok=True)
        return outcome
    log.write_text(outcome.details, encoding="utf-8")
    return replace(outcome, failure=f"{outcome.failure} (the log is {log.name})")


def _remove_left_behind(batch: Batch) -> None:
    """Remove what processes that were killed had begun to write, and the sign to stop."""
    for of in batch.maps:
        sweep(batch.results_of(of.name))
    for path in batch.out.glob(f"{STOP}*"):
        path.unlink(missing_ok=True)


def _write_tables(batch: Batch, outcomes: Sequence[Outcome]) -> None:
    rows = [_row(batch, of, found) for of, found in zip(batch.maps, outcomes, strict=True)]
    write_batch_csv(batch.out / SUMMARY, rows)
    there = [found.name for found in outcomes if found.state in ("done", "kept")]
    join_csv(batch.out / COMPOSITION, [batch.results_of(name) / COMPOSITION for name in there])


def _row(batch: Batch, of: BatchMap, found: Outcome) -> BatchRow:
    failure = found.failure
    if found.state not in ("done", "kept") and (batch.results_of(of.name) / RESULT_MARK).is_file():
        failure = f"{failure} (the folder {of.name} holds results of an earlier batch)".lstrip()
    return BatchRow(
        of.name,
        found.state,
        None if found.seconds is None else round(found.seconds, 3),
        found.warnings,
        failure,
        of.file.name,
        str(of.drawings),
    )
