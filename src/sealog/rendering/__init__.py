"""Events out in the shape of any dialect: what came in as it came, everything else as near as is documented."""
