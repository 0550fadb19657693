"""The process over one job: starts it, keeps its output, holds it to its limits, tells its end.

Standard library only, and started without site-packages: it is there for every job.
"""
