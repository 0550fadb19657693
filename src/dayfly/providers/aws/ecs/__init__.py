"""Tasks on ECS: RunTask and what goes with it."""
