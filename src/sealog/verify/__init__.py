"""What an auditor runs: everything walked from part bytes to signature; it reads, and never repairs."""
