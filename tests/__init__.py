"""Tests. Their arithmetic runs on one thread: on small pictures, threads wait for each other longer than they work."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # read once by NumPy's library and by PyTorch's, as they are loaded
