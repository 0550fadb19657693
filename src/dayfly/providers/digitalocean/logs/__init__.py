"""Reading a job's output: live while it runs, from archives after it."""
