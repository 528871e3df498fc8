"""What is taken away before anything is kept: secrets first, then what policy does not record."""
