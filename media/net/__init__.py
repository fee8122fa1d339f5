"""Where the engine meets the machine: sockets, addresses, worker threads and the event loop."""
