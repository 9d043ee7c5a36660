import django

django.setup()
from main.models import NoSuchModel


def call(jobs):
    pass
