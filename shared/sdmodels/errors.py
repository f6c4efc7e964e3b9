"""What can be wrong with a model folder or a prompt; services translate these into their typed errors."""

from pathlib import Path


class SdModelError(Exception):
    """Base of everything this package raises on purpose."""


class ModelFileMissing(SdModelError):
    """A file that the model needs is absent; `file` is its path."""

    def __init__(self, file: Path, why: str) -> None:
        super().__init__(f"{file}: {why}")
        self.file = file
        self.why = why


class ModelUnsupported(SdModelError):
    """The folder holds a kind of model that this code cannot run; `what` names it."""

    def __init__(self, folder: Path, what: str) -> None:
        super().__init__(f"{folder}: {what}")
        self.folder = folder
        self.what = what


class TooManyTokens(SdModelError):
    """A prompt is longer than the text encoder reads; it is never cut silently."""

    def __init__(self, token_count: int, token_limit: int) -> None:
        super().__init__(f"the prompt has {token_count} tokens, the limit is {token_limit}")
        self.token_count = token_count
        self.token_limit = token_limit
