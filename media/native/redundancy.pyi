"""Sound for viewers who lose packets: each packet repeats one or two before it (RED, RFC 2198)."""
