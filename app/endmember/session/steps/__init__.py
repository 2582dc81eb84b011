"""The steps of the method, each from its part of the recipe and the results before it."""
