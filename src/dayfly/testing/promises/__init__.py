"""The rules, one file and one class for each promise."""
