"""Every process that runs a part of the tests must collect the same names."""

import gzip

import pytest


@pytest.mark.parametrize("content", [gzip.compress(b"We know it .\n")])
def test_bytes_that_hold_a_time_do_not_name_a_test(content, request):
    assert request.node.callspec.id == "content"
