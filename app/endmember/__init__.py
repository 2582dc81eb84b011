"""Endmember: telling apart phases that overlap in a STEM-EDXS map, and measuring each."""

__version__ = "0.1.0"
