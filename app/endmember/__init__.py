"""Endmember: telling apart phases that overlap in a STEM-EDXS map, and measuring each."""

import os

__version__ = "0.1.0"

# Numpy reads this when it is imported. The matrices here are small: several threads for one product
# wait for each other longer than they compute, above all beside a busy window, and cut sums by
# the number of processors, so the last digits of a result would depend on the machine.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# The HDF5 library reads this when it is loaded. Files are only read: a lock would keep
# other programs from writing them meanwhile, and fails on many network drives.
os.environ.setdefault("HDF5_USE_FILE_LOCKING", "FALSE")
