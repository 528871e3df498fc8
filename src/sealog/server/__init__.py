"""The /v1 API: who knocks, what they may ask, and how we answer, faults included."""
