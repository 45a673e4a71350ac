"""What somebody who starts a server can choose, declared once, as ``photochrom.options`` does for photographs."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from photochrom.options import Options, Topic

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class ServerOptions(Options):
    """Where a server listens, who may come in, and how much it takes on."""

    topic = Topic.COMPUTER

    host: str = Field(
        default="127.0.0.1",
        min_length=1,
        max_length=253,
        pattern=r"^[A-Za-z0-9.:_-]+$",
        description="Address to listen on. The usual one is this computer alone. Any other lets everybody who reaches "
        "it and knows the token in, over a connection that is not encrypted; it needs --token-file.",
    )
    port: int = Field(default=8460, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    token_file: Path | None = Field(
        default=None,
        description="File that holds the token by which callers are let in, at least 20 characters; made, readable to "
        "you alone, where there is none. Left out, a new token is made at each start, and printed.",
    )
    store: Path | None = Field(
        default=None,
        description="Folder for uploads and jobs, kept from one start to the next, so that jobs survive a restart. "
        "Left out, `serve` keeps one per port in photochrom's cache folder; with port 0, and for the studio, it "
        "is a temporary one, which goes at the end.",
    )
    max_jobs: int = Field(
        default=100,
        ge=1,
        le=100_000,
        description="Jobs that may wait or run at a time; whoever comes then is told to come later (429).",
    )
    max_seconds: float = Field(default=3600.0, gt=0, le=1e6, description="Longest time that one job may take.")
    max_store_bytes: int = Field(
        default=20_000_000_000,
        ge=1,
        description="Most that uploads and results may take on disk. Finished jobs are removed for new ones, the "
        "oldest first.",
    )
    keep_hours: float = Field(
        default=24.0, gt=0, le=1e5, description="How long finished jobs can be fetched, and uploads used."
    )
    body_timeout_s: float = Field(
        default=30.0, gt=0, le=3600, description="Silence, in seconds, after which an upload is given up."
    )
    workers: int = Field(
        default=2, ge=1, le=64, description="Photographs worked on at a time; more cost memory, and gain little."
    )

    @property
    def is_loopback(self) -> bool:
        """Whether nobody but this computer can reach the address."""
        return self.host in LOOPBACK or self.host.startswith("127.")


class StudioOptions(ServerOptions):
    """The same for the studio, which a browser is led to: it takes a free port."""

    port: int = Field(default=0, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
