"""Who may use the control API: an API key, shown as it is (HTTP Basic) or by a short token that it signed (Bearer)."""
