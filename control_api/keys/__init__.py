"""API keys: what they are, what they may do, and the file of the data folder that holds them."""

from __future__ import annotations

from control_api.contract.scopes import Scope
from control_api.keys.api_key import ALL_SCOPES, ApiKey, EarlierSecret, make_api_key, moment, parse_scope
from control_api.keys.key_file import KEYS_FILE, KeyFile, KeyFileError, NoSuchKeyError, open_keys

__all__ = [
    "ALL_SCOPES",
    "KEYS_FILE",
    "ApiKey",
    "EarlierSecret",
    "KeyFile",
    "KeyFileError",
    "NoSuchKeyError",
    "Scope",
    "make_api_key",
    "moment",
    "open_keys",
    "parse_scope",
]
