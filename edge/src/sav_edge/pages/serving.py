"""Serves the small pages: GET shows a form and changes nothing, POST sends its command and says what came of it.

The links of messages are followed by programs too, which look for what is dangerous in a mail; they only GET.
"""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid5

import structlog
import uuid_utils
from litestar import HttpMethod, get, route
from litestar.datastructures import CacheControlHeader
from litestar.exceptions import NotFoundException
from litestar.types import ControllerRouterHandler
from pydantic import BaseModel
from pydantic_core import from_json

from sav_chassis.errors import Fault, Problem, SavError, WrongFields
from sav_chassis.telemetry import tracing
from sav_contracts.auth.session import SignIn, SignOut
from sav_contracts.files import StoredFile
from sav_contracts.messages import Query, RequestMessage, View
from sav_edge import downloads, problems
from sav_edge.callers import caller_of
from sav_edge.language import prefers_french
from sav_edge.pages.form import message_of, read_form
from sav_edge.pages.page import CREDENTIALS, LANGUAGE, ONCE, ROWS, Page
from sav_edge.pages.payment import BACK_FROM_PAYMENT
from sav_edge.pages.rendering import WORDS, rendered, style
from sav_edge.rate_limiter import RequestClass, TooManyRequests, request_class_of
from sav_edge.reply import Reply
from sav_edge.request_context import RequestContext, request_context_of
from sav_edge.routes import Gateway, HttpRequest
from sav_edge.security_headers import FORM_PAGE
from sav_edge.uploads import validated

log = structlog.get_logger()

HTML = "text/html; charset=utf-8"
PDF = ".pdf"
# After these the same form may be sent again: nobody was there, or too much was asked at once.
PASSING = {408, 429, 500, 503, 504}
# What their owner, or the edge, says of itself then is for programs.
AWAY = {503, 504}
# Neither pages nor their papers are kept or found by anybody else.
PRIVATE = {"Cache-Control": "no-store", "X-Robots-Tag": "noindex"}


@dataclass
class Visit:
    """One request of one page: in which language, with which token, and what was typed."""

    page: Page
    call: RequestContext
    french: bool
    token: str = ""
    typed: dict[str, str] = field(default_factory=dict)
    picked: dict[str, str] = field(default_factory=dict)
    once: str = field(default_factory=lambda: str(uuid_utils.uuid7()))
    shown: Any = None

    def reads(self, sent: Mapping[str, str]) -> None:
        """Takes language, token and what is to be shown from a query string or a form."""
        if sent.get(LANGUAGE) in ("fr", "en"):
            self.french = sent[LANGUAGE] == "fr"
        self.token = sent.get(self.page.key, "") if self.page.linked else ""
        self.picked = {each.name: sent[each.name] for each in self.page.picks if sent.get(each.name)}

    def reads_form(self, sent: Mapping[str, str]) -> None:
        self.reads(sent)
        self.typed = {name: value for name, value in sent.items() if name in self.page.names}
        with suppress(ValueError):
            self.once = str(UUID(sent.get(ONCE, "")))

    def key(self) -> str:
        """Names what was typed: the same form that is sent twice is done once, and a corrected one anew."""
        said = {each.name: self.typed.get(each.name) for each in self.page.sent}
        return str(uuid5(UUID(self.once), json.dumps([self.token, said], sort_keys=True)))


@dataclass
class Pages:
    """Answers the pages, by the gateway's way to the owners."""

    gateway: Gateway

    async def answer(self, page: Page, request: HttpRequest, ending: str = "") -> Reply:
        """The page, or its paper under that ending; where something is refused or fails a page, in the reader's language."""
        call = request_context_of(request.scope)
        path = f"/{page.name}{ending}"
        call.route = f"{request.method} {path}"
        visit = Visit(page, call, prefers_french(call.header(b"accept-language") or ""))
        about = {"http.request.method": request.method, "http.route": path}
        with tracing.span(call.route, "SERVER", call.traceparent, about) as span:
            try:
                if ending:
                    reply = await self._print(visit, request, span.traceparent)
                elif request.method == "GET":
                    reply = await self._show(visit, request, span.traceparent)
                else:
                    reply = await self._act(visit, request, span.traceparent)
            except Exception as error:
                reply = self._refused(visit, _problem(error, call))
            span.note("http.response.status_code", reply.status)
        return reply

    async def _open(self, visit: Visit, request: HttpRequest, traceparent: str | None) -> None:
        """Reads the link, and asks for what it is about."""
        visit.reads(request.query_params)
        self.gateway.limiter.take(visit.call, RequestClass.READS)
        _check_token(visit)
        await self._look(visit, traceparent)

    async def _print(self, visit: Visit, request: HttpRequest, traceparent: str | None) -> Reply:
        await self._open(visit, request, traceparent)
        if visit.shown["document"] is None:
            raise downloads.DocumentBeingMade
        file = StoredFile.model_validate(visit.shown["document"])
        content, media_type = await self.gateway.pictures.sized(file, "large")
        saved = {"Content-Disposition": downloads.disposition(file)}
        return Reply(content, 200, media_type, PRIVATE | downloads.HARMLESS | saved)

    async def _show(self, visit: Visit, request: HttpRequest, traceparent: str | None) -> Reply:
        await self._open(visit, request, traceparent)
        visit.typed = {
            name: "true" if value is True else str(value)
            for name, value in (visit.shown or {}).items()
            if name in visit.page.names and value not in (None, False)
        }
        return self._page(visit, 200)

    async def _act(self, visit: Visit, request: HttpRequest, traceparent: str | None) -> Reply:
        page = visit.page
        try:
            visit.reads_form(await read_form(request, self.gateway.uploads.bounds))
        finally:
            # After it was read: who is told to wait gets the same form again, in the same language.
            await self._take(visit, traceparent)
        _check_token(visit)
        problem = await self._send(visit, traceparent)
        if problem is None:
            ends = page.ends_with
            return self._page(visit, 200, state="form" if ends and visit.shown["status"] != ends else "done")
        if _may_repeat(visit, problem):
            await self._look(visit, traceparent)
        return self._refused(visit, problem)

    async def _take(self, visit: Visit, traceparent: str | None) -> None:
        """Counts the form; where it is one too many, looks for what its page is about, which counts as opening the page."""
        call = visit.call
        try:
            counted = SignIn if visit.page.signs_in else visit.page.message
            self.gateway.limiter.take(call, request_class_of(ROWS[counted]))
        except TooManyRequests:
            said = call.headers
            if visit.page.shows and visit.token:
                self.gateway.limiter.take(call, RequestClass.READS)
                await self._look(visit, traceparent)
            call.headers = said
            raise

    async def _send(self, visit: Visit, traceparent: str | None) -> Problem | None:
        """Sends the command; None where it was done. Its reply is what the page shows then."""
        try:
            message = message_of(visit.page, visit.token, visit.typed)
            token = await self._signed_in(visit, traceparent) if visit.page.signs_in else None
        except SavError as refusal:
            return refusal.problem
        try:
            visit.shown, problem = await self._asked(message, visit.call, traceparent, token, visit.key())
        finally:
            if token:
                await self._asked(SignOut(), visit.call, traceparent, token)
        return problem

    async def _signed_in(self, visit: Visit, traceparent: str | None) -> str:
        """A token of whoever the credentials belong to, for this command; `Refused` where they belong to nobody."""
        given = {each.name: said for each in CREDENTIALS if (said := visit.typed.get(each.name))}
        signed, problem = await self._asked(validated(SignIn, given), visit.call, traceparent)
        if problem:
            raise Refused(problem)
        return str(signed["access_token"])

    async def _look(self, visit: Visit, traceparent: str | None) -> None:
        """Asks for what the page is about, where it is about something; `Refused` where that is not shown.

        Where what was picked is wrong, it is refused beside what is shown without it.
        """
        if visit.page.shows is None:
            return
        visit.shown, problem = await self._seen(visit, visit.page.shows, traceparent)
        if problem and problem.errors and visit.picked:
            visit.picked = {}
            visit.shown, graver = await self._seen(visit, visit.page.shows, traceparent)
            problem = graver or problem
        if problem:
            raise Refused(problem)

    async def _seen(
        self, visit: Visit, shows: type[Query[Any]], traceparent: str | None
    ) -> tuple[Any, Problem | None]:
        try:
            query = validated(shows, {visit.page.key: visit.token} | visit.picked)
        except WrongFields as error:
            if not visit.picked:
                raise visit.page.incomplete from None
            return None, error.problem
        return await self._asked(query, visit.call, traceparent)

    async def _asked(
        self,
        message: RequestMessage[Any],
        call: RequestContext,
        traceparent: str | None,
        token: str | None = None,
        key: str = "",
    ) -> tuple[Any, Problem | None]:
        """The owner's reply, or its refusal. Without an access token, that in the message is what counts."""
        client = self.gateway.client
        await client.expect_heard()
        answer = await client.ask(
            message,
            self.gateway.deadline + message.takes(),
            token=token,
            key=key or str(uuid_utils.uuid7()),
            caller=caller_of(call),
            correlation_id=UUID(call.id),
            traceparent=traceparent,
        )
        await self.gateway.take_in(answer.events)
        said = read(type(message).reply_type(), answer.body) if answer.body else None
        return said, answer.problem

    def _refused(self, visit: Visit, problem: Problem) -> Reply:
        spoken = problem.in_french() if visit.french else problem
        refusal = spoken.detail if problem.status not in AWAY else WORDS["away"][visit.french]
        if _may_repeat(visit, problem) and (visit.shown or visit.page.shows is None):
            wrong = {error.field: _sentence(error.message) for error in spoken.errors or ()}
            reply = self._page(visit, problem.status, wrong=wrong, refusal=refusal)
        else:
            reply = self._page(visit, problem.status, refusal=refusal, state="refused")
        if problem.retry_after:
            reply.headers["Retry-After"] = str(problem.retry_after)
        return reply

    def _page(self, visit: Visit, status: int, state: str = "form", **more: Any) -> Reply:
        body = rendered(
            visit.page,
            visit.french,
            self.gateway.papers.firm,
            logo=self.gateway.papers.look.logo is not None,
            token=visit.token,
            once=visit.once,
            typed=visit.typed,
            picked=visit.picked,
            shown=visit.shown,
            state=state,
            **more,
        )
        return Reply(body, status, HTML, _headers(visit.french))


def read(kind: type[BaseModel], body: str) -> Any:
    """An owner's reply as the templates read it: what one of an earlier release does not say yet has its default."""
    # A record comes in the form of whoever asked, which may lack fields that its view has.
    return (
        from_json(body) if issubclass(kind, View) else kind.model_validate_json(body).model_dump(mode="json")
    )


def _headers(french: bool) -> dict[str, str]:
    return PRIVATE | {
        "Content-Language": "fr" if french else "en",
        "Vary": "Accept-Language",
        FORM_PAGE[0].decode(): FORM_PAGE[1].decode(),
    }


class Refused(Exception):
    """The owner refuses to show what a page is about."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.detail)
        self.problem = problem


def _problem(error: Exception, call: RequestContext) -> Problem:
    if isinstance(error, Refused):
        return error.problem
    try:
        return problems.refusal(error, {}).problem
    except Exception:
        log.error("page failed", route=call.route, exc_info=error)
        return Fault().problem


def _may_repeat(visit: Visit, problem: Problem) -> bool:
    """Whether the form may be sent again: its fields are wrong or of before, or what was in the way passes."""
    wrong = {error.field for error in problem.errors or ()}
    known = bool(wrong) and wrong <= visit.page.names
    mistyped = problem.status == 401 and visit.page.signs_in
    outdated = problem.code in visit.page.outdated
    return (known or mistyped or outdated or problem.status in PASSING) and bool(
        visit.token or not visit.page.linked
    )


def _sentence(said: str) -> str:
    """It stands alone below its field: in the API it follows the field's name."""
    return said[:1].upper() + said[1:]


def _check_token(visit: Visit) -> None:
    """Refuses a link that was cut off: whoever opens it learns so before they fill in a form."""
    if visit.page.linked and not visit.page.is_whole(visit.token):
        raise visit.page.incomplete


@get(
    "/pages/look.css",
    media_type="text/css",
    cache_control=CacheControlHeader(public=True, max_age=86_400),
)
async def look() -> bytes:
    """The stylesheet of all pages."""
    return style()


def logo(gateway: Gateway) -> ControllerRouterHandler:
    """The route of the firm's logo; 404 where it has none."""

    @get("/pages/logo", media_type="image/*")
    async def picture() -> Reply:
        firm = gateway.papers.look
        if firm.logo is None:
            raise NotFoundException
        [shown] = firm.pictures.values()
        kept = {"Cache-Control": "public, max-age=300"}
        return Reply(shown, 200, firm.media_type, downloads.HARMLESS | kept)

    return picture


def back_from_payment(gateway: Gateway) -> ControllerRouterHandler:
    """The page to which a payment provider leads back, whatever came of it."""

    @get("/back-from-payment", media_type=HTML)
    async def back(request: HttpRequest) -> Reply:
        french, papers = prefers_french(request.headers.get("accept-language", "")), gateway.papers
        has_logo = papers.look.logo is not None
        page = rendered(BACK_FROM_PAYMENT, french, papers.firm, logo=has_logo, state="done")
        return Reply(page, 200, HTML, _headers(french))

    return back


def handlers(pages: Pages, served: Sequence[Page]) -> list[ControllerRouterHandler]:
    """The routes of these pages."""
    papers = [_paper(pages, page) for page in served if page.paper]
    return [*(_handler(pages, page) for page in served), *papers]


def _paper(pages: Pages, page: Page) -> ControllerRouterHandler:
    @get(f"/{page.name}{PDF}")
    async def handle(request: HttpRequest) -> Reply:
        return await pages.answer(page, request, PDF)

    return handle


def _handler(pages: Pages, page: Page) -> ControllerRouterHandler:
    async def handle(request: HttpRequest) -> Reply:
        return await pages.answer(page, request)

    return route(f"/{page.name}", http_method=[HttpMethod.GET, HttpMethod.POST], status_code=200)(handle)
