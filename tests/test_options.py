from __future__ import annotations

import pytest
from pydantic import BaseModel

from photochrom.errors import OptionError
from photochrom.options import ColorizeOptions, EngineOptions, Limits, OutputOptions, ReadingOptions

ALL = [ColorizeOptions, EngineOptions, Limits, OutputOptions, ReadingOptions]


@pytest.mark.parametrize("options", ALL)
def test_every_option_says_what_it_does(options: type[BaseModel]) -> None:
    for name, field in options.model_fields.items():
        assert field.description, name
        assert field.description.endswith("."), name


@pytest.mark.parametrize("options", ALL)
def test_options_are_frozen_and_hashable_and_shared_safely(options: type[BaseModel]) -> None:
    instance = options()
    with pytest.raises(ValueError, match="frozen"):
        setattr(instance, next(iter(options.model_fields)), None)
    assert hash(instance) == hash(options())


def test_no_option_name_is_used_twice() -> None:
    names = [name for options in ALL for name in options.model_fields]
    assert len(names) == len(set(names))  # they share one command line


def test_an_unknown_option_suggests_the_nearest() -> None:
    with pytest.raises(OptionError, match=r"vividnes: unknown option\. Did you mean 'vividness'"):
        ColorizeOptions.checked(vividnes=1)


@pytest.mark.parametrize(
    "wrong",
    [
        {"vividness": float("nan")},
        {"vividness": float("inf")},
        {"vividness": -0.1},
        {"size": 8},
        {"size": 100_000},
        {"chroma_ceiling": 0},
        {"model": None},
    ],
)
def test_a_value_out_of_range_is_one_line(wrong: dict[str, object]) -> None:
    with pytest.raises(OptionError) as caught:
        ColorizeOptions.checked(**wrong)
    assert str(caught.value).startswith(next(iter(wrong)))
    assert "\n" not in str(caught.value)
