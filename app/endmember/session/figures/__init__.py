"""Figures of a finished session in the size and style of print, one function for each kind.

Each returns a figure of matplotlib that nothing else holds;
`files.pictures.figure_page.write_figure` makes a file of it. `figure_list.planned_figures` names
all that a session has.
"""

from endmember.session.figures.components import component_figure
from endmember.session.figures.growth import error_growth_figure, snr_growth_figure
from endmember.session.figures.line_fits import detection_figure, line_fit_figure
from endmember.session.figures.map_panels import abundance_figure, element_figure
from endmember.session.figures.mask_panels import mask_figure
from endmember.session.figures.spectra import (
    phase_spectra_figure,
    subtraction_figure,
    trace_line_figure,
)

__all__ = [
    "abundance_figure",
    "component_figure",
    "detection_figure",
    "element_figure",
    "error_growth_figure",
    "line_fit_figure",
    "mask_figure",
    "phase_spectra_figure",
    "snr_growth_figure",
    "subtraction_figure",
    "trace_line_figure",
]
