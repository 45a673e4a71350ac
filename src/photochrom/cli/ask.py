"""`photochrom ask PHOTO`: what the net would rather ask than guess."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from photochrom.cli.groups import Budget, Engine
from photochrom.cli.lines import say
from photochrom.cli.targets import refuse_targets
from photochrom.colorizer import Colorizer
from photochrom.errors import EXIT_OK, OptionError
from photochrom.files.codecs.atomic import write_whole
from photochrom.files.made_here import labelled
from photochrom.files.reading import open_photo
from photochrom.files.writing import save_photo
from photochrom.hints.hint import Hint
from photochrom.hints.sheet import HINTS_SUFFIX, HintSheet, read_hints
from photochrom.options import DEFAULT_MODEL, ColorizeOptions, EngineOptions, Limits
from photochrom.questions.answers import hints_of
from photochrom.questions.asking import MOST_QUESTIONS, ask
from photochrom.questions.page import as_json, as_picture, as_text


def ask_about(
    photo: Annotated[Path, Parameter(name="PHOTO")],
    /,
    *,
    count: Annotated[int, Parameter(validator=Number(gte=1, lte=MOST_QUESTIONS))] = 5,
    answer: Annotated[list[str] | None, Parameter(negative="", consume_multiple=False)] = None,
    hints: Path | None = None,
    output: Annotated[Path | None, Parameter(name=["--output", "-o"])] = None,
    json: Path | None = None,
    picture: Path | None = None,
    model: str = DEFAULT_MODEL,
    overwrite: Annotated[bool, Parameter(negative="")] = False,
    engine: Engine = EngineOptions(),
    limits: Budget = Limits(),
) -> int:
    """Print the questions whose answers would change a photograph's colours most, and write answers as hints.

    The regions that are unsure, large, and not implied by one another come first, each with two to four likely colours.
    With --answer a file of hints is written, for `photochrom colorize --hints`.

    Args:
        photo: The photograph.
        count: At most so many questions; fewer where the net is sure.
        answer: NUMBER=LETTER or NUMBER=COLOUR, such as 1=b or 3=#6b8e23; repeat it.
        hints: What is known already, as for `colorize --hints`: nothing is asked twice, and answers are added to it.
        output: Where answers are written. Left out, PHOTO's name with `.hints.json`, beside it.
        json: Write the questions to this file, too.
        picture: Write the photograph with the questions drawn on it to this file.
        model: A model that can hear, by name or file.
        overwrite: Replace files that exist already.
        engine: What runs the net.
        limits: What a file may ask of this computer.
    """
    target = (output or photo.with_name(photo.stem + HINTS_SUFFIX)) if answer else None
    if output and not answer:
        what, next_step = "is for answers", "Add --answer NUMBER=LETTER, or use --json for the questions"
        raise OptionError(what, where=f"--output {output}", next_step=next_step)
    added_to = hints and target and overwrite and os.path.abspath(target) == os.path.abspath(hints)
    read = [photo, *([hints] if hints and not added_to else [])]
    refuse_targets([target, json, picture], read=read, overwrite=overwrite)
    opened = open_photo(photo, limits=limits)
    known: tuple[Hint, ...] = read_hints(hints, opened, limits=limits).hints if hints else ()
    with Colorizer(options=ColorizeOptions(model=model), engine_options=engine) as colorizer:
        questions = ask(opened, colorizer.engine, MOST_QUESTIONS if answer else count, known)
    # Answered are questions that an earlier call numbered, however many it showed; shown are as many as are wanted.
    asked = questions[:count]
    if json:
        write_whole(json, as_json(asked, opened))
    if picture:
        save_photo(labelled(as_picture(asked, opened), "ask"), picture)
    if target and answer:
        sheet = HintSheet.for_photo(opened, [*known, *hints_of(answer, questions)])
        write_whole(target, sheet.as_json())
        say(f"{target}: {len(sheet.hints)} hint{'s' if len(sheet.hints) > 1 else ''}")
    elif asked:
        for line in as_text(asked).splitlines():
            say(line)
        say(
            "To answer, add to the same command --answer 1=a, or any colour: --answer 1=seagreen. Repeat it for several"
        )
    else:
        say(f"{photo}: nothing worth asking")
    if opened.notes:  # such as which page of several it is
        say(f"{photo}: {'; '.join(opened.notes)}")
    return EXIT_OK
