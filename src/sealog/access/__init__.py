"""Who may: tenants, keys with their scopes, and how much each key may ask for."""
