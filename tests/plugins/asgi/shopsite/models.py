"""What the shop sells."""

from typing import ClassVar

from django.db import models


class Material(models.Model):
    name = models.TextField()

    class Meta:
        app_label = "shopsite"
        db_table = "material"


class Job(models.Model):
    material = models.ForeignKey(Material, models.CASCADE)

    class Meta:
        app_label = "shopsite"
        db_table = "job"


class Note(models.Model):
    text = models.TextField()

    class Meta:
        app_label = "shopsite"
        db_table = "note"
        indexes: ClassVar[list[models.Index]] = []
