"""The page of the composition tables and their settings."""
