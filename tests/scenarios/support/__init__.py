"""What the scenarios share: a job server, a worker, a controller of our own, readers of the record.

scenario.Scenario is the room to start in.
"""
