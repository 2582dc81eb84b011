"""The physics of lines: energies, cross sections, detector, absorption, k-factors."""
