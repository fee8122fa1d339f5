"""From a client's messages to calls of the media engine: SDP, the JSON protocol, rooms and permissions."""
