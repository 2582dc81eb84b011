"""Writing the results folder from the window: the same files as `endmember run` writes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from endmember.core.progress import Report
from endmember.ui.document.runner import Runner


def export_task(runner: Runner, folder: Path) -> Callable[[Report], Path]:
    """The work that writes `folder`, from the results as they are now."""
    assert runner.session is not None
    session = runner.session.snapshot()
    records = runner.records_of(session)

    def work(report: Report) -> Path:
        from endmember.files.disk.folders import complete_folder
        from endmember.session.results.results_folder import write_results

        report(0.0)
        with complete_folder(folder) as part:
            write_results(session, records, part, folder, report)
        return folder

    return work
