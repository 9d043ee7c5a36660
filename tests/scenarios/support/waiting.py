"""Waiting for a condition, with a guard that only a fault reaches."""

import os
import time

# Seconds. Generous: sanitizers and a busy machine slow everything down.
GUARD = float(os.environ.get("SCENARIO_GUARD", 120))


class WaitedTooLong(AssertionError):
    pass


def wait_until(condition, what, guard=GUARD):
    """Asks condition() until it gives something true, which is returned.

    Raises WaitedTooLong, which names `what`, after `guard` seconds.
    """
    end = time.monotonic() + guard
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise WaitedTooLong(f"waited {guard} s for: {what}")
        time.sleep(0.002)
