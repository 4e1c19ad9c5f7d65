"""Error for a bad input, with a one-sentence message that names file, place and cause."""


class InputError(Exception):
    """An input that cannot be read; the message names file, place and cause."""

    def __init__(self, file: str, cause: str, *, line: int | None = None) -> None:
        self.file, self.cause, self.line = file, cause, line
        super().__init__(f"{file}{f':{line}' if line else ''}: {cause}")
