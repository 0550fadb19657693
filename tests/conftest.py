"""Nothing here yet that every room needs."""
