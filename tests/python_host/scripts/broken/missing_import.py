import no_such_library


def call(jobs):
    pass
