"""The paper's figures from a finished session, under the paper's numbers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from endmember.session.figures.figure_list import drawn_figures, planned_figures
from endmember.session.state.session import Session
from endmember.session.statistics.snr_growth import GrowthPoint

FIGURES: dict[int, tuple[str, ...]] = {
    1: ("elements_map1",),
    2: ("spectra_roi_map1",),
    3: ("components_map1",),
    4: ("masks_map1",),
    5: ("subtraction_map1_Fp", "subtraction_map1_CaPv"),
    6: ("abundance_map1",),
    7: ("spectra_mask_map1", "trace_lines_Brg"),
    8: ("spectra_mask_sum",),
    9: ("snr_growth",),
    10: ("line_fit_Brg_Nd", "line_fit_Brg_Sm", "line_fit_Brg_U", "error_growth"),
    11: ("detection_Fp",),
}
"""Which of the product's figures (`session.figures.figure_list`) shows what the paper's does."""


def draw_figures(session: Session, growth: Sequence[GrowthPoint], folder: Path) -> list[str]:
    """Draw Figs 1 to 11 as PNG and PDF, fig_01_elements_map1 and so on, and their captions.

    Returns a sentence for each figure that there is not.
    """
    folder.mkdir(exist_ok=True)
    planned = {figure.name: figure for figure in planned_figures(session, growth)}
    wanted = {name: number for number, names in FIGURES.items() for name in names}
    told = [
        f"Fig. {n}: this session has no {name}" for name, n in wanted.items() if name not in planned
    ]
    there = [planned[name] for name in wanted if name in planned]
    captions = []
    for kind in ("png", "pdf"):
        for figure, content in drawn_figures(there, kind):
            name = f"fig_{wanted[figure.name]:02d}_{figure.name}"
            if isinstance(content, bytes):
                (folder / f"{name}.{kind}").write_bytes(content)
            elif kind == "png":
                told.append(f"Fig. {wanted[figure.name]}: {figure.name}: {content}")
            if kind == "png":
                captions.append(f"{name}: {figure.caption}")
    (folder / "captions.txt").write_text("\n".join(captions) + "\n", encoding="utf-8")
    return told
