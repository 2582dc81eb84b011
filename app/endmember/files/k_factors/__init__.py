"""k-factors and detector curves from files."""
