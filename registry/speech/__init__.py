"""From samples to vectors: the model, what runs it, and who reads and embeds."""
