"""RTP vocabulary shared by the engine: codecs, header extensions and negotiated parameters."""
