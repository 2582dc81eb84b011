"""The recipe: what a person decided, its rules, and the edits that change it."""
