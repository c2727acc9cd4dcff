"""What tests of several rooms share."""

import os
from collections.abc import Iterator

import pytest


@pytest.fixture
def fresh_shelves() -> Iterator[None]:
    """The test sees models as their files are, not as an earlier test left them, and leaves nothing behind."""
    from brainsift.models.session import open_session
    from brainsift.models.shelf import find

    def forget() -> None:
        find.cache_clear()
        open_session.cache_clear()

    forget()
    yield
    forget()


@pytest.fixture
def ordinary_user() -> Iterator[None]:
    """Root may write everywhere: be someone else for a while."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)
