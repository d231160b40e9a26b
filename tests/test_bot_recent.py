"""Recent artists are few, the latest first, and each member's own."""

from bot.recent import ARTISTS_KEPT, MEMBERS_KEPT, RecentArtists


def test_the_latest_come_first_and_each_once():
    recent = RecentArtists()
    for artist in (1, 2, 1, 3):
        recent.note("ann", artist)
    assert recent.of("ann") == (3, 1, 2)
    assert recent.of("bob") == ()


def test_memory_is_bounded():
    recent = RecentArtists()
    for artist in range(100):
        recent.note("ann", artist)
    assert recent.of("ann") == tuple(range(99, 99 - ARTISTS_KEPT, -1))
    for number in range(MEMBERS_KEPT):
        recent.note(f"member {number}", 1)
    assert recent.of("ann") == ()
