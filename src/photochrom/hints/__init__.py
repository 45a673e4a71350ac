"""Colours that a person knows: hints in a file, a picture or Python come in, planes for the net go out.

`hint.py` is what a person says, `sheet.py` the file it is kept in, `painted.py` the picture it may be painted as;
`drawing.py` lays hints onto a grid; `correction.py` takes off what the net errs by in all that is like the places told,
and `spreading.py` makes the picture obey the hints where the net alone does not.
"""
