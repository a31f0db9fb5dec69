"""What an ASGI server serves."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shopsite.settings")
django.setup()

from django.core.asgi import get_asgi_application  # noqa: E402  # after the setup

from galvo import Kernel  # noqa: E402
from galvo_asgi import with_kernel  # noqa: E402
from galvo_asgi.django import url  # noqa: E402
from galvo_cache import CachePlugin  # noqa: E402
from galvo_pool import PoolPlugin  # noqa: E402


def kernel() -> Kernel:
    cache = {"redis": redis} if (redis := os.environ.get("SHOP_REDIS")) else {}
    return Kernel.of({CachePlugin: cache, PoolPlugin: {"url": url(), "min_size": 1}})


application = with_kernel(get_asgi_application(), kernel)
