"""What tables and maps of the window show, as values and words without Qt."""
