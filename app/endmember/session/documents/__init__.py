"""The recipe as a file that is opened, saved and recovered, and its data files."""
