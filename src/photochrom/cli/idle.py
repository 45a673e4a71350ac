"""Options that would do nothing: told in one line, rather than left out of the result in silence."""

from __future__ import annotations

from collections.abc import Collection

from photochrom.errors import OptionError
from photochrom.options import IDLE_BESIDE, ColorizeOptions, Options, RestoreOptions

OF_STAGES = {
    "damage": ("keep_mask", "fill_writing", "largest_hole", "damage_model", "inpaint_model"),
    "noise": ("noise_strength", "noise_model"),
    "tone": ("tone_strength", "correct_cast", "tone_model"),
}
"""What shapes a stage of restoring alone."""
OF_PHOTOGRAPHS = ("alternatives", "alternative", "uncertainty", "classic")
"""What photographs have and films have not."""


def refuse_idle_options(
    group: Options, needs: str, *, names: Collection[str] | None = None, prefix: str = "--"
) -> None:
    """Raise OptionError where an option was given that does nothing without another.

    Args:
        group: options, of which each that is not at its default counts as given.
        needs: the option that they need, as it is written: "--restore".
        names: those of the group that need it; left out, all.
        prefix: before their names on the command line.
    """
    _refuse(group, names, prefix, f"needs {needs}", f"Add {needs}")


def refuse_useless(
    group: Options, beside: str, *, names: Collection[str] | None = None, next_step: str = "Leave out one of the two"
) -> None:
    """Raise OptionError where an option was given that does nothing beside another, or for a verb."""
    _refuse(group, names, "--", f"does nothing with {beside}", next_step)


def refuse_idle_stages(options: RestoreOptions, *, drawn: bool = False) -> None:
    """Raise OptionError where an option shapes a stage of restoring that is switched off.

    Args:
        options: how to restore.
        drawn: whether a mask says what to fill, whatever the damage stage is told.
    """
    for stage, names in OF_STAGES.items():
        if getattr(options, stage) == "never":
            kept = ("keep_mask", "inpaint_model") if drawn and stage == "damage" else ()
            refuse_useless(options, f"--{stage} never", names=[name for name in names if name not in kept])


def refuse_idle_looks(options: ColorizeOptions) -> None:
    """Raise OptionError where an option of colouring does nothing beside another."""
    for beside, names in IDLE_BESIDE.items():
        if getattr(options, beside):
            refuse_useless(options, f"--{beside}", names=names)
    if options.alternative > 1:  # a recipe of one of several versions names both
        refuse_useless(options, "--alternative", names=("alternatives",))


def _refuse(group: Options, names: Collection[str] | None, prefix: str, what: str, next_step: str) -> None:
    for name, declared in type(group).model_fields.items():
        value = getattr(group, name)
        if (names is None or name in names) and value != declared.get_default(call_default_factory=True):
            off = "no-" if value is False else ""
            raise OptionError(what, where=f"{prefix}{off}{name.replace('_', '-')}", next_step=next_step)
