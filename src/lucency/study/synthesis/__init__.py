"""The task of synthesis: two networks that compete make images, and the study says what those are worth."""
