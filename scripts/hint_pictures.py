"""Make the pictures of docs/hints.md: without hints, with one, the questions, and with two answers.

    python scripts/hint_pictures.py [--model MODEL] [--out docs/images]

Only the first is kept in the repository, for size. The photograph is a sample of scikit-image (NASA's, in the public
domain), greyed; the colours given are those of the scene as it was.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from skimage import data

from photochrom import Colorizer, Hint, OutputOptions, Photo, save_photo
from photochrom.evaluation.photographs import greyed
from photochrom.options import DEFAULT_MODEL
from photochrom.questions.answers import hints_of
from photochrom.questions.asking import ask
from photochrom.questions.page import as_picture

SUIT = Hint(point=(0.25, 0.72), color="darkorange", reach=0.3)
SHOWN = 5


def beside(*pictures: np.ndarray) -> Photo:
    """Return pictures of one height beside each other."""
    return Photo(np.concatenate(pictures, axis=1))


def main() -> None:
    """Make the pictures, and print what was asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default=DEFAULT_MODEL)
    parser.add_argument("--out", type=Path, default=Path("docs/images"))
    arguments = parser.parse_args()
    photo, quality = Photo(greyed(data.astronaut()[::2, ::2].copy())), OutputOptions(quality=50)
    with Colorizer(arguments.model) as colorizer:
        questions = ask(photo, colorizer.engine, SHOWN)
        answers = [f"{question.number}=a" for question in questions[:2]]
        plain, one, two = (
            colorizer.run(photo, told).photo.pixels for told in ((), (SUIT,), hints_of(answers, questions))
        )
    save_photo(beside(plain, one), arguments.out / "hints.webp", options=quality)
    save_photo(beside(as_picture(questions, photo).pixels, two), arguments.out / "questions.webp", options=quality)
    for question in questions:
        print(question.number, question.point, [choice.name for choice in question.choices])


if __name__ == "__main__":
    main()
