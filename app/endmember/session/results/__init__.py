"""What a run writes: the results folder, its tables, and the report."""
