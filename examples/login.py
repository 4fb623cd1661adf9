"""Logging in with JSON Web Tokens, and what is behind it: `gunicorn --workers 2 examples.login:app`.

`REST_KIT_SECRET` holds what signs the tokens, such as `python -c 'import secrets; print(secrets.token_urlsafe(32))'`
prints. There is nobody at first: `python examples/login.py admin` makes an admin of that name, and prints a password,
once. Users, and what is known of refresh tokens, are kept in `login.db` in the working directory; a notification is
a line of `notifications.txt` there.
"""

import secrets
import sys

from datastores import SQLiteDataStore
from rest_kit import models
from rest_kit.authentication import JWTAuthentication, UserModel, Users, credentials
from rest_kit.controllers import WSGIDispatcher
from rest_kit.permissions import IsAuthenticated
from rest_kit.routes import Route
from rest_kit.throttling import AddressRateThrottle
from rest_kit.uploads import receive

users = Users(SQLiteDataStore({"name": "login.db", "table": "users"}), model=UserModel)
jwt = JWTAuthentication(users, access_lifetime=60 * 60)
guesses = AddressRateThrottle("10/min")


def login(request):
    """A token for a name and a password."""
    user = users.verify(*credentials(request))
    return {"access_token": jwt.access_token(user, request), "token_type": "bearer"}


def protected(request):
    """Say hello to whoever is logged in."""
    return {"message": f"Hello {request.user.name}"}


class NotificationModel(models.Model):
    fields = [
        models.StringField(name="email", required=True, max_length=254, regex=r"[^@\s]+@[^@\s]+"),
        models.StringField(name="text", max_length=200, regex=r"[^\r\n]*", default="something has happened"),
    ]


NOTIFICATION = NotificationModel()


def write_notification(email, text):
    with open("notifications.txt", "a", encoding="utf-8") as file:
        file.write(f"{email}: {text}\n")


def send_notification(request):
    """Answer at once, and send afterwards."""
    given = NOTIFICATION.load(request.data)
    request.background.add_task(write_notification, given["email"], given["text"])
    return {"message": "Notification will be sent"}


def upload(request):
    """Look at a file that comes in a form, and keep nothing of it."""
    with receive(request, max_size=5_000_000) as form:
        file = form.files["file"]
        return {"filename": file.name, "size": file.size}


app = WSGIDispatcher(
    [],
    name="Login",
    prefix="/api",
    authentication=[jwt],
    permissions=[IsAuthenticated()],
    storage="sqlite:///login.db",
    cors={
        "allow_origins": ["http://localhost:3000"],
        "allow_credentials": True,
        "allow_methods": ["*"],
        "allow_headers": ["*"],
    },
    routes=[
        Route("/login", login, methods=["POST"], authentication=[], permissions=[], throttle=[guesses]),
        *jwt.routes("/token", throttle=[guesses]),
        Route("/protected", protected),
        Route("/send-notification", send_notification, methods=["POST"]),
        Route("/upload", upload, methods=["POST"]),
    ],
)


def add_admin(name):
    """Make an admin with a password that nobody has thought of."""
    password = secrets.token_urlsafe(12)
    users.create(name, password, is_admin=True)
    print(password)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        add_admin(sys.argv[1])
    else:
        from werkzeug.serving import run_simple

        run_simple("127.0.0.1", 5000, app, use_debugger=True, use_reloader=True)
