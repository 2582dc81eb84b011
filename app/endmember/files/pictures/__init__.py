"""Maps, spectra, figures and pages for other programs and for print."""
