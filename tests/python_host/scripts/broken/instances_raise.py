def concurrent_instances():
    return 1 // 0


def call(jobs):
    pass
