"""The training system: a configuration and pictures come in, a run's folder of checkpoints goes out.

`config` and its `sections`, `data` (pictures, aged by `degrade`), `losses` and `objectives`, the `loop`. Colouring and
restoring, and telling negatives, are tasks of one loop (`tasks`; `targets` is the table of the others) for the networks
of `nets`. The exported file is the only copy of a model's weights: by its name training goes on from it (`model.init`).
"""
