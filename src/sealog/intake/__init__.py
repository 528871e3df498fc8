"""The one way in: from a request's body to receipts, nothing answered before it is durable."""
