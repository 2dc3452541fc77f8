"""What every connector must do, once for all of them."""

import pytest

pytest.register_assert_rewrite("tests.contract.pos", "tests.contract.channel")
