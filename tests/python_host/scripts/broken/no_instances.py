def concurrent_instances():
    return 0


def call(jobs):
    pass
