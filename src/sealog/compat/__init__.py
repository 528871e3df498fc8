"""Other products' documented interfaces, over the same events."""
