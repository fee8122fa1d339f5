"""What is held on a person: handed out as an archive, and erased, each module saying what it holds."""
