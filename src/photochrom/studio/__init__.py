"""The studio: photographs over HTTP, for programs (`photochrom serve`) and for people (`photochrom studio`, a page).

In: photographs and options, sent to this computer's own address. Out: the files that the command line would have
written, byte for byte, and what is shown on the way. `app` puts the parts together, `server` lets it listen; no other
wing imports this one.

`security` lets in, `app` hands on: to `api` for programs, to `pages` for the page (`page/`: plain modules, no build
step). `intake` makes a job of a request, its files in the folder of `store`, its options (`requests`) the command
line's; `jobs` keeps it across restarts, `workers` does it, `develop` the way of an album of one photograph, so the
bytes are the same; `changes` tells those who watch. `wall` is what hangs, `desk` works on it, `sources` knows
its files and notices what others have changed, `looks` shows it at screen size, `darkroom` makes it at full size,
`hintfiles` keeps what was said beside it; `sessions` loads each model once; `stopping` ends work between two runs of a
net.
"""
