"""/api/v1/webhooks: other programs that are told what happens in an organization."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any, Final

from msgspec import UNSET
from sqlalchemy import Row, func, select, update
from sqlalchemy import delete as delete_from
from sqlalchemy import insert as insert_into

from lms.access.roles import Permission
from lms.api.endpoint import AnyEndpoint, Call, Endpoint, Nothing, Reply, Result
from lms.api.paging import PageQuery, fetch_page
from lms.api.phrases import Phrase
from lms.api.problems import BAD_CURSOR, NOT_FOUND, QUOTA_EXCEEDED, ProblemError, bad_field, not_found
from lms.audit.record import record
from lms.parts import Parts
from lms.webhooks.messages import (
    ChangeWebhook,
    CreateWebhook,
    DeliveryQuery,
    DeliveryView,
    Replaying,
    RotateSecret,
    TopicView,
    WebhookPath,
    WebhookView,
    WebhookWithSecret,
)
from lms.webhooks.problems import THE_WEBHOOK
from lms.webhooks.queue import add_delivery, replay_dead
from lms.webhooks.rules import fault_of_url, key_of
from lms.webhooks.store import find_webhook, set_topics, views_of
from lms.webhooks.tables import webhook, webhook_delivery
from lms.webhooks.topics import EVERYTHING, TEST, TOPICS
from webapi.webhooks.secrets import encode_secret

TAG: Final = "Webhooks"
PATH: Final = "/api/v1/webhooks"
ONE: Final = f"{PATH}/{{webhook_id}}"
_ABOUT: Final = (
    "Events are POSTed as `{events: [{id, topic, at, organization_id, data}]}`, at least once and in order; an event "
    "that comes again has the same id. Deliveries are signed as Standard Webhooks has it. Any answer of 2xx takes "
    "them; else they come again, with growing pauses, for a day."
)

_TOPICS: Final = Phrase(
    f"{EVERYTHING} or one of {', '.join(TOPICS)}", f"{EVERYTHING} أو إحدى القيم: {', '.join(TOPICS)}"
)


class WebhookEndpoints:
    """Receivers."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._settings = parts.settings.webhooks

    def endpoints(self) -> tuple[AnyEndpoint, ...]:
        access = Permission.WEBHOOKS_WRITE
        return (
            Endpoint(
                operation="list_webhook_topics", method="GET", path=f"{PATH}/topics", tag=TAG, access=access,
                summary="See what webhooks can be told of",
                answers={200: Reply("All topics.", list[TopicView])}, run=self._topics,
            ),
            Endpoint(
                operation="list_webhooks", method="GET", path=PATH, summary="List webhooks and how they fare", tag=TAG,
                access=access, query=PageQuery, answers={200: Reply("A page of webhooks.", list[WebhookView])},
                problems=(BAD_CURSOR,), run=self._list,
            ),
            Endpoint(
                operation="create_webhook", method="POST", path=PATH, summary="Have another program told",
                description=_ABOUT, tag=TAG, access=access, body=CreateWebhook,
                answers={201: Reply("The webhook, with its secret.", WebhookWithSecret)},
                problems=(QUOTA_EXCEEDED,), idempotency_key=True, run=self._create,
            ),
            Endpoint(
                operation="get_webhook", method="GET", path=ONE, summary="Look at a webhook", tag=TAG, access=access,
                parameters=WebhookPath, answers={200: Reply("The webhook.", WebhookView)}, problems=(NOT_FOUND,),
                run=self._get,
            ),
            Endpoint(
                operation="change_webhook", method="PATCH", path=ONE, summary="Change a webhook", tag=TAG,
                access=access, parameters=WebhookPath, body=ChangeWebhook,
                answers={200: Reply("The webhook as it is now.", WebhookView)}, problems=(NOT_FOUND,),
                versioned=True, run=self._change,
            ),
            Endpoint(
                operation="delete_webhook", method="DELETE", path=ONE, summary="Take a webhook away", tag=TAG,
                access=access, parameters=WebhookPath, answers={204: Reply("It is gone, with what waited for it.")},
                problems=(NOT_FOUND,), run=self._delete,
            ),
            Endpoint(
                operation="rotate_webhook_secret", method="POST", path=f"{ONE}/rotate",
                summary="Give a webhook a new secret", tag=TAG, access=access, parameters=WebhookPath,
                body=RotateSecret, answers={200: Reply("The webhook, with its new secret.", WebhookWithSecret)},
                problems=(NOT_FOUND,), idempotency_key=True, run=self._rotate,
            ),
            Endpoint(
                operation="test_webhook", method="POST", path=f"{ONE}/test", summary="Send a webhook a test event",
                tag=TAG, access=access, parameters=WebhookPath, answers={202: Reply("It is sent in its turn.")},
                problems=(NOT_FOUND,), run=self._test,
            ),
            Endpoint(
                operation="list_webhook_deliveries", method="GET", path=f"{ONE}/deliveries",
                summary="See what a webhook was told", tag=TAG, access=access, parameters=WebhookPath,
                query=DeliveryQuery, answers={200: Reply("A page of events, the latest first.", list[DeliveryView])},
                problems=(NOT_FOUND, BAD_CURSOR), run=self._deliveries,
            ),
            Endpoint(
                operation="replay_webhook", method="POST", path=f"{ONE}/replay", tag=TAG, access=access,
                summary="Deliver what was given up once more", parameters=WebhookPath,
                answers={202: Reply("It is delivered, before what is newer.", Replaying)}, problems=(NOT_FOUND,),
                run=self._replay,
            ),
        )  # fmt: skip

    async def _topics(self, _call: Call[Nothing, Nothing, Nothing]) -> Result:
        return Result([TopicView(topic=topic, meaning=meaning) for topic, meaning in TOPICS.items()])

    async def _list(self, call: Call[Nothing, PageQuery, Nothing]) -> Result:
        statement = select(webhook).where(webhook.c.org_id == call.caller.org_id)
        rows, following = await fetch_page(call.transaction, statement, (webhook.c.id,), call.query)
        return Result(await views_of(call.transaction, rows), next=following)

    async def _create(self, call: Call[Nothing, Nothing, CreateWebhook]) -> Result:
        transaction, body = call.transaction, call.body
        self._check(body.url, body.topics)
        present = await transaction.value(
            select(func.count()).select_from(webhook).where(webhook.c.org_id == transaction.org_id)
        )
        if present >= self._settings.receivers:
            raise ProblemError(
                QUOTA_EXCEEDED,
                value=self._settings.receivers,
                rule="quota",
                what=Phrase("webhooks", "عناوين الإشعارات الآلية (webhooks)"),
            )
        webhook_id = self._parts.ids.new()
        await transaction.execute(
            insert_into(webhook).values(
                org_id=transaction.org_id,
                id=webhook_id,
                name=body.name.strip(),
                url=body.url,
                active=True,
                generation=1,
                next_at=transaction.now,
                failures=0,
                created_by=call.caller.user_id,
                version=1,
                created_at=transaction.now,
            )
        )
        await set_topics(transaction, webhook_id, body.topics)
        told = {"name": body.name, "url": body.url, "topics": list(body.topics)}
        await record(call, "webhook.create", "webhook", webhook_id, new=told)
        row = await self._find(call, webhook_id)
        headers = {"Location": f"{PATH}/{webhook_id}"}
        return Result(await self._with_secret(call, row), status=201, version=1, headers=headers)

    async def _get(self, call: Call[WebhookPath, Nothing, Nothing]) -> Result:
        return await self._result(call, await self._find(call, call.path.webhook_id))

    async def _change(self, call: Call[WebhookPath, Nothing, ChangeWebhook]) -> Result:
        transaction, body = call.transaction, call.body
        row = await self._find(call, call.path.webhook_id)
        call.check_version(row.version)
        self._check(row.url if body.url is UNSET else body.url, () if body.topics is UNSET else body.topics)
        changes = {name: value for name in ("name", "url", "active") if (value := getattr(body, name)) is not UNSET}
        told: dict[str, Any] = dict(changes)
        if body.topics is not UNSET:
            await set_topics(transaction, row.id, body.topics)
            told["topics"] = list(body.topics)
        if told:
            await self._write(call, row, **changes, version=row.version + 1, next_at=transaction.now)
            old = {name: row._mapping[name] for name in changes}
            await record(call, "webhook.update", "webhook", row.id, old=old, new=told)
            transaction.after_commit.append(self._parts.webhooks.wake)
        return await self._result(call, await self._find(call, row.id))

    async def _delete(self, call: Call[WebhookPath, Nothing, Nothing]) -> Result:
        row = await self._find(call, call.path.webhook_id)
        await call.transaction.execute(
            delete_from(webhook).where(webhook.c.org_id == call.caller.org_id, webhook.c.id == row.id)
        )
        await record(call, "webhook.delete", "webhook", row.id, old={"name": row.name, "url": row.url})
        return Result(status=204)

    async def _rotate(self, call: Call[WebhookPath, Nothing, RotateSecret]) -> Result:
        row = await self._find(call, call.path.webhook_id)
        until = call.transaction.now + timedelta(seconds=call.body.overlap_s)
        await self._write(call, row, generation=row.generation + 1, previous_until=until, version=row.version + 1)
        await record(call, "webhook.rotate", "webhook", row.id, new={"previous_until": until})
        row = await self._find(call, row.id)
        return Result(await self._with_secret(call, row), version=row.version)

    async def _test(self, call: Call[WebhookPath, Nothing, Nothing]) -> Result:
        row = await self._find(call, call.path.webhook_id)
        await add_delivery(call.transaction, row.id, self._parts.ids.new(), TEST)
        call.transaction.after_commit.append(self._parts.webhooks.wake)
        return Result(status=202)

    async def _deliveries(self, call: Call[WebhookPath, DeliveryQuery, Nothing]) -> Result:
        row = await self._find(call, call.path.webhook_id)
        statement = select(webhook_delivery).where(
            webhook_delivery.c.org_id == call.caller.org_id, webhook_delivery.c.webhook_id == row.id
        )
        if call.query.state is not None:
            statement = statement.where(webhook_delivery.c.state == call.query.state)
        order = (webhook_delivery.c.event_id,)
        rows, following = await fetch_page(call.transaction, statement, order, call.query, descending=True)
        return Result([_delivery(each) for each in rows], next=following)

    async def _replay(self, call: Call[WebhookPath, Nothing, Nothing]) -> Result:
        row = await self._find(call, call.path.webhook_id)
        events = await replay_dead(call.transaction, row.id)
        if events:
            await self._write(call, row, next_at=call.transaction.now)
            await record(call, "webhook.replay", "webhook", row.id, new={"events": events})
            call.transaction.after_commit.append(self._parts.webhooks.wake)
        return Result(Replaying(events=events), status=202)

    def _check(self, url: str, topics: Iterable[str]) -> None:
        expected = fault_of_url(url, allow_plain_http=self._settings.allow_plain_http)
        if expected is not None:
            raise bad_field("url", url, expected, "url")
        for topic in topics:
            if topic not in TOPICS and topic != EVERYTHING:
                raise bad_field("topics", topic, _TOPICS, "choice")

    async def _find(self, call: Call[Any, Any, Any], webhook_id: Any) -> Row[Any]:
        row = await find_webhook(call.transaction, webhook_id)
        if row is None:
            raise not_found(THE_WEBHOOK)
        return row

    async def _write(self, call: Call[Any, Any, Any], row: Row[Any], **values: Any) -> None:
        await call.transaction.execute(
            update(webhook).where(webhook.c.org_id == row.org_id, webhook.c.id == row.id).values(**values)
        )

    async def _result(self, call: Call[Any, Any, Any], row: Row[Any]) -> Result:
        (view,) = await views_of(call.transaction, [row])
        return Result(view, version=view.version)

    async def _with_secret(self, call: Call[Any, Any, Any], row: Row[Any]) -> WebhookWithSecret:
        (view,) = await views_of(call.transaction, [row])
        key = key_of(self._parts.secrets[0], row.id, row.generation)
        return WebhookWithSecret(webhook=view, secret=encode_secret(key))


def _delivery(row: Row[Any]) -> DeliveryView:
    return DeliveryView(
        event_id=row.event_id,
        topic=row.topic,
        data=row.payload,
        state=row.state,
        attempts=row.attempts,
        created_at=row.created_at,
        ended_at=row.ended_at,
        error=row.error,
    )
