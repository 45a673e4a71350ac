"""The version of this package, where every layer may read it."""

VERSION = "0.1.0"
