"""Measures what Sealog promises about speed, the same way each time."""
