"""What is wrong with a command line, in one line that says what to write instead."""

from __future__ import annotations

import os
from collections.abc import Sequence

from cyclopts import CycloptsError, MissingArgumentError, UnknownCommandError, UnknownOptionError, UnusedCliTokensError

from photochrom.spelling import did_you_mean


def usage_line(error: CycloptsError, verbs: Sequence[str]) -> str:
    """Return the parser's message as one line; it already suggests the option that was meant."""
    if isinstance(error, UnknownCommandError) and error.unused_tokens and not error.command_chain:
        return _no_verb(error.unused_tokens[0], verbs)
    line = " ".join(_plain_message(error).split())
    verb = " ".join(error.command_chain or ())
    return f"{line} See `photochrom {verb} --help`.".replace("photochrom  --help", "photochrom --help")


def _no_verb(wrong: str, verbs: Sequence[str]) -> str:
    """Return the line for a first word that is no verb. The parser's own suggestion would import every one of them."""
    meant = did_you_mean(wrong, [*verbs, "--help", "--version"])
    if wrong.startswith("-") and not meant.startswith("Did"):
        example = f"`photochrom colorize PHOTO {wrong}`"
        return f"{wrong}: options stand behind the verb, as in {example}. See `photochrom --help`."
    return f"{wrong}: unknown command. {meant}"


def _plain_message(error: CycloptsError) -> str:
    """Return the message without the parser's terms, pydantic's type names and its web address."""
    import pydantic  # `--help` needs none of it

    from photochrom.options import option_error

    cause = error.__cause__
    if isinstance(cause, pydantic.ValidationError):
        wrong = option_error(pydantic.BaseModel, cause)
        return f"--{wrong.where.replace('_', '-')}: {wrong.what}."
    if isinstance(error, UnusedCliTokensError):
        return f"{' '.join(error.unused_tokens or ())}: nothing more is taken here."
    if isinstance(error, MissingArgumentError) and error.argument and not error.keyword and not error.argument.tokens:
        names = error.argument.names
        if names[0].startswith("-"):
            return f"{names[0]}: has to be given, as in {names[-1]} NAME."
    if isinstance(error, UnknownOptionError) and os.path.lexists(error.token.keyword or error.token.value):
        name = error.token.keyword or error.token.value
        return f"{name}: is taken for an option; write ./{name} for the file of that name."
    return str(error)
