"""The studio: photographs over HTTP, for programs (`photochrom serve`) and for people (`photochrom studio`, a page).

In: photographs and options, sent to this computer's own address. Out: the files that the command line would have
written, byte for byte, and what is shown on the way. `app` puts the parts together, `server` lets it listen; no other
wing imports this one.
"""
