"""Views, asynchronous and not."""

from typing import Any

from asgiref.sync import async_to_sync
from django.http import HttpRequest, JsonResponse
from django.urls import path

from galvo_asgi.django import kernel
from shopsite.models import Material

COUNT = "select count(*) from material"


async def count(request: HttpRequest) -> JsonResponse:
    hits = kernel().plugin_stats("cache")["hits"]
    return JsonResponse({"count": await kernel().fetchval(COUNT), "hits": hits})


async def add(request: HttpRequest, name: str) -> JsonResponse:
    await Material.objects.acreate(name=name)
    return JsonResponse({"count": await kernel().fetchval(COUNT)})


def add_sync(request: HttpRequest, name: str) -> JsonResponse:
    async def counted() -> Any:
        return await kernel().fetchval(COUNT)

    Material.objects.create(name=name)
    return JsonResponse({"count": async_to_sync(counted)()})


def mistaken(request: HttpRequest) -> JsonResponse:
    try:
        kernel()
    except Exception as error:
        return JsonResponse({"error": str(error)})
    raise AssertionError


urlpatterns = [
    path("count", count),
    path("add/<name>", add),
    path("add-sync/<name>", add_sync),
    path("mistaken", mistaken),
]
