"""A tenant's trail as files, made in the background: NDJSON, CSV, Parquet."""
