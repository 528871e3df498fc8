"""What may happen: every documented event type of every dialect, as data."""
