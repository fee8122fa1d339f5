"""Python's hand on one worker: rows, events, counters."""

from typing import final

from media.native.worker_mirrors import WorkerMirrors

STUN: int
DTLS: int
ENCODING: int
FORMAT: int
SWITCH: int
BYE: int
STRAY: int

@final
class Worker(WorkerMirrors):
    """One data plane: its rows, its socket, and its thread once started."""

    def start(self) -> None:
        """Start the data-plane thread. RuntimeError if the system refuses one."""
    def stop(self) -> None:
        """End the thread; the rows stay."""
    def use_gso(self, on: bool) -> None:
        """Let runs of one size to one viewer leave as one message, or not."""

    def answer_checks(self, transport: int, username: bytes, password: bytes) -> bool:
        """From now on answer checks of these credentials from the address that is sent to; False if that cannot be."""
    def leave_checks(self, transport: int) -> None: ...
    def take_checks(self, transport: int) -> tuple[int, bytes] | None:
        """Return how long ago (us) the last check was answered, and the ids of those since the last call."""

    def cpu_ns(self) -> int:
        """Return the CPU time of the thread in nanoseconds; 0 when it does not run."""
    def drain_events(self, limit: int = 256) -> list[tuple[int, int, int, int, int, int, tuple[str, int], bytes]]: ...
    def take_audio_levels(self, quietest: int = 127) -> list[tuple[int, int, bytes]]: ...
    def take_estimates(self) -> list[tuple[int, int, float, int]]:
        """Return (transport, estimate in bit/s, loss 0 to 1, round trip in us) of paths that changed meanwhile."""

    def counters(self) -> dict[str, int]: ...
    def latency(self) -> tuple[list[int], int]:
        """Return how many batches took how long to be forwarded (buckets of latency.bounds_us), and their sum in us."""
    def rows(self) -> tuple[int, int, int]:
        """Return how many transports, producers and consumers there are."""
    def encoding_stats(self, producer: int, encoding: int) -> dict[str, int]: ...
    def consumer_stats(self, consumer: int) -> dict[str, int]: ...
    def layer_stats(self, producer: int, encoding: int) -> list[tuple[int, int, int, int, int, int]]: ...
    def received_bytes(self, producer: int) -> tuple[int, ...]: ...
    def offered_bytes(self, producer: int) -> tuple[int, ...]: ...
    def path_stats(self, transport: int) -> dict[str, int]: ...
    def memory_per_viewer(self) -> dict[str, int]:
        """Return the bytes of one row of each kind that a viewer may need, SRTP state apart."""
    def feed(self, datagram: bytes, source: tuple[str, int], now_us: int, more: bool = False) -> None: ...
    def tick(self, now_us: int) -> None: ...
    def read_letters(self, now_us: int) -> None:
        """Do what the other workers have left in the inbox."""
    def take_datagrams(self) -> list[tuple[bytes, tuple[str, int]]]:
        """Return and forget what was captured: (datagram, destination), in order."""
