"""The steps of finding foreign keys; :mod:`simulacra.pipeline.foreign_keys` takes them in order."""
