def call(jobs):
    for job in jobs
        pass
