"""``dayfly agent``: sandboxes for other machines, through ``SandboxExecService``."""
