"""Large files made smaller for the way, as any browser can undo: bytes sorted, then compressed (zlib, RFC 1950).

Most hosts do not compress what they do not know, so the page brings its model and its runtime compressed. Of a weight
in float16 the byte with sign and exponent is alike all over a model, and the other is noise: sorted apart, a model
loses 14 % instead of 8.
"""

from __future__ import annotations

import zlib

SUFFIX = ".packed"
LEVEL = 9


def pack(content: bytes, planes: int) -> bytes:
    """Return content with every ``planes``-th byte beside its like, compressed. Cost: 0.1 s a megabyte."""
    return zlib.compress(b"".join(content[k::planes] for k in range(planes)), LEVEL)
