import pytest

from tests.support.cases import cases


def test_each_case_is_tried_and_the_one_that_fails_is_noted():
    tried = []

    @cases("one, other", [(1, 2), (3, 4), (5, 6)])
    def test(one, other):
        tried.append((one, other))
        assert one < 3

    with pytest.raises(AssertionError) as caught:
        test()
    assert tried == [(1, 2), (3, 4)] and caught.value.__notes__ == ["The case: (3, 4)"]


def test_a_test_without_a_case_fails():
    @cases("one", [])
    def test(one):
        pass

    with pytest.raises(AssertionError, match="no case"):
        test()
