"""Sealog: a sealed audit log for software that serves many customers."""
