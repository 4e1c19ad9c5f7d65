"""Resources, values and links: what every dialect is read into."""
