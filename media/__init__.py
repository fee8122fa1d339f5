"""The media engine: RTP, RTCP, ICE, DTLS, SRTP and routing. It knows no room, user, SDP or HTTP."""
