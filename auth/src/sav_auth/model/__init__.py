"""Accounts, sessions, grants, second factors and sign-in attempts."""

from sav_auth.model.account import Account
from sav_auth.model.attempt import LoginAttempt
from sav_auth.model.grant import Grant, LinkRequest, Purpose
from sav_auth.model.second_factor import SecondFactor
from sav_auth.model.session import Session

__all__ = ["Account", "Grant", "LinkRequest", "LoginAttempt", "Purpose", "SecondFactor", "Session"]
