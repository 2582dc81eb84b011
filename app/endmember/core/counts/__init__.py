"""Counts: maps and spectra, and sums over them at memory speed."""
