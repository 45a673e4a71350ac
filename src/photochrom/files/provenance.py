"""What was done to a photograph, told inside the file in the words of the IPTC and in our own.

The IPTC's *digital source type* for a photograph whose colours, or parts, were made by a trained model is "composite
with trained algorithmic media"; for one whose noise or tones were corrected and whose content is the camera's,
"algorithmically enhanced". Viewers, search engines and news agencies read it. Nothing here depends on the clock, so
that the same photograph gives the same file.

Sources: IPTC Photo Metadata Standard 2025.1 (DigitalSourceType, AISystemUsed, AISystemVersionUsed); IPTC NewsCodes,
scheme "digitalsourcetype".
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from photochrom.files.codecs.iptc import XmpProperty
from photochrom.files.codecs.xmp import read_property, with_properties
from photochrom.files.codecs.xmp_document import DamagedXmpError

COMPOSITE_WITH_TRAINED_ALGORITHMIC_MEDIA = (
    "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
)
HUMAN_EDITS_SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/humanEdits"
ALGORITHMICALLY_ENHANCED = "http://cv.iptc.org/newscodes/digitalsourcetype/algorithmicallyEnhanced"
DIGITAL_SOURCE_TYPE = XmpProperty("Iptc4xmpExt", "DigitalSourceType", "text")
AI_SYSTEM_USED = XmpProperty("Iptc4xmpExt", "AISystemUsed", "text")
AI_SYSTEM_VERSION_USED = XmpProperty("Iptc4xmpExt", "AISystemVersionUsed", "text")
MODEL = XmpProperty("photochrom", "Model", "text")
MODEL_SHA256 = XmpProperty("photochrom", "ModelSHA256", "text")
VERSION = XmpProperty("photochrom", "Version", "text")
SETTINGS = XmpProperty("photochrom", "Settings", "text")
TASK = XmpProperty("photochrom", "Task", "text")
HUMAN_EDITS = XmpProperty("photochrom", "HumanEdits", "text")
COLORS_GIVEN = XmpProperty("photochrom", "ColorsGiven", "text")
OWN = (
    DIGITAL_SOURCE_TYPE, AI_SYSTEM_USED, AI_SYSTEM_VERSION_USED, MODEL, MODEL_SHA256, VERSION, TASK, HUMAN_EDITS,
    COLORS_GIVEN, SETTINGS,
)  # fmt: skip
COLORIZE, RESTORE = "colorize", "restore"


@dataclass(frozen=True, slots=True)
class Provenance:
    """Which model, with which settings, made a result.

    Attributes:
        model: name of the model; of several, joined by " + ".
        model_sha256: hash of its file; of several, joined likewise.
        version: photochrom's version.
        settings: the options that shape the result; JSON values only.
        task: "colorize" or "restore".
        source_type: the IPTC's digital source type; "" where nothing was changed, and what the file says stays.
    """

    model: str
    model_sha256: str
    version: str
    settings: Mapping[str, object] = field(default_factory=dict)
    task: str = COLORIZE
    source_type: str = COMPOSITE_WITH_TRAINED_ALGORITHMIC_MEDIA

    @property
    def says_nothing(self) -> bool:
        """Whether no model had a part in the pixels: a photograph that was to be coloured kept its own colours."""
        return self.task == COLORIZE and not self.source_type

    def with_hints(self, summary: Mapping[str, object]) -> Provenance:
        """Return the provenance of a result for which a person gave colours, as ``HintSheet.summary`` tells them."""
        return replace(self, settings={**self.settings, "hints": dict(summary)})

    @property
    def colors_given(self) -> list[str] | None:
        """Colours that a person gave, as they were written (painted ones have no names); None where nobody did."""
        hints = self.settings.get("hints")
        # What earlier versions wrote does not tell a person's hints from a reference's.
        if not isinstance(hints, Mapping) or not hints.get("by_person", hints.get("count", 1)):
            return None
        return [color if isinstance(color, str) else f"a*b* {color}" for color in hints.get("colors", [])]

    def of_pages(self, source_types: Iterable[str]) -> Provenance:
        """Return the provenance of one file, given what was done to each of its pages: the most that was done."""
        done = set(source_types)
        most = (COMPOSITE_WITH_TRAINED_ALGORITHMIC_MEDIA, ALGORITHMICALLY_ENHANCED)
        return replace(self, source_type=next((kind for kind in most if kind in done), ""))


def with_provenance(packet: bytes | None, provenance: Provenance) -> tuple[bytes, tuple[str, ...]]:
    """Return an XMP packet that states the provenance and keeps what it said before, and notes.

    An earlier statement of the source type is replaced: "digital capture" is no longer true.
    """
    values = {
        **({DIGITAL_SOURCE_TYPE: [provenance.source_type]} if provenance.source_type else {}),
        AI_SYSTEM_USED: [f"photochrom, model {provenance.model}"],
        AI_SYSTEM_VERSION_USED: [provenance.version],
        MODEL: [provenance.model],
        MODEL_SHA256: [provenance.model_sha256],
        VERSION: [provenance.version],
        TASK: [provenance.task],
        **_human_edits(provenance),
        SETTINGS: [json.dumps(dict(provenance.settings), sort_keys=True, ensure_ascii=False)],
    }
    try:
        return with_properties(packet, values, replace=True), ()
    except DamagedXmpError as error:
        return with_properties(None, values, replace=True), (f"damaged XMP left out ({error})",)


def _human_edits(provenance: Provenance) -> dict[XmpProperty, list[str]]:
    """Return that a person took part, and with which colours; the source type itself has one value only."""
    given = provenance.colors_given
    if given is None:
        return {}
    return {HUMAN_EDITS: [HUMAN_EDITS_SOURCE_TYPE], COLORS_GIVEN: [", ".join(given)]}


def own_properties(packet: bytes) -> bytes | None:
    """Return a packet of what another says of the making of a result and nothing else; None where it says nothing."""
    try:
        found = {key: texts for key in OWN if (texts := read_property(packet, key))}
    except DamagedXmpError:
        return None
    return with_properties(None, found, replace=True) if found else None


def read_provenance(packet: bytes | None) -> Provenance | None:
    """Return what an XMP packet says, or None where photochrom did not write it."""
    if not packet:
        return None
    try:
        texts = {key: read_property(packet, key) for key in (MODEL, MODEL_SHA256, VERSION, SETTINGS)}
        if not all(texts.values()):
            return None
        settings = json.loads(texts[SETTINGS][0])
        task = (read_property(packet, TASK) or [COLORIZE])[0]
        source_type = (read_property(packet, DIGITAL_SOURCE_TYPE) or [""])[0]
        if not isinstance(settings, dict):
            return None
    except (DamagedXmpError, ValueError, RecursionError):
        return None
    return Provenance(texts[MODEL][0], texts[MODEL_SHA256][0], texts[VERSION][0], settings, task, source_type)
