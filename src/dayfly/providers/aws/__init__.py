"""The aws provider: a task on ECS or a job on Batch, its output from CloudWatch Logs."""
