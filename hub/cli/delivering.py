"""`openpos-hub deliver`: what waits for a person goes out again, or was seen to by hand."""

from hub.app import Hub
from hub.errors import NotFound
from hub.model.order import Order
from hub.services.asked import AtPos
from hub.services.availability import RefusedItem

_CLI = "command line"
_WORDS = {
    AtPos.APPLIED: "the POS has it so",
    AtPos.QUEUED: "the POS will be told",
    AtPos.REFUSED: "the POS refused it again",
    AtPos.NOT_SUPPORTED: "this POS takes no such change",
}


async def deliver(hub: Hub, named: str, *, done: bool, force: bool) -> int:
    """Delivers an order, an item's state (`VENUE/ITEM`), or `all` that waits."""
    if named == "all":
        return await _all(hub, done=done, force=force)
    store, _, item_id = named.partition("/")
    if not item_id:
        await _order(hub, (await hub.orders.load(named)).order, done=done, force=force)
        return 0
    venue = hub.directory.venue(store)
    for refused in await hub.availability.load_refused():
        if refused.venue.id == venue.id and item_id.casefold() in (refused.item_id, refused.item_name.casefold()):
            await _item(hub, refused, done=done)
            return 0
    raise NotFound(f"nothing of {named[:200]!r} waits for a person")


async def _all(hub: Hub, *, done: bool, force: bool) -> int:
    refused = await hub.availability.load_refused()  # once: what is refused again waits again
    for item in refused:
        await _item(hub, item, done=done)
    delivered = len(refused)
    while waiting := await hub.stuck.load():
        for order_id in dict.fromkeys(entry.order_id for entry in waiting):
            await _order(hub, (await hub.orders.load(order_id)).order, done=done, force=force)
            delivered += 1
    if not delivered:
        print("nothing waits for a person")
    return 0


async def _order(hub: Hub, order: Order, *, done: bool, force: bool) -> None:
    if done:
        await hub.stuck.mark_done(order, actor=_CLI)
        print(f"{order.number}: marked as done by hand")
    else:
        await hub.stuck.deliver_again(order, actor=_CLI, force=force)
        print(f"{order.number}: will be delivered; follow it with `openpos-hub trace {order.number}`")


async def _item(hub: Hub, refused: RefusedItem, *, done: bool) -> None:
    if done:
        await hub.availability.dismiss(refused)
        print(f"{refused.item_name}: marked as done by hand")
    else:
        told = await hub.availability.tell_again(refused)
        print(f"{refused.item_name}: {_WORDS[AtPos(told.value)]}")
