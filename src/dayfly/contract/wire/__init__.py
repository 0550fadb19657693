"""Generated from ``proto/`` by ``make wire``; never edited by hand."""
