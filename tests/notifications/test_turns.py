"""Whom may be posted for: whoever answers slowly has some posts at a time, whoever is quick has all there are."""

from contextlib import ExitStack

from deedbook.kernel.ids import UserId, new_uuid
from deedbook.notifications.turns import MOST_POSTPONED_S, OF_A_SLOW_USER, SLOW_S, Turns


def test_a_user_is_bounded_while_their_posts_take_long_and_until_one_was_quick() -> None:
    now, user, other = 0.0, UserId(new_uuid()), UserId(new_uuid())
    turns = Turns(lambda: now)
    with ExitStack() as going:
        for _ in range(10):
            assert turns.may_go(user)
            going.enter_context(turns.going(user))
        now += SLOW_S
        assert not turns.may_go(user) and turns.may_go(other)
    with ExitStack() as going:
        for _ in range(OF_A_SLOW_USER):
            assert turns.may_go(user), "one who was slow has some all the same"
            going.enter_context(turns.going(user))
        assert not turns.may_go(user)
    with ExitStack() as going:
        for _ in range(OF_A_SLOW_USER + 1):
            assert turns.may_go(user), "those were quick"
            going.enter_context(turns.going(user))


def test_what_has_to_wait_comes_again_one_by_one_and_within_an_hour() -> None:
    user = UserId(new_uuid())
    turns = Turns(lambda: 1000.0)
    waits = [turns.later_s(user) for _ in range(5000)]
    assert waits[:3] == [31.0, 32.0, 33.0]
    assert waits[-1] == waits[-1000] == MOST_POSTPONED_S
    assert turns.later_s(UserId(new_uuid())) == 31.0
    with turns.going(user):
        pass
    assert turns.later_s(user) == 31.0, "one was quick since"
