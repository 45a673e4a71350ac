"""The parser, the table of verbs, and how errors become one line and an exit code."""

from __future__ import annotations

import signal
from collections.abc import Sequence

from cyclopts import App, CycloptsError

from photochrom.cli.empty import refuse_empty
from photochrom.cli.help import HelpByTopic, HelpForFilms
from photochrom.cli.lines import discard_output, output_failure, print_error
from photochrom.cli.usage import usage_line
from photochrom.errors import EXIT_INTERRUPTED, EXIT_OK, EXIT_SOME_FAILED, EXIT_USAGE, PhotochromError
from photochrom.version import VERSION


class TerminationError(KeyboardInterrupt):
    """A signal that asks the program to end; it goes up as Ctrl-C does, past whoever handles mere errors."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.exit_code = 128 + number


def end_on_signals() -> None:
    """Let SIGTERM, and SIGHUP of a closed terminal, end the program as Ctrl-C does: tidily, and with a word."""

    def end(number: int, _: object) -> None:
        raise TerminationError(number)

    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:  # nohup has it ignored
            signal.signal(number, end)


# name, where its function lives, one line of help. Only the verb that is used gets imported.
VERBS = [
    ("colorize", "photochrom.cli.colorize:colorize", "Colour photographs and folders of photographs."),
    ("ask", "photochrom.cli.ask:ask_about", "Ask what the net is unsure of, and write answers as hints."),
    ("restore", "photochrom.cli.restore:restore", "Restore photographs: scratches, stains, grain, fading."),
    ("film", "photochrom.cli.film:film", "Colour a film: steady, in full size, with its sound."),
    ("studio", "photochrom.cli.studio:studio", "Colour and restore in the browser: drop, compare, say, save."),
    ("serve", "photochrom.cli.serve:serve", "Colour and restore for other programs, over HTTP."),
    ("redo", "photochrom.cli.redo:redo", "Make a result again from its recipe, byte for byte."),
    ("batch", "photochrom.cli.batch:batch", "Colour albums in the cloud, here or on a Ray cluster."),
    ("albums", "photochrom.cli.albums:app", "Check and merge what several machines did of one album."),
    ("models", "photochrom.cli.models:app", "List, show, import, pull or push models."),
    ("train", "photochrom.cli.train:train", "Train a network as a configuration file says."),
    ("export", "photochrom.cli.export:export", "Write a trained network as a model file."),
    ("finetune", "photochrom.cli.finetune:finetune", "Adapt a model to your own colour photographs."),
    ("degrade", "photochrom.cli.degrade:degrade_photo", "Make a photograph look old: faded, scratched, stained."),
    ("evaluate", "photochrom.cli.evaluate:evaluate", "Measure models on colour photographs."),
    ("evaluate-film", "photochrom.cli.evaluate_film:evaluate_film", "Measure how steadily films are coloured."),
    ("doctor", "photochrom.cli.doctor:doctor", "Check this installation and say how to fix what is missing."),
]

MANY_OPTIONS = {"colorize", "restore"}  # whose help is cut into topics


def build_app() -> App:
    """Return the parser with every verb registered by name, none of them loaded."""
    app = App(
        name="photochrom",
        help="Colour and restore old photographs offline.",
        version=VERSION,
        exit_on_error=False,
        print_error=False,
        help_on_error=False,
        suppress_keyboard_interrupt=False,
        result_action="return_value",
        config=refuse_empty,
    )
    for name, path, help_text in VERBS:
        if name == "film":
            app.command(path, name=name, help=help_text, help_formatter=HelpForFilms())
        elif name in MANY_OPTIONS:
            app.command(path, name=name, help=help_text, help_formatter=HelpByTopic(path))
        else:
            app.command(path, name=name, help=help_text)
    return app


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit code, one of those in ``photochrom.errors``."""
    code = _run(arguments)
    failure = output_failure()
    if failure is None:
        return code
    why = failure.strerror or str(failure)
    return _report(f"standard output: cannot be written ({why}); nothing else failed by that", code or EXIT_SOME_FAILED)


def _run(arguments: Sequence[str] | None) -> int:
    try:
        result = build_app()(arguments)
    except PhotochromError as error:
        return _report(" ".join(str(error).split()), error.exit_code)
    except CycloptsError as error:
        return _report(usage_line(error, [name for name, _, _ in VERBS]), EXIT_USAGE)
    except TerminationError as error:
        return _report("stopped by the system or another program", error.exit_code)
    except KeyboardInterrupt:
        return _report("interrupted", EXIT_INTERRUPTED)
    except BrokenPipeError:
        # The reader has gone (`photochrom models list | head -1`): nobody is left to tell.
        discard_output()
        return EXIT_SOME_FAILED
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        return _report(f"{where}{error.strerror or error}", EXIT_SOME_FAILED)
    return result if isinstance(result, int) else EXIT_OK


def _report(line: str, exit_code: int) -> int:
    print_error(line)
    return exit_code
