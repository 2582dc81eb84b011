"""The page of rectangles, brushes and masks."""
