"""What a map is made of: components, how many, and abundances."""
