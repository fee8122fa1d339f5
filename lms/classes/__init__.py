"""Live classes: series and single ones, their runs on the media server, who joins as what, recordings, calendars."""
