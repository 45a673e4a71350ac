"""Film: a reel goes in, the same reel in colour comes out, its luma plane and its sound untouched.

In: a path that FFmpeg can read (through PyAV, the extra `film`), or a folder of pictures. Out: a film file with the
same timestamps, or a folder of pictures. `pipeline` is the main path; no other wing imports this one.

`session` is the door, and finds out all that can fail before the first frame (`checks`, `trial`). Then `pipeline`:
frames with exact times (`sources`, `containers`, `continuity`, `further`, `rising`) become luma planes (`planes`), are
followed on small copies (`motion`) and cut into shots and passages (`shots`, `passages`); `keyframes` shows some to the
net, as photographs are; colours travel along the motion both ways (`steadiness`); `chroma` lays them under the luma in
the film's matrix and range (`matrices`), HDR in linear light (`transfers`). Segments are written whole or not at all
(`writers`, `encoding`, `segments`, `states`) and joined with the original's sound packet by packet (`joining`,
`copying`). `--restore` looks at neighbours in time first (`restoring`, `exposure`, `marks`), then asks the photographs'
networks, once a shot (`treatment`). `stretches` divides a film among several computers; what works ahead has threads of
`pools`.
"""
