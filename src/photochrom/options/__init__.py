"""What a user can choose, declared once: the Python API, the command line and configuration files all read these.

Models are frozen (safe to share between threads) and forbid unknown keys. Each field's description is the text of its
command-line help, so it says what the option does and, where there is a price, what it costs. Choosing for film has a
file in its own wing.
"""

from photochrom.options.base import Options, Topic, option_error
from photochrom.options.coloring import (
    DEFAULT_MODEL,
    IDLE_BESIDE,
    LARGEST_RENDER_PX,
    MOST_ALTERNATIVES,
    Colored,
    ColorizeOptions,
)
from photochrom.options.computer import Device, EngineOptions, Limits
from photochrom.options.files import OutputFormat, OutputOptions, ReadingOptions, WritingOptions
from photochrom.options.restoration import RestoreOptions, Switch

__all__ = [
    "DEFAULT_MODEL",
    "IDLE_BESIDE",
    "LARGEST_RENDER_PX",
    "MOST_ALTERNATIVES",
    "Colored",
    "ColorizeOptions",
    "Device",
    "EngineOptions",
    "Limits",
    "Options",
    "OutputFormat",
    "OutputOptions",
    "ReadingOptions",
    "RestoreOptions",
    "Switch",
    "Topic",
    "WritingOptions",
    "option_error",
]
