"""The sealed log of each tenant: its flat files, its signed checkpoints, its proofs."""
