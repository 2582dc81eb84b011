"""Loading ahead of time."""

import subprocess
import sys

CHECK = """
import sys
from endmember.session import warming
assert "numba" not in sys.modules and "scipy" not in sys.modules
warming.warm_up()
from endmember.core.counts import spectrum_image as counts
from endmember.core.xrays import line_shapes
from endmember.core.unmixing import scree
from endmember.core.masks import segmentation
from endmember.core.counts import sparse_sums
compiled = [f for m in (counts, line_shapes, scree, sparse_sums)
            for f in vars(m).values() if hasattr(f, "nopython_signatures")]
assert len(compiled) > 8
called_by_others = {"_below", "_random", "_reached"}  # compiled into those
print([f.__name__ for f in compiled if not f.nopython_signatures
       and f.__name__ not in called_by_others])
print([name for name in ("cv2", "h5py", "numba", "psutil", "scipy", "xraylib")
       if name not in sys.modules])
"""


def test_warming_up_loads_the_slow_libraries_and_every_compiled_loop() -> None:
    done = subprocess.run(
        [sys.executable, "-c", CHECK], capture_output=True, encoding="utf-8", check=False
    )
    assert done.stderr == ""
    assert done.stdout.splitlines() == ["[]", "[]"]
