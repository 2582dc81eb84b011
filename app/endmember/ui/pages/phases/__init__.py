"""The page of the subtraction."""
