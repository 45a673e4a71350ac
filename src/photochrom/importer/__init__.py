"""From a published file of weights to an installed model: read, recognise, fold, check, write.

checkpoints, containers, pickles (read, run nothing) -> layouts (recognises) -> folding -> graph_writer, winograd,
deoldify_graph -> parity (against the unfolded network) -> installation (one folder, put in place by one rename)
"""
