"""How events end: what has been kept long enough goes, and a sealed statement says so."""
