"""How log lines look: as in every service here, see `webapi.logs`."""

from webapi.logs import FieldsFormatter, JsonFormatter, configure_logs

__all__ = ["FieldsFormatter", "JsonFormatter", "configure_logs"]
