"""/v1/webhooks: how receivers fare, and dead letters once more. control_api/events.md tells of webhooks themselves."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from control_api.contract.scopes import Scope
from control_api.contract.shapes import Request
from control_api.contract.webhooks import Replaying, WebhookList, WebhookState
from control_api.feed.cursor import Cursor, build_cursor
from control_api.rest.endpoint import AnyEndpoint, Call, Endpoint, Nothing, Reply, Result
from control_api.rest.problems import Problem, ProblemError
from control_api.webhooks.webhooks import Webhooks
from control_api.webhooks.worker import Worker

TAG = "Events"


class WebhookPath(Request, frozen=True, kw_only=True):
    name: Annotated[str, Meta(min_length=1, max_length=64, examples=["lms"])]
    """As the operator named it."""


class WebhookEndpoints:
    """The endpoints over the webhooks of one server."""

    def __init__(self, webhooks: Webhooks) -> None:
        self._webhooks = webhooks

    def endpoints(self) -> tuple[AnyEndpoint, ...]:
        return (
            Endpoint(
                operation="list_webhooks",
                method="GET",
                path="/v1/webhooks",
                summary="See how webhooks fare",
                tag=TAG,
                scope=Scope.EVENTS_READ,
                answers={200: Reply("All receivers that the operator named.", WebhookList)},
                problems=(Problem.ROOM_NOT_ALLOWED,),
                run=self._list,
            ),
            Endpoint(
                operation="replay_webhook",
                method="POST",
                path="/v1/webhooks/{name}/replay",
                summary="Deliver dead letters again",
                description="They come before anything new, in order.",
                tag=TAG,
                scope=Scope.WEBHOOKS_WRITE,
                parameters=WebhookPath,
                answers={202: Reply("They are on their way.", Replaying)},
                problems=(Problem.ROOM_NOT_ALLOWED, Problem.NO_SUCH_WEBHOOK),
                run=self._replay,
            ),
        )

    async def _list(self, call: Call[Nothing, Nothing, Nothing]) -> Result:
        call.caller.check_every_room()
        return Result(WebhookList(webhooks=tuple(map(_describe, self._webhooks.workers.values()))))

    async def _replay(self, call: Call[WebhookPath, Nothing, Nothing]) -> Result:
        call.caller.check_every_room()
        worker = self._webhooks.workers.get(call.path.name)
        if worker is None:
            raise ProblemError(Problem.NO_SUCH_WEBHOOK)
        return Result(Replaying(ranges=worker.replay()), status=202)


def _describe(worker: Worker) -> WebhookState:
    delivery = worker.delivery
    progress = delivery.progress
    return WebhookState(
        name=worker.endpoint.name,
        cursor=build_cursor(Cursor(progress.journal_id, progress.position)),
        waiting=worker.lag,
        failures=delivery.failures,
        error=delivery.error,
        dead_letters=sum(each.last - each.after for each in progress.dead),
        replaying=sum(each.last - each.after for each in progress.replay),
    )
