"""What did the far end really see and hear? Makes video and sound in which every frame and second is numbered."""
