"""Maps with known truth."""
