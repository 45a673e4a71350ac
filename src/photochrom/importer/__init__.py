"""From a published file of weights to an installed model: read, recognise, fold, check, write.

checkpoints, containers, pickles (read, run nothing) -> layouts (recognises) -> folding -> graph_writer, winograd,
deoldify_graph -> parity (against the unfolded network) -> installation (one folder, put in place by one rename)

The graph is written by hand, so neither PyTorch nor a tracer is needed. Its contract, `rgb-generator/1`, takes a grey
picture and gives a whole one; `engines/generator.py` runs it and fulfils `color/1` too, so the main path knows
nothing of it but how large the net's copy is. `repositories` writes a model as a folder to publish, with an index;
`indexes` takes one from there.
"""
