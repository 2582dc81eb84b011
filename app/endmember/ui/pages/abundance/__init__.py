"""The page of the abundance maps."""
