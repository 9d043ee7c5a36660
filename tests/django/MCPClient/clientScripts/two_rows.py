"""Changes the rows first and second in one transaction, and again when a deadlock has undone it.

Arguments: a folder; `first` is touched there between the two.
"""

import os

import django

django.setup()
from django.db import OperationalError, transaction
from django.db.models import F
from main.models import File


def change(folder):
    with transaction.atomic():
        File.objects.filter(name="first").update(state=F("state") + 1)
        with open(os.path.join(folder, "first"), "w"):
            pass
        File.objects.filter(name="second").update(state=F("state") + 1)


def call(jobs):
    for job in jobs:
        with job.JobContext():
            for tries in range(1, 4):
                try:
                    change(job.args[1])
                    break
                except OperationalError as error:
                    job.print_error(f"try {tries}: {error}")
