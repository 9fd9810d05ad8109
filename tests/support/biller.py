"""What a stand-in server bills: requests by the documented rules of the cache, at the time they come."""

import threading
import time
from collections import Counter
from decimal import Decimal
from typing import Any, Final

from slow_cache import bill
from workloads import SONNET46

MODEL: Final = SONNET46
USD_PER_MTOK: Final = {
    "input_tokens": Decimal(3),
    "cache_read_tokens": Decimal("0.3"),
    "cache_write_5m_tokens": Decimal("3.75"),
    "cache_write_1h_tokens": Decimal(6),
    "output_tokens": Decimal(15),
}
"""Claude Sonnet 4.6, typed from the price list."""


class Biller:
    """Bills each request as it comes, and sums up; of a stream that will be cut only what it says at its start."""

    def __init__(self) -> None:
        self.sums: Counter[str] = Counter()
        self.is_cut = False
        self._calls: list[dict[str, Any]] = []
        self._lock = threading.Lock()

    def __call__(self, body: dict[str, Any]) -> dict[str, Any]:
        """Return the usage that an answer to a request tells."""
        with self._lock:
            self._calls.append({"at_us": time.time_ns() // 1000, "took_us": 0, "request": body})
            read, hour, five, plain = bill(self._calls)[-1]
            output = 10 + len(self._calls)
            own = {"input_tokens": plain, "cache_read_tokens": read, "cache_write_5m_tokens": five}
            self.sums.update(
                {**own, "cache_write_1h_tokens": hour, "output_tokens": 1 if self.is_cut else output}
            )
        return {
            "input_tokens": plain,
            "cache_read_input_tokens": read,
            "cache_creation_input_tokens": five + hour,
            "cache_creation": {"ephemeral_5m_input_tokens": five, "ephemeral_1h_input_tokens": hour},
            "output_tokens": output,
        }

    @property
    def calls(self) -> int:
        """How many requests were billed."""
        return len(self._calls)

    def usd(self) -> Decimal:
        """Return what all of them cost, at the prices of single requests."""
        return sum((USD_PER_MTOK[name] * n for name, n in self.sums.items()), Decimal()) / 1_000_000
