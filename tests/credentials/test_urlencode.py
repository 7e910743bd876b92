"""The quick way of writing a query says what ccxt says: a signature covers every byte of it."""

from ccxt.async_support import Exchange
from hypothesis import given
from hypothesis import strategies as st

from alertd.credentials.exchange import _Driver

NAMES = st.text(max_size=5) | st.sampled_from(["timestamp", "recvWindow", "a b", "ä", "from[]"])
VALUES = st.integers() | st.booleans() | st.floats() | st.text(max_size=5)


@given(st.dictionaries(NAMES, VALUES, max_size=4))
def test_it_is_what_ccxt_writes(params: dict[str, object]) -> None:
    assert _Driver.urlencode(params) == Exchange.urlencode(params)


@given(st.dictionaries(NAMES, st.integers(), max_size=4))
def test_numbers_too(params: dict[str, object]) -> None:
    assert _Driver.urlencode(params) == Exchange.urlencode(params)
