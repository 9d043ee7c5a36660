"""Settings of Django as Archivematica's MCPClient has them; the address comes from the environment."""

import os


def of_database(key, default=""):
    """As a controller's variables have it: Archivematica's or CCP's."""
    for prefix in ("ARCHIVEMATICA_MCPCLIENT_CLIENT_", "ARCHIVEMATICA_WORKER_DB_"):
        default = os.environ.get(prefix + key, default)
    return default


SECRET_KEY = "not one"
INSTALLED_APPS = ["main"]
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
USE_TZ = True
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.mysql",
        "NAME": "MCP",
        "USER": of_database("USER", "django"),
        "PASSWORD": of_database("PASSWORD"),
        "HOST": of_database("HOST", os.environ.get("DJANGO_TEST_SOCKET", "")),
        "CONN_MAX_AGE": 3600,
        "OPTIONS": {"charset": "utf8mb4"},
    }
}
# Disables the loggers that are there when Django is set up.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": True,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
}
