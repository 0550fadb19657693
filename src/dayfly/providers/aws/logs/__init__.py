"""Output of jobs in CloudWatch Logs: one page after another, for one reader or for many."""
