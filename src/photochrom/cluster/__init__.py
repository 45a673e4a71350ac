"""Albums in the cloud, and clusters: addresses of two folders come in, results go to the second, one put each.

Everything that is known of a photograph there lies beside its result as one small object, so any number of machines can
work on one album, and a machine may vanish at any time. The extra is ``cluster``; nobody else needs it.

`addresses` become folders (`folders`, `cloud_folder`, `local_folder`) that list names, and `tasks` says in which order
what is found (`errand`) is done. `worker` does it, here (`here`) or in an actor of a Ray cluster (`on_ray`): a
photograph is staged in a temporary folder, put through `albums/batch.py`, and its result put after a promise
(`results`, `records`). `films` are divided into stretches of whole shots, whose segments lie in a `film_store` until
they are joined. What storages answer becomes lines in `storage_errors`.
"""
