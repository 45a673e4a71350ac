"""Film: a reel goes in, the same reel in colour comes out, its luma plane and its sound untouched.

In: a path that FFmpeg can read (through PyAV, the extra `film`), or a folder of pictures. Out: a film file with the
same timestamps, or a folder of pictures. `pipeline` is the main path; no other wing imports this one.
"""
