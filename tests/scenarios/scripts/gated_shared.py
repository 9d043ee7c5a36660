"""As gated_independent.py, with jobs that share their process: what it did counts only when call() returns."""

from gated_independent import call, concurrent_instances  # noqa: F401
