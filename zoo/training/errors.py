"""What can go wrong in training that the user can mend."""


class TrainingError(RuntimeError):
    """Training cannot go on; the message says why, and what to do. Nothing saved is lost."""


class Interrupted(KeyboardInterrupt):
    """Training was asked to stop, and has stopped after it saved.

    Attributes:
        signal: the number of the signal that asked, SIGINT for Ctrl-C.
    """

    def __init__(self, message: str, signal: int) -> None:
        super().__init__(message)
        self.signal = signal
