"""What the peer runs, compiled by numba: replay, quoter and the tight grid; fathom's are examples/strategies/{quoter,anchor_grid}.c."""
import numpy as np
from numba import njit, uint64
from numba.typed import Dict
from hftbacktest import BUY, CANCELED, EXPIRED, FILLED, GTX, LIMIT, SELL

STEP_NS = 100_000_000


@njit
def count(hbt, fills, n, tally, lot):
    """Filled orders of the step by rising id into `fills`; ends of orders into `tally`."""
    last = uint64(0)
    while True:
        least = uint64(0)
        values = hbt.orders(0).values()
        while values.has_next():
            o = values.get()
            if o.status == FILLED and o.order_id > last and (least == 0 or o.order_id < least):
                least = o.order_id
        if least == 0:
            break
        o = hbt.orders(0).get(least)
        if o is not None:
            if n < len(fills):
                fills[n, 0] = o.exch_timestamp
                fills[n, 1] = o.side
                fills[n, 2] = o.exec_price_tick
                fills[n, 3] = round(o.exec_qty / lot)
            n += 1
        last = least
    values = hbt.orders(0).values()
    while values.has_next():
        o = values.get()
        if o.status == CANCELED:
            tally[0] += 1
        elif o.status == EXPIRED:
            tally[1] += 1
    return n


@njit
def replay(hbt, q, fills, listed):
    """Our side's bests are there at each step: nobody looks at them, as in the peer's own benchmark."""
    steps = 0
    while hbt.elapse(STEP_NS) == 0:
        steps += 1
    return steps, 0, 0, 0, 0


@njit
def quoter(hbt, q, fills, listed):
    """One post-only order at each best. The position is counted in whole lots: ten fills of 0.01 are 0.09999... in doubles."""
    lot, tick = hbt.depth(0).lot_size, hbt.depth(0).tick_size
    limit = 10 * round(q / lot)
    steps, n, next_id = 0, 0, uint64(0)
    tally = np.zeros(2, np.int64)
    while True:
        rc = hbt.elapse(STEP_NS)
        n = count(hbt, fills, n, tally, lot)
        if rc != 0:
            break
        steps += 1
        hbt.clear_inactive_orders(0)
        depth = hbt.depth(0)
        bid, ask = depth.best_bid_tick, depth.best_ask_tick
        if np.isnan(depth.best_bid) or np.isnan(depth.best_ask):
            continue
        pos = round(hbt.position(0) / lot)
        for side in (1, -1):
            best = bid if side == 1 else ask
            have, cancel_id = False, uint64(0)
            values = hbt.orders(0).values()
            while values.has_next():
                o = values.get()
                if o.side == side:
                    have = True
                    if o.cancellable and o.price_tick != best:
                        cancel_id = o.order_id
            if have:
                if cancel_id != 0:
                    hbt.cancel(0, cancel_id, False)
            elif side == 1 and pos < limit:
                next_id += uint64(1)
                hbt.submit_buy_order(0, next_id, best * tick, q, GTX, LIMIT, False)
            elif side == -1 and pos > -limit:
                next_id += uint64(1)
                hbt.submit_sell_order(0, next_id, best * tick, q, GTX, LIMIT, False)
    return steps, n, next_id, tally[0], tally[1]


@njit
def grid(hbt, q, fills, listed):
    """The grid of the package's own examples with the spreads of its notebook: ten levels a side, 10 ticks apart, from 20 ticks on."""
    levels = 10
    most = levels * q
    tick, lot = hbt.depth(0).tick_size, hbt.depth(0).lot_size
    steps, n, sent, cancels = 0, 0, 0, 0
    tally = np.zeros(2, np.int64)
    while True:
        rc = hbt.elapse(STEP_NS)
        if listed:
            n = count(hbt, fills, n, tally, lot)
        if rc != 0:
            break
        steps += 1
        hbt.clear_inactive_orders(0)
        depth = hbt.depth(0)
        position = hbt.position(0)
        orders = hbt.orders(0)
        if np.isnan(depth.best_bid) or np.isnan(depth.best_ask):
            continue
        mid = (depth.best_bid + depth.best_ask) / 2.0
        interval = tick * 10
        bid = np.minimum(mid - tick * 20 - tick * position / q, depth.best_bid)
        ask = np.maximum(mid + tick * 20 - tick * position / q, depth.best_ask)
        bid = np.floor(bid / interval) * interval
        ask = np.ceil(ask / interval) * interval
        bids = Dict.empty(np.uint64, np.float64)
        if position < most and np.isfinite(bid):
            for i in range(levels):
                bids[uint64(round(bid / tick))] = bid
                bid -= interval
        asks = Dict.empty(np.uint64, np.float64)
        if position > -most and np.isfinite(ask):
            for i in range(levels):
                asks[uint64(round(ask / tick))] = ask
                ask += interval
        values = orders.values()
        while values.has_next():
            o = values.get()
            if o.cancellable:
                if (o.side == BUY and o.order_id not in bids) or (o.side == SELL and o.order_id not in asks):
                    hbt.cancel(0, o.order_id, False)
                    cancels += 1
        for oid, px in bids.items():
            if oid not in orders:
                hbt.submit_buy_order(0, oid, px, q, GTX, LIMIT, False)
                sent += 1
        for oid, px in asks.items():
            if oid not in orders:
                hbt.submit_sell_order(0, oid, px, q, GTX, LIMIT, False)
                sent += 1
    return steps, n, sent, cancels, 0


CASES = {"replay": replay, "quoter": quoter, "anchor_grid": grid}
