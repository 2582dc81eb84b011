"""Maps on the screen, and shapes drawn on them."""
