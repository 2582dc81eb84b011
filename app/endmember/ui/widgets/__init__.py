"""Widgets and colours that know nothing of maps or recipes."""
