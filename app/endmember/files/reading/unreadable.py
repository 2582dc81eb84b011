"""What is raised for a file that cannot be used."""


class UnreadableFile(ValueError):  # noqa: N818 - reads as what it is: the file, not the program, is at fault
    """A file cannot be used: one sentence with the file, what is wrong, and what to do."""
