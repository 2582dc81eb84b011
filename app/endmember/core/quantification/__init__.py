"""From areas of lines to compositions, limits, and comparisons of them."""
