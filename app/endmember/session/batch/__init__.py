"""One recipe applied to many maps."""
