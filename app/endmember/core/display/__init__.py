"""Maps and phases as they are shown: for the eyes only."""
