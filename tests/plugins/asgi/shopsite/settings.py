"""The database is DATABASE_URL's."""

import os
from urllib.parse import parse_qs, unquote, urlsplit

made = urlsplit(os.environ["DATABASE_URL"])
query = {key: values[0] for key, values in parse_qs(made.query).items()}
DATABASES = {
    "default": {
        "ENGINE": os.environ.get("SHOP_ENGINE", "galvo_asgi.django.postgresql"),
        "NAME": made.path[1:],
        "USER": unquote(made.username or ""),
        "PASSWORD": unquote(made.password or ""),
        "HOST": query.get("host") or made.hostname or "",
        "PORT": query.get("port") or str(made.port or ""),
    }
}
SECRET_KEY = "of tests"
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "shopsite.urls"
ASGI_APPLICATION = "shopsite.asgi.application"
INSTALLED_APPS = ["shopsite"]
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
USE_TZ = True
