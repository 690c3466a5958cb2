"""Repair: steps that mend what checks find."""
