"""Accounts, what opens them, and who tried to."""

from sav_auth.model.account import Account
from sav_auth.model.attempt import LoginAttempt
from sav_auth.model.grant import Grant, Purpose, Wish
from sav_auth.model.second_factor import SecondFactor
from sav_auth.model.session import Session

__all__ = ["Account", "Grant", "LoginAttempt", "Purpose", "SecondFactor", "Session", "Wish"]
