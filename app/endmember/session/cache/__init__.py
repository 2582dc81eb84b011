"""Results kept on disk between two starts."""
