"""The nouns of a study: frozen, without input or output, without torch."""
