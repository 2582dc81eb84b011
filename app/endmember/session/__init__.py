"""What a person decided, and what follows from it."""
