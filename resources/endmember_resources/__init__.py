"""Tables, icons and the demo recipe, as importable data."""
