"""Settings of webhooks: what cannot work is refused, and no message shows a secret."""

from __future__ import annotations

import base64

import pytest

from control_api.webhooks.settings import WebhookEndpoint, WebhookSettings, WebhookSettingsError

SECRET = "whsec_" + base64.b64encode(b"k" * 32).decode()


def endpoint(
    name: str = "lms", url: str = "https://lms.example/hook", secrets: tuple[str, ...] = (SECRET,)
) -> WebhookEndpoint:
    return WebhookEndpoint(name, url, secrets)


def test_good_settings() -> None:
    WebhookSettings(endpoints=(endpoint(), endpoint("other", secrets=(SECRET, SECRET))))
    assert endpoint().keys == (b"k" * 32,)
    assert SECRET not in repr(endpoint())


@pytest.mark.parametrize("name", ["", "A", "a b", "../etc", "a" * 33])
def test_bad_name(name: str) -> None:
    with pytest.raises(WebhookSettingsError, match="name"):
        endpoint(name=name)


@pytest.mark.parametrize(
    "url",
    ["", "lms.example", "ftp://lms.example", "https://", "https://u:p@lms.example/", "https://[::1", "https://a/#x"],
)
def test_bad_url(url: str) -> None:
    with pytest.raises(WebhookSettingsError, match="URL"):
        endpoint(url=url)


@pytest.mark.parametrize("secrets", [(), (SECRET,) * 3, ("whsec_c2hvcnQ=",), ("no-prefix",), ("whsec_!!!",)])
def test_bad_secrets(secrets: tuple[str, ...]) -> None:
    with pytest.raises(WebhookSettingsError, match="secret") as refused:
        endpoint(secrets=secrets)
    assert not any(secret in str(refused.value) for secret in secrets)


def test_plain_http_must_be_allowed() -> None:
    plain = endpoint(url="http://lms.example/")
    with pytest.raises(WebhookSettingsError, match="https"):
        WebhookSettings(endpoints=(plain,))
    WebhookSettings(endpoints=(plain,), allow_plain_http=True)


def test_names_are_unique() -> None:
    with pytest.raises(WebhookSettingsError, match="same name"):
        WebhookSettings(endpoints=(endpoint(), endpoint()))
