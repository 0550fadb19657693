"""Measurements. Each is a ratio taken side by side in one run, with the goal beside it."""
