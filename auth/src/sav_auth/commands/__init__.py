"""What people do about accounts, by noun."""

from sav_auth import policies
from sav_auth.commands import invitation, password, profile, second_factor, signing_in, signing_up, user

__all__ = [
    "invitation",
    "password",
    "policies",
    "profile",
    "second_factor",
    "signing_in",
    "signing_up",
    "user",
]
