"""Parts of an album: which photographs of it one machine of several does, with nobody to tell them.

A photograph's shard follows from its name inside the album alone, so twenty machines that know only their number share
an album without talking to each other. Each keeps a manifest of its own, see :mod:`photochrom.albums.manifest`.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import BinaryIO, Self

from pydantic import Field

from photochrom.errors import OptionError, PhotoNotFoundError
from photochrom.files.codecs.source import open_regular_file
from photochrom.options import Options, Topic

MOST_SHARDS = 100_000
LONGEST_LIST_BYTES = 1_000_000_000
STANDARD_INPUT = Path("-")


@dataclass(frozen=True, slots=True)
class Shard:
    """One of ``count`` parts, counted from 1."""

    number: int
    count: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the shard that "3/20" names.

        Raises:
            OptionError: it names none.
        """
        found = re.fullmatch(r"(\d{1,9})/(\d{1,9})", text.strip(), re.ASCII)
        if not found:
            next_step = "Write 3/20 for the third of twenty"
            raise OptionError("is not NUMBER/COUNT", where=f"--shard {text}", next_step=next_step)
        number, count = int(found[1]), int(found[2])
        if not 1 <= count <= MOST_SHARDS:
            what = f"an album has 1 to {MOST_SHARDS:,} shards"
            raise OptionError(what, where=f"--shard {text}", next_step="Write 3/20 for the third of twenty")
        if not 1 <= number <= count:
            there_are = f"there are {count} shards, counted from 1 to {count}"
            raise OptionError(there_are, where=f"--shard {text}", next_step="Where a job's numbers begin at 0, add 1")
        return cls(number, count)

    @property
    def name(self) -> str:
        """What the shard's manifest is called by."""
        return f"{self.number}-of-{self.count}"

    def holds(self, key: str) -> bool:
        """Return whether a photograph, by its name inside the album, is in this shard."""
        return shard_number(key, self.count) == self.number


def shard_number(key: str, count: int) -> int:
    """Return the shard of a photograph, 1 to ``count``; the same on every system and in every version.

    The first eight bytes of the SHA-256 of the name, in Unicode's form C and UTF-8, modulo the count, plus 1.
    """
    name = unicodedata.normalize("NFC", key).encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.sha256(name).digest()[:8], "big") % count + 1


class PartOptions(Options):
    """Which photographs of an album this machine does."""

    topic = Topic.COMPUTER

    shard: str | None = Field(
        default=None,
        description="Do one part of an album, such as 3/20, so that 20 machines share it: a photograph's part follows "
        "from its name. `photochrom albums merge` joins and checks what they did.",
    )
    files_from: Path | None = Field(
        default=None,
        description="Do the photographs of a folder that a list names, one a line (or ended by zero bytes), as they "
        "are called inside the folder; `-` reads the list from standard input.",
    )

    def parsed(self, standard_input: BinaryIO) -> Part:
        """Return the part, the list read.

        Args:
            standard_input: what the list `-` is read from.

        Raises:
            OptionError, PhotoNotFoundError, UnreadablePhotoError: the shard or the list is none.
        """
        names = None if self.files_from is None else read_list(self.files_from, standard_input)
        return Part(Shard.parse(self.shard) if self.shard else None, names)


@dataclass(frozen=True, slots=True)
class Part:
    """A shard of an album, or the photographs of a list, or a shard of those; by default everything."""

    shard: Shard | None = None
    names: Sequence[str] | None = None

    @property
    def name(self) -> str:
        """What the part's manifest is called by: "" for the whole album."""
        listed = ""
        if self.names is not None:
            text = "\0".join(sorted(self.names)).encode("utf-8", "surrogatepass")
            listed = f"list-{hashlib.sha256(text).hexdigest()[:12]}"
        return "-".join(filter(None, [listed, self.shard.name if self.shard else ""]))

    def holds(self, key: str) -> bool:
        """Return whether a photograph of the album, or of the list, belongs to it."""
        return self.shard is None or self.shard.holds(key)

    def listed_in(self, folder: Path) -> list[Path]:
        """Return the paths of the list's photographs.

        Raises:
            OptionError: a name leads out of the folder.
        """
        return [folder / _inside(name, folder) for name in self.names or ()]


WHOLE = Part()


def read_list(path: Path, standard_input: BinaryIO) -> list[str]:
    """Return the names in a list, each once, in their order.

    Raises:
        OptionError: it names nothing, or is too long.
        PhotoNotFoundError, UnreadablePhotoError: there is no such file.
    """
    if path == STANDARD_INPUT:
        data = standard_input.read(LONGEST_LIST_BYTES + 1)
    else:
        with open_regular_file(str(path)) as handle:
            data = handle.read(LONGEST_LIST_BYTES + 1)
    if len(data) > LONGEST_LIST_BYTES:
        what = "the list is longer than a gigabyte"
        raise OptionError(what, where=f"--files-from {path}", next_step="Cut it in parts")
    names = list(dict.fromkeys(_names_in(data)))
    if not names:
        next_step = "Write names in it as they are inside the folder, one a line"
        raise OptionError("the list names no photographs", where=f"--files-from {path}", next_step=next_step)
    return names


def _names_in(data: bytes) -> Iterator[str]:
    """Yield names; those of files that are not UTF-8 come through as Python's own names of files do."""
    ended_by = b"\0" if b"\0" in data else b"\n"
    for line in data.removeprefix(b"\xef\xbb\xbf").split(ended_by):
        name = line if ended_by == b"\0" else line.removesuffix(b"\r")
        if name:
            yield name.decode("utf-8", "surrogateescape")


def _inside(name: str, folder: Path) -> PurePath:
    """Return a listed name as one inside the folder."""
    path = Path(name)
    if path.is_absolute():
        if not path.is_relative_to(folder):
            raise OptionError("does not lie in the folder", where=name, next_step=f"List what is inside {folder}")
        path = path.relative_to(folder)
    if ".." in path.parts:
        raise OptionError("leads out of the folder", where=name, next_step=f"List what is inside {folder}")
    if not path.parts:
        next_step = f"List what is inside {folder}"
        raise PhotoNotFoundError("is no name of a photograph", where=name, next_step=next_step)
    return path
