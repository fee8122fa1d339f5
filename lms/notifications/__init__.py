"""What people are to know of: kept until they have read it, told at once to who is there."""
