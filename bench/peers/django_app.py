"""django-auditlog as its documentation has it for many rows: `bulk_create`, behind a plain view.

`uvicorn bench.peers.django_app:app`, with `SOCKETS` (the folder of PostgreSQL's socket) in the
environment.
"""

import os
import sys

import django
from django.conf import settings

settings.configure(
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": "postgres",
            "USER": "bench",
            "HOST": os.environ["SOCKETS"],
            "CONN_MAX_AGE": None,
        }
    },
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "auditlog"],
    ROOT_URLCONF=__name__,
    ALLOWED_HOSTS=["*"],
    SECRET_KEY="bench",
    USE_TZ=True,
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
)
django.setup()

import msgspec  # noqa: E402 - Django wants its settings first
from auditlog.models import LogEntry  # noqa: E402
from django.contrib.auth.models import User  # noqa: E402
from django.contrib.contenttypes.models import ContentType  # noqa: E402
from django.core.asgi import get_asgi_application  # noqa: E402
from django.core.handlers.wsgi import WSGIRequest  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.http import HttpResponse  # noqa: E402
from django.urls import path  # noqa: E402

ACTIONS = {"creation": 0, "change": 1, "deletion": 2, "access": 3}


def take(request: WSGIRequest) -> HttpResponse:
    """NDJSON in, one insert of many rows, durable."""
    kind = ContentType.objects.get_for_model(User)
    entries = []
    for line in request.body.split(b"\n"):
        one = msgspec.json.decode(line)
        event = one["event"]
        entries.append(
            LogEntry(
                content_type=kind,
                object_pk=one["user"]["id"],
                object_repr=one["user"]["name"],
                action=ACTIONS.get(event["type"][0], 1),
                changes={"outcome": ["", event["outcome"]]},
                remote_addr=one["source"]["ip"],
                actor_email=one["user"]["email"],
                timestamp=one["@timestamp"],
                additional_data=one,
            )
        )
    LogEntry.objects.bulk_create(entries)
    content = msgspec.json.encode({"taken": len(entries)})
    return HttpResponse(content, "application/json", headers={"Content-Length": str(len(content))})


urlpatterns = [path("v1/events", take)]

if __name__ == "__main__":
    sys.exit(call_command("migrate", verbosity=0))

app = get_asgi_application()
