"""The operator's door: serve, demo, init, ingest, search, export, verify, prove, catalog, tenants, keys."""
