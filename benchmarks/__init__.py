"""One module per question about speed or memory: each prints one table and writes JSON."""
