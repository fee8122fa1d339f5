"""The crossbar of a room: producers, consumers and their transports as rows of one native worker."""
