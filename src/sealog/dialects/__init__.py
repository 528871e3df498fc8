"""Records of each product in, ECS drafts out: everything understood, nothing lost."""
