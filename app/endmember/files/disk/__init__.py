"""Files and folders that are whole or not there, and faults of the system in words."""
