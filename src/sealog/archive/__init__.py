"""Where events rest and are searched: segments on disk, waiting events before them."""
