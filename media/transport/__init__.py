"""One ICE + DTLS pipe as pure machines: bytes and times go in, datagrams and keys come out."""
