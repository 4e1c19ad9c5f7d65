"""The rules, one per module; the module's docstring is the rule's page."""
