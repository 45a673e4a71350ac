"""Answers, as they are typed, as hints."""

from __future__ import annotations

from collections.abc import Sequence

from photochrom.errors import OptionError
from photochrom.hints.hint import Hint
from photochrom.questions.asking import Question

NEXT_STEP = "Write --answer 1=b, or --answer 1=seagreen"


def hints_of(answers: Sequence[str], questions: Sequence[Question]) -> list[Hint]:
    """Return the hints that answers make: "NUMBER=LETTER" or "NUMBER=COLOUR".

    Raises:
        OptionError: there is no such question or choice, one is answered twice, or a colour is unknown.
    """
    numbered, made = {question.number: question for question in questions}, dict[int, Hint]()
    for answer in answers:
        number, separator, color = (part.strip() for part in answer.partition("="))
        where = f"--answer {answer}"
        if not separator or not color or not (number.isascii() and number.isdecimal()):
            raise OptionError("is not NUMBER=ANSWER", where=where, next_step=NEXT_STEP)
        question = numbered.get(int(number))
        if question is None:
            known = (
                f"Questions are 1 to {len(questions)}" if questions else "The net has no question of this photograph"
            )
            raise OptionError(f"there is no question {number}", where=where, next_step=known)
        if question.number in made:
            raise OptionError(f"question {number} is answered twice", where=where, next_step="Answer it once")
        made[question.number] = _hint(question, color, where)
    return list(made.values())


def _hint(question: Question, color: str, where: str) -> Hint:
    chosen = {choice.letter: choice.ab for choice in question.choices}
    if len(color) == 1 and color.isalpha() and color.lower() not in chosen:
        raise OptionError(
            f"question {question.number} has no choice {color!r}", where=where, next_step=f"Choose {', '.join(chosen)}"
        )
    try:
        return Hint.checked(point=question.point, color=chosen.get(color.lower(), color), reach=question.reach)
    except OptionError as error:
        raise OptionError(error.what, where=where, next_step=error.next_step) from None
