"""The XML of an XMP packet: opened within budgets, its properties found, and written as a packet again.

Source: ISO 16684-1:2019 (XMP, part 1), clause 7.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from xml.dom import minidom
from xml.parsers.expat import ExpatError, ParserCreate

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
META = "adobe:ns:meta/"
PACKET_START = '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
PACKET_END = '<?xpacket end="w"?>'
EMPTY = f'<x:xmpmeta xmlns:x="{META}"><rdf:RDF xmlns:rdf="{RDF}"/></x:xmpmeta>'
MAX_PACKET_BYTES = 16_000_000
MAX_DEPTH = 60
MOST_ATTRIBUTES = 1_000
"""Of one element, namespaces included: building the document takes the square of their number."""
MAX_NODES = 50_000
"""Elements, attributes and runs of text: each costs a kilobyte while the packet is open."""
TOO_MUCH = "too much in it that is no property"
DECLARATION = re.compile(rb"<!\s*(DOCTYPE|ENTITY)", re.IGNORECASE)
# A description, and the attribute or child element that states a property; minidom's types cannot say which.
Place = tuple[minidom.Element, Any]


class DamagedXmpError(ValueError):
    """The packet is not the XML it should be."""


def remove(place: Place) -> None:
    owner, node = place
    if node.nodeType == node.ATTRIBUTE_NODE:
        owner.removeAttributeNode(node)
    else:
        owner.removeChild(node)


def parsed(packet: bytes) -> minidom.Document:
    packet = packet.strip(b"\x00 \r\n\t")
    if len(packet) > MAX_PACKET_BYTES or DECLARATION.search(packet.replace(b"\x00", b"")):
        raise DamagedXmpError("too large, or with declarations that XMP does not allow")
    try:
        _Counter().count(packet)
        return minidom.parseString(packet)  # noqa: S318 - no declarations in it, and bounded
    except DamagedXmpError:
        raise
    except (ExpatError, ValueError, RecursionError, LookupError) as error:
        raise DamagedXmpError("not well-formed XML") from error


class _Counter:
    """Counts what a packet would become in memory, without building it."""

    def __init__(self) -> None:
        self.nodes, self.depth = 0, 0

    def count(self, packet: bytes) -> None:
        """Raise DamagedXmpError where there is too much, or it is nested too deeply for minidom, which recurses."""
        parser = ParserCreate()
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = parser.CommentHandler = self._node
        parser.ProcessingInstructionHandler = self._node
        parser.buffer_text = True
        parser.Parse(packet, True)

    def _node(self, *_: str) -> None:
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise DamagedXmpError(f"more than {MAX_NODES:,} parts")

    def _start(self, _: str, attributes: dict[str, str]) -> None:
        self.nodes += len(attributes)
        self.depth += 1
        if len(attributes) > MOST_ATTRIBUTES:
            raise DamagedXmpError(f"more than {MOST_ATTRIBUTES:,} attributes in one place")
        if self.depth > MAX_DEPTH:
            raise DamagedXmpError("nested too deeply")
        self._node()

    def _end(self, _: str) -> None:
        self.depth -= 1


def rdf_of(document: minidom.Document) -> minidom.Element:
    found = document.getElementsByTagNameNS(RDF, "RDF")
    if not found:
        raise DamagedXmpError("no RDF in it")
    return found[0]


def descriptions_of(rdf: Any) -> Iterator[Any]:
    """Yield the descriptions at the top level, which properties are stated in."""
    for node in rdf.childNodes:
        if node.nodeType == node.ELEMENT_NODE and (node.namespaceURI, node.localName) == (RDF, "Description"):
            yield node


def about(rdf: minidom.Element) -> str:
    return next((str(description.getAttributeNS(RDF, "about")) for description in descriptions_of(rdf)), "")


def named(rdf: minidom.Element, namespace: str, name: str) -> list[Place]:
    """Return the places at the top level that state a property."""
    return [
        (owner, node) for owner, node in all_places(rdf) if (node.namespaceURI, node.localName) == (namespace, name)
    ]


def all_places(rdf: minidom.Element) -> Iterator[Place]:
    """Yield (description, attribute or element) for each property at the top level."""
    for owner in descriptions_of(rdf):
        attributes = owner.attributes
        for number in range(attributes.length):
            yield owner, attributes.item(number)
        for child in owner.childNodes:
            if child.nodeType == child.ELEMENT_NODE:
                yield owner, child


def drop_idle(node: Any) -> None:
    """Remove comments, instructions, and the white space between elements, from an element and all inside it."""
    holds_elements = any(child.nodeType == child.ELEMENT_NODE for child in node.childNodes)
    is_frame = node.namespaceURI in (RDF, META) and node.localName in ("RDF", "Description", "xmpmeta")
    for child in list(node.childNodes):
        is_blank = child.nodeType == child.TEXT_NODE and not child.data.strip()
        if child.nodeType in (child.COMMENT_NODE, child.PROCESSING_INSTRUCTION_NODE) or (
            is_blank and (holds_elements or is_frame)
        ):
            node.removeChild(child)
        elif child.nodeType == child.ELEMENT_NODE:
            drop_idle(child)


def text_of(node: minidom.Node) -> str:
    return "".join(child.data for child in node.childNodes if child.nodeType == child.TEXT_NODE)


def serialized(document: minidom.Document) -> bytes:
    root = document.documentElement
    if root is None:
        raise DamagedXmpError("empty")
    return f"{PACKET_START}\n{root.toxml()}\n{PACKET_END}".encode()
