"""The main path: a Photo of any tint comes in, the same Photo in colour goes out, luma untouched.

`pipeline` is the way itself; every other file is one of its steps and can be read alone.
"""
