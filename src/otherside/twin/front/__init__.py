"""The front door of the API: who asks, may they, and what is wrong today."""
