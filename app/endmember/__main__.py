"""`python -m endmember`, and the `endmember` command."""

import sys

from endmember.cli import run_command
from endmember.compiled_code import choose_folder


def main() -> int:
    """Run the command line and return its exit code."""
    if getattr(sys, "frozen", False):
        # a batch starts processes, which begin here again
        from multiprocessing import freeze_support

        freeze_support()
    choose_folder()
    if sys.argv[1:] == ["--read-files"]:  # the frozen program as its own reading process
        from endmember.files.reading.child import serve

        return serve()
    return run_command(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
