"""Engines: which models there are, where their files lie, and what runs them.

A name or a path comes in, an engine that fulfils one of the contracts goes out: arrays in, arrays out. No photographs.
"""
