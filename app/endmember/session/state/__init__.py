"""What follows from a recipe: steps by key, and the session that holds their results."""
