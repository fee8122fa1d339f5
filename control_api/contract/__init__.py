"""What other programs and the control API say to each other: every request and answer as a struct.

The OpenAPI document is made of these structs: docstrings become descriptions, and the string below a field describes
the field. Requests refuse fields that they do not know; answers may gain fields, so clients pass over unknown ones.
"""

from control_api.contract.errors import Error, ErrorAnswer
from control_api.contract.ice_servers import IceServer, IceServers
from control_api.contract.keys import CreateKey, Key, KeyList, KeyWithSecret, RotateKey
from control_api.contract.scopes import Scope
from control_api.contract.webhooks import Replaying, WebhookList, WebhookState

__all__ = [
    "CreateKey",
    "Error",
    "ErrorAnswer",
    "IceServer",
    "IceServers",
    "Key",
    "KeyList",
    "KeyWithSecret",
    "Replaying",
    "RotateKey",
    "Scope",
    "WebhookList",
    "WebhookState",
]
