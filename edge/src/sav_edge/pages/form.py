"""The form of a small page: what was typed, and the command that comes of it."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from sav_chassis.errors import Malformed, WrongField, WrongFields
from sav_contracts.messages import RequestMessage
from sav_contracts.sentences import Text
from sav_edge import bodies
from sav_edge.pages.page import Page
from sav_edge.routes import HttpRequest
from sav_edge.uploads import validated

FORM = "application/x-www-form-urlencoded"
# Bytes of a form, and how many fields it may have: far more than people type.
LONGEST = 64_000
MOST_FIELDS = 50


class FormUnreadable(Malformed):
    en = "This form cannot be read; open the page again"
    fr = "Ce formulaire est illisible ; ouvrez de nouveau la page"


class NotTheSame(WrongField):
    en = "this is not the same as above"
    fr = "ce n’est pas la même saisie qu’au-dessus"


class PleaseFillIn(WrongField):
    en = "please fill this in"
    fr = "à remplir"


async def read_form(request: HttpRequest, bounds: bodies.BodyLimits) -> dict[str, str]:
    """The fields of the form; `Malformed` where it is none of ours."""
    media_type, _ = request.content_type
    if media_type != FORM:
        raise bodies.OtherBody(types=Text(FORM, FORM))
    body = await bodies.text("form", request, bounds._replace(body=LONGEST))
    try:
        pairs = parse_qsl(
            body,
            keep_blank_values=True,
            strict_parsing=bool(body),
            errors="strict",
            max_num_fields=MOST_FIELDS,
        )
    except ValueError:
        raise FormUnreadable from None
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise FormUnreadable
    return fields


def message_of(page: Page, token: str, typed: Mapping[str, str]) -> RequestMessage[Any]:
    """The command; `WrongFields` names every field that is wrong."""
    missing = [each.name for each in page.fields if each.required and not typed.get(each.name)]
    if missing:
        raise WrongFields.each(PleaseFillIn(field=name) for name in missing)
    for each in page.fields:
        if each.same_as and typed[each.name] != typed[each.same_as]:
            raise NotTheSame(field=each.name)
    key = page.key_field or page.key
    fields: dict[str, Any] = {key: token} if page.linked else {}
    for each in page.sent:
        if typed.get(each.name):
            outer, _, inner = each.name.partition(".")
            fields[outer] = fields.get(outer, {}) | {inner: typed[each.name]} if inner else typed[each.name]
    try:
        return validated(page.message, fields)
    except WrongFields as error:
        if any(wrong.field == key for wrong in error.problem.errors or ()):
            raise page.incomplete from None
        raise
