"""FFmpeg's WHIP muxer through PyAV, as a program of its own: PyAV holds the interpreter lock while it waits for HTTP.

    python -m tests.support.whip_publisher URL TOKEN SECONDS FOLDER

FFmpeg built with GnuTLS, as PyAV is, makes itself a certificate on secp224r1, which OpenSSL 4 does not take any more
("wrong curve"); so it is given one on P-256, written to FOLDER. It publishes a moving test picture (H264, 320 x 180)
and a tone (Opus), and prints "published" once the server has answered and DTLS is done.
"""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Final

import av
import numpy as np
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

WIDTH: Final = 320
HEIGHT: Final = 180
FRAME_RATE: Final = 15
SAMPLE_RATE_HZ: Final = 48_000
SAMPLES: Final = 960


def publish(url: str, token: str, seconds: float, folder: Path) -> None:
    certificate, key = _write_certificate(folder)
    options = {"authorization": token, "cert_file": str(certificate), "key_file": str(key)}
    with av.open(url, "w", format="whip", options=options) as container:
        video = container.add_stream("libx264", rate=FRAME_RATE)
        video.width, video.height, video.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        video.options = {"preset": "ultrafast", "tune": "zerolatency", "profile": "baseline", "g": str(FRAME_RATE)}
        audio = container.add_stream("libopus", rate=SAMPLE_RATE_HZ)
        audio.layout = "stereo"
        container.start_encoding()
        print("published", flush=True)
        started = time.monotonic()
        for number in range(int(seconds * 50)):
            container.mux(audio.encode(_tone(number)))
            if number * FRAME_RATE // 50 != (number - 1) * FRAME_RATE // 50:
                container.mux(video.encode(_picture(number * FRAME_RATE // 50)))
            time.sleep(max(0.0, started + number / 50 - time.monotonic()))


def _picture(number: int) -> av.VideoFrame:
    pixels = np.full((HEIGHT, WIDTH, 3), number % 256, dtype=np.uint8)
    pixels[:, (8 * number) % WIDTH :][:, :16] = (255, 128, 0)
    frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
    frame.pts, frame.time_base = number, Fraction(1, FRAME_RATE)
    return frame


def _tone(number: int) -> av.AudioFrame:
    times = (np.arange(SAMPLES) + number * SAMPLES) / SAMPLE_RATE_HZ
    wave = (8000 * np.sin(2 * np.pi * 440 * times)).astype(np.int16)
    frame = av.AudioFrame.from_ndarray(np.repeat(wave, 2).reshape(1, -1), format="s16", layout="stereo")
    frame.sample_rate = SAMPLE_RATE_HZ
    frame.pts, frame.time_base = number * SAMPLES, Fraction(1, SAMPLE_RATE_HZ)
    return frame


def _write_certificate(folder: Path) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "publisher")])
    now = datetime.now(UTC)
    end = now + timedelta(days=1)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, end)
    certificate = builder.sign(key, hashes.SHA256())
    paths = folder / "certificate.pem", folder / "key.pem"
    paths[0].write_bytes(certificate.public_bytes(Encoding.PEM))
    paths[1].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()))
    return paths


if __name__ == "__main__":
    publish(sys.argv[1], sys.argv[2], float(sys.argv[3]), Path(sys.argv[4]))
