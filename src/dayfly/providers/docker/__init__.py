"""The docker provider: an image on a Docker Engine, spoken to through its HTTP API."""
