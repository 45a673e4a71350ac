"""Questions shown: as text, as JSON, and on the photograph."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from photochrom.files.photo import Photo
from photochrom.hints.sheet import PhotoIdentity
from photochrom.luma import shrink_luma
from photochrom.questions.asking import Question
from photochrom.resample import render_size

SHOWN_PX = 720
INK, PAPER = (20, 20, 20), (255, 255, 255)


def as_text(questions: Sequence[Question]) -> str:
    """Return the questions for people to read, one paragraph each."""
    return "\n".join(_paragraph(question) for question in questions)


def _paragraph(question: Question) -> str:
    x, y = question.point
    choices = "   ".join(
        f"{choice.letter}) {choice.name} {choice.color} {choice.share:.0%}" for choice in question.choices
    )
    where = f"at {x:.0%} from the left, {y:.0%} from the top"
    return f"{question.number}. Which colour is it {where} ({question.area:.0%} of the picture)?\n   {choices}"


def as_json(questions: Sequence[Question], photo: Photo) -> bytes:
    """Return the questions as a file of JSON, with the photograph that they are about."""
    values = {
        "photochrom_questions": 1,
        "photo": PhotoIdentity.of(photo).model_dump(),
        "questions": [asdict(question) for question in questions],
    }
    return (json.dumps(values, indent=1) + "\n").encode()


def as_picture(questions: Sequence[Question], photo: Photo) -> Photo:
    """Return a grey copy of the photograph with the questions' numbers and likely colours on it.

    The copy's short side has at most SHOWN_PX pixels.
    """
    short = min(SHOWN_PX, photo.width, photo.height)
    width, height = render_size(photo.width, photo.height, short, multiple=1, stride=1)
    codes = np.rint(shrink_luma(photo.pixels, width, height, 1).net * 255).astype(np.uint8)
    sheet = Image.fromarray(codes).convert("RGB")
    pen, px = ImageDraw.Draw(sheet), max(8, short // 28)
    font = ImageFont.load_default(px)
    for question in questions:
        _draw(pen, question, (width, height), px, font)
    return Photo(np.asarray(sheet))


def _draw(
    pen: ImageDraw.ImageDraw,
    question: Question,
    size: tuple[int, int],
    px: int,
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
) -> None:
    """Draw one question: a ring where it is asked, its number, and a square of each choice, kept inside the picture."""
    x, y = question.point[0] * size[0], question.point[1] * size[1]
    pen.ellipse((x - px / 3, y - px / 3, x + px / 3, y + px / 3), fill=PAPER, outline=INK, width=2)
    across = px * (1.6 + 1.3 * len(question.choices))
    left = min(max(x + px / 2, 0), max(size[0] - across - 1, 0))
    top = min(max(y - px * 0.8, 0), max(size[1] - px * 1.6 - 1, 0))
    pen.rectangle((left, top, left + across, top + px * 1.6), fill=PAPER, outline=INK)
    pen.text((left + px * 0.3, top + px * 0.2), str(question.number), fill=INK, font=font)
    for place, choice in enumerate(question.choices):
        corner = left + px * (1.4 + 1.3 * place)
        pen.rectangle((corner, top + px * 0.2, corner + px * 1.2, top + px * 1.4), fill=choice.color, outline=INK)
        pen.text(
            (corner + px * 0.35, top + px * 0.2), choice.letter, fill=PAPER, font=font, stroke_width=1, stroke_fill=INK
        )
