"""What the frozen program runs first."""

import sys

from endmember.__main__ import main

sys.exit(main())
