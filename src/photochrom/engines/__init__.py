"""Engines: which models there are, where their files lie, and what runs them.

A name or a path comes in, an engine that fulfils one of the contracts goes out: arrays in, arrays out. No photographs.

The contract of colour, `color/1` (`base`): luma float32 (B, 1, H, W), 0..1, sides multiples of 32, and a scalar
temperature go in; `ab` (B, 2, H/s, W/s), `confidence` and `logits` come out, s being the file's `output_stride`, and
the encoder's `features` (B, C, H/16, W/16), by which photographs are compared. `color/2` takes `hints` (B, 3, H, W),
too. `restoration` has those of restoring. The file's metadata entry `photochrom` says the rest: name, render size,
temperature, palette, licence.
"""
