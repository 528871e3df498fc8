"""What an audit event is: its parts, its commitment, its ids, and JSON kept as the tokens it came in."""
