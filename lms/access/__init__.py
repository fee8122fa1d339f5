"""Access: roles and what they may do, login, tokens, passwords."""
