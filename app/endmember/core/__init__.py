"""Arrays in, arrays out: knows nothing of files, recipes or windows."""
