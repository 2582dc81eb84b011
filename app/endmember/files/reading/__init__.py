"""Maps and spectra from files of any kind, in a process of its own."""
