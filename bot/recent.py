"""Which artists each member was answered about lately: in memory alone, forgotten with the process."""

from collections import OrderedDict

ARTISTS_KEPT = 10
MEMBERS_KEPT = 2_000


class RecentArtists:
    """The latest artists of the latest members; used from one thread, the event loop's."""

    def __init__(self) -> None:
        self._by_member: OrderedDict[str, OrderedDict[int, None]] = OrderedDict()

    def note(self, member: str, artist_id: int) -> None:
        """Remember that a member was answered about an artist."""
        artists = self._by_member.setdefault(member, OrderedDict())
        artists[artist_id] = None
        artists.move_to_end(artist_id)
        if len(artists) > ARTISTS_KEPT:
            artists.popitem(last=False)
        self._by_member.move_to_end(member)
        if len(self._by_member) > MEMBERS_KEPT:
            self._by_member.popitem(last=False)

    def of(self, member: str) -> tuple[int, ...]:
        """Ids of a member's artists, the latest first."""
        return tuple(reversed(self._by_member.get(member, ())))

    def forget(self, member: str) -> None:
        """Forget a member."""
        self._by_member.pop(member, None)
