"""The usual client script: Django is set up at import, one transaction around the batch, a logger."""

import django

django.setup()
from custom_handlers import get_script_logger
from django.db import connection, transaction
from main.models import File

logger = get_script_logger("archivematica.mcp.client.write_rows")

# What some scripts ask when they are loaded leaves a connection behind.
ROWS_AT_LOAD = File.objects.count()


def connection_id():
    with connection.cursor() as cursor:
        cursor.execute("SELECT CONNECTION_ID()")
        return cursor.fetchone()[0]


def concurrent_instances():
    return 2


def call(jobs):
    with transaction.atomic():
        for job in jobs:
            with job.JobContext(logger=logger):
                name = job.args[1]
                File.objects.create(name=name, connection=connection_id())
                logger.info("wrote %s", name)
                if len(job.args) > 2:
                    raise ValueError("as asked for")
        if name == "roll back":
            raise RuntimeError("the transaction is rolled back")
