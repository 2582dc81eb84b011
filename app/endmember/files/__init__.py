"""The outside world: reading maps and spectra, writing results."""
