"""Readings become Prometheus metrics at the moment of the scrape."""

from __future__ import annotations

from prometheus_client.exposition import generate_latest

from control_api.metrics.registry import build_registry


def test_reading_is_taken_at_each_scrape() -> None:
    values = {"packets_received_total": 1.0, "rooms": 2.0}
    registry = build_registry(lambda: values)
    values["packets_received_total"] = 41.0
    text = generate_latest(registry).decode()
    assert "# TYPE halqa_packets_received_total counter\nhalqa_packets_received_total 41.0\n" in text
    assert "# HELP halqa_packets_received_total Packets received.\n" in text
    assert "# TYPE halqa_rooms gauge\nhalqa_rooms 2.0\n" in text


def test_process_is_counted_too() -> None:
    assert "process_resident_memory_bytes" in generate_latest(build_registry()).decode()


def test_two_servers_in_one_process_do_not_meet() -> None:
    one, other = build_registry(lambda: {"rooms": 1.0}), build_registry(lambda: {"rooms": 2.0})
    assert one.get_sample_value("halqa_rooms") == 1.0
    assert other.get_sample_value("halqa_rooms") == 2.0
