"""Albums in the cloud, and clusters: addresses of two folders come in, results go to the second, one put each.

Everything that is known of a photograph there lies beside its result as one small object, so any number of machines can
work on one album, and a machine may vanish at any time. The extra is ``cluster``; nobody else needs it.

`folders` lists names, and `worker` takes them, here (`here`) or in an actor of a Ray cluster (`on_ray`): a photograph
is staged in a temporary folder, put through `albums/batch.py`, and its result put after a promise (`records`). What
storages answer becomes lines in `storage_errors`.
"""
