"""The groups of options that verbs share: what `options/` declares, laid out flat on the command line."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from photochrom.options import (
    ColorizeOptions,
    EngineOptions,
    Limits,
    OutputOptions,
    ReadingOptions,
    RestoreOptions,
)

Coloring = Annotated[ColorizeOptions, Parameter(name="*")]
Restoring = Annotated[RestoreOptions, Parameter(name="*")]
Reading = Annotated[ReadingOptions, Parameter(name="*")]
Writing = Annotated[OutputOptions, Parameter(name="*")]
Engine = Annotated[EngineOptions, Parameter(name="*")]
Budget = Annotated[Limits, Parameter(name="*")]
