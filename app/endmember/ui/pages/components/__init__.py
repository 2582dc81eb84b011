"""The page of the components."""
