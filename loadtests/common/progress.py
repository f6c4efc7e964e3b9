"""One line for each finished unit of work, with the time that is left."""

import time


class Progress:
    """Prints how far a task is; what was already there costs nothing and does not make it look fast.

    Args:
        task: what is done, such as "drawing photos".
        total: units of work.
        done: units that an earlier run has finished.
        every: print each so many units, and the last one.
    """

    def __init__(self, task: str, total: int, done: int = 0, every: int = 1) -> None:
        self._task, self._total, self._done, self._every = task, total, done, every
        self._new, self._began_s = 0, time.monotonic()
        if done < total:
            print(f"{_clock()} {task}: {done} of {total} done before", flush=True)

    def skip(self, count: int) -> None:
        """Counts units that turn out to have been done before."""
        self._done += count

    def advance(self, note: str = "") -> None:
        """Counts one finished unit."""
        self._done += 1
        self._new += 1
        if self._done % self._every and self._done != self._total:
            return
        each_s = (time.monotonic() - self._began_s) / self._new
        left = duration_text(each_s * (self._total - self._done))
        note = f" ({note})" if note else ""
        print(
            f"{_clock()} {self._task}{note}: {self._done} of {self._total}, {each_s:.1f} s each, {left} left",
            flush=True,
        )


def duration_text(seconds: float) -> str:
    """Returns "40 s", "12 min" or "1 h 05 min"."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


def _clock() -> str:
    return time.strftime("%H:%M:%S")
