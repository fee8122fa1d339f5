"""How joins go, counted by stage, and one line in the log for each participant that leaves."""
