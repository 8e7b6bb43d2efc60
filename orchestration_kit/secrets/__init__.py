"""What secrets look like, and how they are taken out of texts and values before these are kept or shown."""
