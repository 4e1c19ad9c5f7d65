"""What a check found, for people and for machines; each format is made of one document."""
