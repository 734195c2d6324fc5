"""Imported before NumPy: keeps the BLAS to one thread, whose helpers otherwise spin and slow small problems on a busy
machine."""

import os

for _name in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
