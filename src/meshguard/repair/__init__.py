"""Repair: explicit steps, each traceable to the input."""
