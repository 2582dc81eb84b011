"""Spectra on the screen, and the panel below the maps."""
