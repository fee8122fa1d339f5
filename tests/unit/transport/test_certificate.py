"""Certificates of ours, fingerprints of theirs."""

from __future__ import annotations

import datetime as dt

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from media.rtp.parameters import Fingerprint
from media.transport.certificate import fingerprint_value, generate_certificate, matches_fingerprints
from tests.unit.transport.support import certificate

DER = certificate("client").certificate.public_bytes(serialization.Encoding.DER)
WRONG = ":".join(["00"] * 32)


def right(algorithm: str) -> Fingerprint:
    return Fingerprint(algorithm, fingerprint_value(DER, algorithm))


def wrong(algorithm: str) -> Fingerprint:
    return Fingerprint(algorithm, fingerprint_value(DER + b"x", algorithm))


def test_a_new_certificate() -> None:
    wallclock = dt.datetime(2030, 1, 2, 3, 4, 5, tzinfo=dt.UTC)
    made = generate_certificate(wallclock=wallclock)
    assert made.expires == wallclock + dt.timedelta(days=30)
    assert made.certificate.not_valid_before_utc < wallclock
    assert isinstance(made.key.curve, ec.SECP256R1)
    assert made.fingerprint.algorithm == "sha-256"
    assert len(made.fingerprint.value) == 95
    der = made.certificate.public_bytes(serialization.Encoding.DER)
    assert matches_fingerprints(der, [made.fingerprint])
    assert "key" not in repr(made).split("certificate")[0]
    assert generate_certificate(wallclock=wallclock, validity_days=1).expires == wallclock + dt.timedelta(days=1)


@pytest.mark.parametrize("algorithm", ["sha-256", "sha-384", "sha-512"])
def test_each_known_hash(algorithm: str) -> None:
    assert matches_fingerprints(DER, [right(algorithm)])
    assert not matches_fingerprints(DER, [wrong(algorithm)])


def test_case_and_blanks_do_not_matter() -> None:
    value = right("sha-256").value
    assert matches_fingerprints(DER, [Fingerprint("SHA-256", f" {value.lower()} ")])


def test_one_of_the_strongest_must_match() -> None:
    assert matches_fingerprints(DER, [wrong("sha-256"), right("sha-256")])
    assert matches_fingerprints(DER, [wrong("sha-256"), right("sha-512")])
    assert not matches_fingerprints(DER, [right("sha-256"), wrong("sha-512")])
    assert matches_fingerprints(DER, [right("sha-256"), Fingerprint("sha-1", "00"), Fingerprint("md5", "00")])


@pytest.mark.parametrize(
    "fingerprints",
    [
        [],
        [Fingerprint("sha-1", WRONG)],
        [Fingerprint("", "")],
        [Fingerprint("sha-256", "")],
        [Fingerprint("sha-256", WRONG[:-1])],
        [Fingerprint("sha-256", "\u062d\ud800")],
    ],
    ids=range(6),
)
def test_nothing_matches_by_default(fingerprints: list[Fingerprint]) -> None:
    assert not matches_fingerprints(DER, fingerprints)
