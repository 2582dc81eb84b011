"""The open recipe, the threads that work for it, and what a page is."""
