"""What a search asks for: one small syntax, and the tree it stands for."""
