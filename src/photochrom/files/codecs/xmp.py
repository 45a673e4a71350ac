"""XMP packets: properties set without disturbing what else a packet says.

Source: ISO 16684-1:2019 (XMP, part 1), clauses 6 and 7.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from xml.dom import minidom

from photochrom.files.codecs.xmp_document import (
    EMPTY,
    RDF,
    TOO_MUCH,
    DamagedXmpError,
    Place,
    about,
    all_places,
    descriptions_of,
    drop_idle,
    named,
    parsed,
    rdf_of,
    remove,
    serialized,
    text_of,
)

if TYPE_CHECKING:
    from photochrom.files.codecs.iptc import XmpProperty


NAMESPACES = {
    "dc": "http://purl.org/dc/elements/1.1/",
    "photoshop": "http://ns.adobe.com/photoshop/1.0/",
    "tiff": "http://ns.adobe.com/tiff/1.0/",
    "xmp": "http://ns.adobe.com/xap/1.0/",
    "Iptc4xmpCore": "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/",
    "Iptc4xmpExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
    "photochrom": "urn:photochrom:provenance:1/",
}
EXTENSION = ("http://ns.adobe.com/xmp/note/", "HasExtendedXMP")
EVERYTHING: Collection[str] = frozenset(["*"])
OUTDATED: Mapping[str, Collection[str]] = {
    # How the pixels of the old file were stored, which way up, and in which colours.
    "http://ns.adobe.com/tiff/1.0/": frozenset(
        "Orientation ImageWidth ImageLength BitsPerSample Compression PhotometricInterpretation SamplesPerPixel "
        "PlanarConfiguration YCbCrSubSampling YCbCrPositioning YCbCrCoefficients TransferFunction WhitePoint "
        "PrimaryChromaticities ReferenceBlackWhite NativeDigest".split()
    ),
    "http://ns.adobe.com/exif/1.0/": frozenset(
        "ColorSpace ComponentsConfiguration CompressedBitsPerPixel PixelXDimension PixelYDimension Gamma "
        "NativeDigest".split()
    ),
    "http://cipa.jp/exif/1.0/": frozenset(["Gamma"]),
    "http://ns.adobe.com/photoshop/1.0/": frozenset(["ColorMode", "ICCProfile"]),
    "http://ns.adobe.com/xap/1.0/": frozenset(["Thumbnails", "PageInfo"]),
    "http://purl.org/dc/elements/1.1/": frozenset(["format"]),
    # Recipes of raw developers for grey, which they would apply again; their presence says that they are still to do.
    "http://ns.adobe.com/camera-raw-settings/1.0/": frozenset(
        ["ConvertToGrayscale", "Treatment", "HasSettings", "AlreadyApplied"]
        + [f"GrayMixer{name}" for name in "Red Orange Yellow Green Aqua Blue Purple Magenta".split()]
    ),
    # Gain maps, depth and further pictures, whose data lay behind the picture and is not carried.
    "http://ns.adobe.com/hdr-gain-map/1.0/": EVERYTHING,
    "http://ns.apple.com/HDRGainMap/1.0/": EVERYTHING,
    "http://ns.apple.com/pixeldatainfo/1.0/": EVERYTHING,
    "http://ns.google.com/photos/1.0/container/": EVERYTHING,
    "http://ns.google.com/photos/1.0/camera/": EVERYTHING,
    "http://ns.google.com/photos/1.0/image/": EVERYTHING,
    "http://ns.google.com/photos/1.0/depthmap/": EVERYTHING,
    "http://ns.google.com/photos/dd/1.0/device/": EVERYTHING,
}
"""Properties that are no longer true of the finished picture, by namespace."""
CONTAINERS = {"list": "Seq", "bag": "Bag", "alternatives": "Alt"}

Values = Mapping["XmpProperty", Sequence[str]]


def with_properties(packet: bytes | None, values: Values, *, replace: bool) -> bytes:
    """Return a packet that has these properties; everything else in it is kept.

    Args:
        packet: UTF-8 or UTF-16 XML, or None to begin one.
        values: the texts of each property; one for a plain one.
        replace: whether a property that is there already is replaced, or left as it is.

    Raises:
        DamagedXmpError: the packet cannot be read.
    """
    document = parsed(packet) if packet else minidom.parseString(EMPTY)  # noqa: S318 - our own text
    rdf = rdf_of(document)
    description = document.createElementNS(RDF, "rdf:Description")
    description.setAttributeNS(RDF, "rdf:about", about(rdf))
    for key, texts in values.items():
        present = _places(rdf, key)
        if present and not replace:
            continue
        for place in present:
            remove(place)
        description.setAttribute(f"xmlns:{key.prefix}", NAMESPACES[key.prefix])
        description.appendChild(_property(document, key, texts))
    if description.hasChildNodes():
        rdf.appendChild(description)
    return serialized(document)


def allowed(text: str) -> str:
    """Return the text without the characters that XML cannot hold."""
    return "".join(letter for letter in text if letter in "\t\n\r" or (letter >= " " and letter not in "\ufffe\uffff"))


def read_property(packet: bytes, key: XmpProperty) -> list[str]:
    """Return the texts of one property; an empty list where the packet has it not.

    Raises:
        DamagedXmpError: the packet cannot be read.
    """
    texts: list[str] = []
    for _, node in _places(rdf_of(parsed(packet)), key):
        if node.nodeType == node.ATTRIBUTE_NODE:
            texts.append(node.value)
            continue
        items = node.getElementsByTagNameNS(RDF, "li")
        texts += [text_of(item) for item in items or [node]]
    return texts


def without_outdated(packet: bytes) -> bytes:
    """Return the packet without what described the pixels of the file it came from; see :data:`OUTDATED`.

    Raises:
        DamagedXmpError: the packet cannot be read.
    """
    document = parsed(packet)
    rdf = rdf_of(document)
    places = [place for place in all_places(rdf) if _is_outdated(place[1])]
    if not places:
        return packet
    for place in places:
        remove(place)
    return _without_idle_namespaces(document)


def extension_of(packet: bytes) -> str | None:
    """Return the GUID of the extension that a packet says it has; None where it says nothing of one.

    Raises:
        DamagedXmpError: the packet cannot be read.
    """
    if EXTENSION[1].encode() not in packet.replace(b"\x00", b""):
        return None
    for _, node in named(rdf_of(parsed(packet)), *EXTENSION):
        return str(node.value if node.nodeType == node.ATTRIBUTE_NODE else text_of(node)).strip()
    return None


def merged(packet: bytes, extension: bytes) -> bytes:
    """Return a packet with the properties of its extension, and without the statement that it has one.

    Raises:
        DamagedXmpError: either cannot be read.
    """
    document, further = parsed(packet), parsed(extension)
    rdf = rdf_of(document)
    for place in named(rdf, *EXTENSION):
        remove(place)
    for node in list(rdf_of(further).childNodes):
        if node.nodeType == node.ELEMENT_NODE:
            rdf.appendChild(document.importNode(node, deep=True))
    return serialized(document)


def compacted(packet: bytes) -> bytes:
    """Return a packet without padding, comments, and white space between its elements.

    Raises:
        DamagedXmpError: the packet cannot be read.
    """
    document = parsed(packet)
    if document.documentElement is not None:
        drop_idle(document.documentElement)
    return serialized(document)


def split(packet: bytes, most: int) -> tuple[bytes, bytes]:
    """Return a packet of at most so many bytes with the smaller properties, and one with the others, largest first.

    Raises:
        DamagedXmpError: the packet cannot be read, or is longer than that without any property.
    """
    main, further = parsed(packet), parsed(packet)
    places, others = (list(_stated(rdf_of(document))) for document in (main, further))
    size = len(serialized(main))
    moved = set[int]()
    for k in sorted(range(len(places)), key=lambda k: -_bytes_of(places[k])):
        if size <= most:
            break
        moved.add(k)
        size -= _bytes_of(places[k])
    for k, (place, other) in enumerate(zip(places, others, strict=True)):
        remove(place if k in moved else other)
    first, second = serialized(main), further.documentElement
    if len(first) > most or second is None:
        raise DamagedXmpError(TOO_MUCH)
    return first, second.toxml().encode()


def with_extension(packet: bytes, guid: str) -> bytes:
    """Return a packet that says it has an extension."""
    document = parsed(packet)
    rdf = rdf_of(document)
    description = next(descriptions_of(rdf), None)
    if description is None:
        description = document.createElementNS(RDF, "rdf:Description")
        description.setAttributeNS(RDF, "rdf:about", "")
        rdf.appendChild(description)
    description.setAttribute("xmlns:xmpNote", EXTENSION[0])
    description.setAttribute(f"xmpNote:{EXTENSION[1]}", guid)
    return serialized(document)


def _stated(rdf: minidom.Element) -> Iterator[Place]:
    """Yield the places that state properties: not the declarations of namespaces, and not what they are about."""
    for owner, node in all_places(rdf):
        if node.namespaceURI not in (None, RDF, "http://www.w3.org/2000/xmlns/") and node.prefix != "xmlns":
            yield owner, node


def _bytes_of(place: Place) -> int:
    node = place[1]
    return len((f'{node.name}="{node.value}" ' if node.nodeType == node.ATTRIBUTE_NODE else node.toxml()).encode())


def _without_idle_namespaces(document: minidom.Document) -> bytes:
    """Return the packet without declarations of namespaces that are outdated as a whole and no longer used."""
    text = serialized(document).decode()
    for description in document.getElementsByTagNameNS(RDF, "Description"):
        attributes: Any = description.attributes
        for declared in [attributes.item(number) for number in range(attributes.length)]:
            outdated = any(declared.value.startswith(name) for name, names in OUTDATED.items() if "*" in names)
            if declared.prefix == "xmlns" and outdated and not re.search(rf"[ <]{declared.localName}:", text):
                description.removeAttributeNode(declared)
    return serialized(document)


def _places(rdf: minidom.Element, key: XmpProperty) -> list[Place]:
    return named(rdf, NAMESPACES[key.prefix], key.name)


def _is_outdated(node: Any) -> bool:
    names = OUTDATED.get(node.namespaceURI, ())
    return "*" in names or node.localName in names or (node.namespaceURI, node.localName) == EXTENSION


def _property(document: minidom.Document, key: XmpProperty, texts: Sequence[str]) -> minidom.Element:
    element = document.createElementNS(NAMESPACES[key.prefix], f"{key.prefix}:{key.name}")
    if key.form == "text":
        element.appendChild(document.createTextNode(texts[0]))
        return element
    container = document.createElementNS(RDF, f"rdf:{CONTAINERS[key.form]}")
    for text in texts[:1] if key.form == "alternatives" else texts:
        item = document.createElementNS(RDF, "rdf:li")
        if key.form == "alternatives":
            item.setAttribute("xml:lang", "x-default")
        item.appendChild(document.createTextNode(text))
        container.appendChild(item)
    element.appendChild(container)
    return element
