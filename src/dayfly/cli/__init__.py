"""The ``dayfly`` command: one file per command, each imported only when it is called."""
