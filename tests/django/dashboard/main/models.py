from django.db import models


class File(models.Model):
    """A row for each task that ran, with the connection that wrote it."""

    name = models.CharField(max_length=100, primary_key=True)
    connection = models.BigIntegerField(default=0)
    state = models.IntegerField(default=0)

    class Meta:
        db_table = "Files"
