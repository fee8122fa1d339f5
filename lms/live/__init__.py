"""What is told at once: the WebSocket, who listens to what, who is there, and how processes hear of each other."""
