"""What is said of a malformed message names its fields and never repeats what stood in them."""

from typing import Any, cast

import aio_pika
import pytest
from aio_pika.abc import AbstractChannel, AbstractRobustConnection
from eventually import eventually
from pydantic import ValidationError
from structlog.testing import capture_logs
from toy_broker import declare, send

from sav_chassis.envelope import Envelope, Undecodable
from sav_chassis.errors import where
from sav_chassis.process.runner import serving
from sav_chassis.service import Service
from sav_chassis.settings import Settings
from sav_contracts.auth.session import SignIn


def test_wrong_fields_are_named_without_their_values() -> None:
    with pytest.raises(ValidationError) as wrong:
        SignIn.model_validate({"email": "hushed", "passwort": "hushed"})
    assert where(wrong.value) == "email, password, passwort"


def test_an_event_with_wrong_headers_does_not_repeat_them() -> None:
    with pytest.raises(Undecodable) as undecodable:
        Envelope.from_amqp(cast(Any, aio_pika.Message(b"{}", headers={"cloudEvents:subject": "hushed"})))
    assert "subject" in str(undecodable.value)
    assert "hushed" not in str(undecodable.value)


async def test_a_malformed_command_does_not_bring_its_token_into_the_log(
    toys: Service, toy_settings: Settings, broker: AbstractRobustConnection, channel: AbstractChannel
) -> None:
    await declare(channel, toys)
    with capture_logs() as logs:
        async with serving(toys, toy_settings):
            await send(channel, "toy.commands", aio_pika.Message(b"{}", headers={"token": ["hushed"]}))

            async def dropped() -> list[object]:
                return [line for line in logs if line["event"] == "message is not a command; dropped"]

            [line] = await eventually(dropped)
    assert "deadline" in str(line)
    assert "hushed" not in str(logs)
