"""The local provider: a job is a process of this machine, under a supervisor that outlives us."""
