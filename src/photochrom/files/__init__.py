"""One photograph, in memory and on disk: a file, bytes or a picture comes in, a Photo (upright, sRGB) is held.

It goes out whole, with its own metadata and what was done to it. Nothing here knows a model or an album.
"""
