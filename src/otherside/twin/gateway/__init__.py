"""The API gateway: authenticates, authorizes and routes every AWS API call."""
