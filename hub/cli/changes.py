"""Changes at the terminal: cancel an order, move one on, mark items as sold out."""

from hub.app import Hub
from hub.errors import InvalidRequest
from hub.model.status import Stage
from hub.model.venue import Venue
from hub.services.asked import Asked, AtPos, Changed

_CLI = "command line"
_WORDS = {
    AtPos.APPLIED: "the POS has it so",
    AtPos.QUEUED: "the POS will be told",
    AtPos.REFUSED: "the POS refused it",
    AtPos.NOT_SUPPORTED: "this POS takes no such change: do it there by hand",
    AtPos.NO_POS: "this store has no POS",
}


async def cancel(hub: Hub, id_or_number: str, *, reason: str) -> int:
    """Cancels an order; says whether the POS has to agree first."""
    order = (await hub.orders.load(id_or_number)).order
    changed = await hub.changes.cancel(Asked(order.id, _CLI), reason=reason)
    if changed.applied:
        print(f"{order.number}: cancelled ({_WORDS[changed.pos]})")
    else:
        print(f"{order.number}: the POS is asked to cancel it; `openpos-hub trace {order.number}` shows its answer")
    return 0


async def set_status(hub: Hub, id_or_number: str, status: str) -> int:
    """Moves an order on."""
    order = (await hub.orders.load(id_or_number)).order
    changed: Changed = await hub.changes.set_stage(Asked(order.id, _CLI), Stage(status))
    print(f"{order.number}: {changed.record.order.stage} ({_WORDS[changed.pos]})")
    return 0


async def set_available(hub: Hub, store: str, named: str, *, available: bool) -> int:
    """Marks an item as sold out (86) or back; it is named by its id or, where that is clear, by its name."""
    venue = hub.directory.venue(store)
    changed = await hub.availability.set(venue, await _item_id(hub, venue, named), available=available)
    words = "on sale" if changed.orderable else "sold out"
    pos = AtPos(changed.pos.value) if hub.directory.link_of(venue.id) else AtPos.NO_POS
    print(f"{changed.item.name}: {words} ({_WORDS[pos]})")
    if available and not changed.orderable:
        print("The POS still has it as sold out.")
    return 0


async def _item_id(hub: Hub, venue: Venue, named: str) -> str:
    catalog = await hub.directory.catalog(venue.id)
    same = [item for item in catalog.menu.items if not item.retired and item.name.casefold() == named.casefold()]
    if len(same) > 1:
        ids = ", ".join(item.id for item in same)
        raise InvalidRequest(f"{venue.name} has {len(same)} items named {named!r}; name one by its id: {ids}")
    return same[0].id if same else named
