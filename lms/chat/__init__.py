"""Chat: rooms of classes, courses, groups, staff and of two people, each with its messages in one order."""
