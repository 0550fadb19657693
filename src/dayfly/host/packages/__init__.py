"""Plugins as packages: what a plugin.json should say, archives, indexes, installing."""
