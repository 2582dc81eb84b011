"""The page of the map: files, elements, regions, energy axis."""
