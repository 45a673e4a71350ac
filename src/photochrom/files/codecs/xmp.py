"""XMP packets: properties set without disturbing what else a packet says.

Source: ISO 16684-1:2019 (XMP, part 1), clauses 6 and 7.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from xml.dom import minidom
from xml.parsers.expat import ExpatError

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
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
PACKET_START = '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
PACKET_END = '<?xpacket end="w"?>'
EMPTY = f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{RDF}"/></x:xmpmeta>'
MAX_PACKET_BYTES = 16_000_000
MAX_DEPTH = 60
DECLARATION = re.compile(rb"<!\s*(DOCTYPE|ENTITY)", re.IGNORECASE)
CONTAINERS = {"list": "Seq", "bag": "Bag", "alternatives": "Alt"}

Values = Mapping["XmpProperty", Sequence[str]]
# A description, and the attribute or child element that states a property; minidom's types cannot say which.
Place = tuple[minidom.Element, Any]


class DamagedXmpError(ValueError):
    """The packet is not the XML it should be."""


def with_properties(packet: bytes | None, values: Values, *, replace: bool) -> bytes:
    """Return a packet that has these properties; everything else in it is kept.

    Args:
        packet: UTF-8 or UTF-16 XML, or None to begin one.
        values: the texts of each property; one for a plain one.
        replace: whether a property that is there already is replaced, or left as it is.

    Raises:
        DamagedXmpError: the packet cannot be read.
    """
    document = _parsed(packet) if packet else minidom.parseString(EMPTY)  # noqa: S318 - our own text
    rdf = _rdf_of(document)
    description = document.createElementNS(RDF, "rdf:Description")
    description.setAttributeNS(RDF, "rdf:about", _about(rdf))
    for key, texts in values.items():
        present = _places(rdf, key)
        if present and not replace:
            continue
        for place in present:
            _remove(place)
        description.setAttribute(f"xmlns:{key.prefix}", NAMESPACES[key.prefix])
        description.appendChild(_property(document, key, texts))
    if description.hasChildNodes():
        rdf.appendChild(description)
    return _serialized(document)


def read_property(packet: bytes, key: XmpProperty) -> list[str]:
    """Return the texts of one property; an empty list where the packet has it not.

    Raises:
        DamagedXmpError: the packet cannot be read.
    """
    texts: list[str] = []
    for _, node in _places(_rdf_of(_parsed(packet)), key):
        if node.nodeType == node.ATTRIBUTE_NODE:
            texts.append(node.value)
            continue
        items = node.getElementsByTagNameNS(RDF, "li")
        texts += [_text_of(item) for item in items or [node]]
    return texts


def without_orientation(packet: bytes) -> bytes:
    """Return the packet without a ``tiff:Orientation`` and without thumbnails, which the pixels have outlived.

    Without the reference to a second part, too, which JPEG files have and is not read here.

    Raises:
        DamagedXmpError: the packet cannot be read.
    """
    document = _parsed(packet)
    rdf = _rdf_of(document)
    stale = [(NAMESPACES["tiff"], "Orientation"), (NAMESPACES["xmp"], "Thumbnails"), EXTENSION]
    places = [place for namespace, name in stale for place in _named(rdf, namespace, name)]
    if not places:
        return packet
    for place in places:
        _remove(place)
    return _serialized(document)


def _remove(place: Place) -> None:
    owner, node = place
    if node.nodeType == node.ATTRIBUTE_NODE:
        owner.removeAttributeNode(node)
    else:
        owner.removeChild(node)


def _parsed(packet: bytes) -> minidom.Document:
    packet = packet.strip(b"\x00 \r\n\t")
    if len(packet) > MAX_PACKET_BYTES or DECLARATION.search(packet.replace(b"\x00", b"")):
        raise DamagedXmpError("too large, or with declarations that XMP does not allow")
    try:
        document = minidom.parseString(packet)  # noqa: S318 - no declarations in it, and bounded
    except (ExpatError, ValueError, RecursionError, LookupError) as error:
        raise DamagedXmpError("not well-formed XML") from error
    _check_depth(document)
    return document


def _check_depth(document: minidom.Document) -> None:
    level, depth = [document.documentElement], 0
    while level:
        depth += 1
        if depth > MAX_DEPTH:  # minidom calls itself for each level
            raise DamagedXmpError("nested too deeply")
        level = [child for node in level if node for child in node.childNodes if child.nodeType == child.ELEMENT_NODE]


def _rdf_of(document: minidom.Document) -> minidom.Element:
    found = document.getElementsByTagNameNS(RDF, "RDF")
    if not found:
        raise DamagedXmpError("no RDF in it")
    return found[0]


def _about(rdf: minidom.Element) -> str:
    for description in rdf.getElementsByTagNameNS(RDF, "Description"):
        if description.parentNode is rdf:
            return str(description.getAttributeNS(RDF, "about"))
    return ""


def _places(rdf: minidom.Element, key: XmpProperty) -> list[Place]:
    return _named(rdf, NAMESPACES[key.prefix], key.name)


def _named(rdf: minidom.Element, namespace: str, name: str) -> list[Place]:
    """Return (description, attribute or element) for each place at the top level that states the property."""
    found: list[Place] = []
    for owner in rdf.childNodes:
        if owner.nodeType != owner.ELEMENT_NODE or owner.namespaceURI != RDF or owner.localName != "Description":
            continue
        attribute = owner.getAttributeNodeNS(namespace, name)
        if attribute is not None:
            found.append((owner, attribute))
        found += [
            (owner, child) for child in owner.childNodes if (child.namespaceURI, child.localName) == (namespace, name)
        ]
    return found


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


def _text_of(node: minidom.Node) -> str:
    return "".join(child.data for child in node.childNodes if child.nodeType == child.TEXT_NODE)


def _serialized(document: minidom.Document) -> bytes:
    root = document.documentElement
    if root is None:
        raise DamagedXmpError("empty")
    return f"{PACKET_START}\n{root.toxml()}\n{PACKET_END}".encode()
