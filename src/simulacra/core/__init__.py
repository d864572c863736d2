"""The foundation every layer stands on: contracts, schema, randomness, storage, errors."""
