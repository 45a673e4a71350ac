"""What was done to a film, told inside the file: an XMP packet where the container has a place for one, tags elsewhere.

Sources: ISO 16684-1 and Adobe XMP Specification, part 3 (MPEG-4: a box of type ``uuid`` at the top level; QuickTime:
``moov/udta/XMP_``); IPTC NewsCodes, scheme "digitalsourcetype".
"""

from __future__ import annotations

import json
from pathlib import Path

from photochrom.files.made_here import TAG_OF_FILMS
from photochrom.files.provenance import Provenance, with_provenance

XMP_BOX = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")


def metadata_tags(provenance: Provenance, container: str) -> dict[str, str]:
    """Return tags for the container: all that we say for Matroska, an XMP packet for QuickTime, a comment for MP4."""
    if container == "mov":
        return {"xmp": with_provenance(None, provenance)[0].decode()}
    if container == "mp4":
        return {}
    return {
        "DIGITAL_SOURCE_TYPE": provenance.source_type,
        "AI_SYSTEM_USED": f"photochrom, model {provenance.model}",
        "AI_SYSTEM_VERSION_USED": provenance.version,
        TAG_OF_FILMS: provenance.model_sha256,
        "PHOTOCHROM_SETTINGS": json.dumps(dict(provenance.settings), sort_keys=True, ensure_ascii=False),
    }


def stamped(path: Path, provenance: Provenance, container: str) -> None:
    """Append an XMP packet to an MP4 file, as a box of its own, which players skip."""
    if container != "mp4":
        return
    packet, _ = with_provenance(None, provenance)
    with path.open("ab") as handle:
        handle.write((8 + len(XMP_BOX) + len(packet)).to_bytes(4, "big") + b"uuid" + XMP_BOX + packet)
