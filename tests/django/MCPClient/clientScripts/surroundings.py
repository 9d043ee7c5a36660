"""Tells what a script of a site finds: its own name, the assets' catalog, the settings, the table of tasks."""

import os

import django

django.setup()
from django.conf import settings
from django.db import connection


def call(jobs):
    for job in jobs:
        with job.JobContext():
            with connection.cursor() as cursor:
                cursor.execute("SELECT COUNT(*) FROM Tasks WHERE taskUUID = %s", [job.uuid])
                job.print_output(__name__, os.environ["XML_CATALOG_FILES"], settings.SETTINGS_MODULE,
                                 cursor.fetchone()[0])
