"""Makes its logger before Django is set up, whose configuration disables it; and configures anew in its job."""

import logging.config

from custom_handlers import get_script_logger

logger = get_script_logger("archivematica.mcp.client.configured_logger")

import django

django.setup()


def call(jobs):
    for job in jobs:
        with job.JobContext(logger=logger):
            for number in range(120):
                logger.info("record %d", number)
            logging.config.dictConfig({"version": 1, "disable_existing_loggers": True})
            logger.info("after")
            logger.error("an error")
