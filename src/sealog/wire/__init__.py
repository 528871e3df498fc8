"""Framing and compression off: bytes as they came in, records out."""
