"""Fits of lines and background to a spectrum, and what rests on them before any composition."""
