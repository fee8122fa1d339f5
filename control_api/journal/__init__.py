"""The event journal: every fact of every room in append-only files; a crash loses none that anybody was told."""
