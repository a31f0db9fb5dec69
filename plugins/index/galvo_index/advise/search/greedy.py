"""Adds what gains most per byte, replaces an index by one that does more, and then looks whether a swap is better.

Source: Extend (Schlosser, Kossmann, Boissier: ICDE 2019), whose steps are additions and extensions by gain per byte.
Here a step may also add several indexes that only help together, gains are looked at lazily (Minoux 1978), and the
search runs with different weights of size, of which the best result is taken: gain per byte alone misses large indexes
that are worth it when the budget allows them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from random import Random

from galvo_index.advise.candidates.candidate import Candidate
from galvo_index.advise.candidates.merge import merges
from galvo_index.advise.search.costs import Set
from galvo_index.advise.search.problem import OutOfTime, Problem

LEAST_GAIN, PRICE = 0.001, 0.004
"""Part of the workload's cost that an index has to save; that one as large as all tables together has to save."""
SMALLEST = 1 << 20
"""Bytes; smaller indexes all count as this small."""
EXPONENTS = (1.0, 0.5, 0.0)
"""Of the size by which a gain is divided."""
OPTIMISM = 3.0
"""Times a rough gain; what is rated too low is looked at too late."""
RESTARTS, FORGOTTEN = 12, 0.35
"""How often the best is taken up again without a part of its indexes: what is best one by one may not be together."""
SWAPPED = 60
"""Candidates tried in the place of a chosen one."""


async def search(problem: Problem, moves: Mapping[Set, float]) -> list[Candidate]:
    """In the order of their choice; the best that was found until the deadline."""
    whole = await problem.whole()
    least, price = LEAST_GAIN * whole, PRICE * whole / max(problem.stored, 1)
    found: list[list[Candidate]] = [[]]
    moves = dict(moves)
    with suppress(OutOfTime):
        for exponent in EXPONENTS:
            await _from_nothing(problem, moves, found, least, price, exponent)
        for made, *instead in list(merges(one for chosen in found for one in chosen)):
            problem.add(made, frozenset(instead))
            moves[frozenset([made])] = sum(moves.get(frozenset([one]), 0.0) for one in instead)
        for exponent in EXPONENTS[:2]:
            await _from_nothing(problem, moves, found, least, price, exponent)
    worths = [await _priced(problem, one, price) for one in found]
    best, worth = found[worths.index(min(worths))], min(worths)
    with suppress(OutOfTime):
        promising = await _promising(problem, list(moves))
        await _polish(problem, moves, promising, best, least, price, EXPONENTS[0])
        worth = await _priced(problem, best, price)
        chance = Random(1)  # noqa: S311
        for _ in range(RESTARTS):
            tried = [one for one in best if chance.random() > FORGOTTEN]
            await _polish(problem, moves, promising, tried, least, price, chance.choice(EXPONENTS))
            reached = await _priced(problem, tried, price)
            if reached < worth:
                best, worth = tried, reached
    return best


async def _priced(problem: Problem, chosen: Sequence[Candidate], price: float) -> float:
    return await problem.worth(frozenset(chosen)) + price * problem.size(frozenset(chosen))


async def _polish(
    problem: Problem,
    moves: Mapping[Set, float],
    promising: Sequence[Set],
    chosen: list[Candidate],
    least: float,
    price: float,
    exponent: float,
) -> None:
    """Until no swap is better."""
    await _grow(problem, moves, chosen, least, price, exponent)
    await _shrink(problem, chosen, least)
    while await _swap(problem, promising, chosen, least, price):
        await _shrink(problem, chosen, least)
        await _grow(problem, moves, chosen, least, price, exponent)


async def _from_nothing(
    problem: Problem,
    moves: Mapping[Set, float],
    found: list[list[Candidate]],
    least: float,
    price: float,
    exponent: float,
) -> None:
    found.append([])
    await _grow(problem, moves, found[-1], least, price, exponent)
    await _shrink(problem, found[-1], least)


async def _promising(problem: Problem, moves: Sequence[Set]) -> list[Set]:
    """By what they gain alone, per byte and in all, by turns."""
    gains = {move: await problem.change(frozenset(), move) for move in moves}
    dense = sorted(moves, key=lambda move: -gains[move] / max(problem.size(move), SMALLEST))
    large = sorted(moves, key=lambda move: -gains[move])
    return list(dict.fromkeys(move for pair in zip(dense, large, strict=True) for move in pair))[:SWAPPED]


async def _grow(
    problem: Problem, moves: Mapping[Set, float], chosen: list[Candidate], least: float, price: float, exponent: float
) -> None:
    scores = {move: OPTIMISM * gain / max(problem.size(move), SMALLEST) ** exponent for move, gain in moves.items()}
    seen = dict.fromkeys(moves, -1)
    step = 0
    while scores:
        move = max(scores, key=lambda one: scores[one])
        before = frozenset(chosen)
        after = _with(before, move)
        extra = problem.size(after) - problem.size(before)
        if after == before or (scores[move] <= 0 and seen[move] == step):
            del scores[move]
            continue
        if problem.size(after) > problem.budget:
            del scores[move]
            continue
        if seen[move] == step:
            for gone in before - after:
                chosen.remove(gone)
            chosen += sorted(move - before, key=lambda one: one.definition.name)
            del scores[move]
            step += 1
            continue
        gain = await problem.change(before, after) - price * extra
        seen[move] = step
        good = gain >= least * len(move - before) and await problem.notable(before, after)
        scores[move] = gain / max(extra, SMALLEST) ** exponent if good else 0.0
        if scores[move] <= 0:
            del scores[move]


def _with(chosen: Set, move: Set) -> Set:
    """Without those that a new one makes needless."""
    kept = {one for one in chosen if not any(one.served_by(new) for new in move)}
    return frozenset(kept | {new for new in move if not any(new.served_by(one) for one in kept | move)})


async def _shrink(problem: Problem, chosen: list[Candidate], least: float) -> None:
    """Drop what later choices made needless."""
    for one in list(chosen):
        before = frozenset(chosen)
        if await problem.change(before, before - {one}) > -least:
            chosen.remove(one)


async def _swap(problem: Problem, moves: Sequence[Set], chosen: list[Candidate], least: float, price: float) -> bool:
    """Another move in the place of those chosen that are worth least for their size, or of one of the same table."""
    before = frozenset(chosen)
    losses = {one: await problem.change(before - {one}, before) / problem.bytes[one] for one in chosen}
    order = sorted(chosen, key=lambda one: losses[one])
    for move in moves:
        tables = {one.table.oid for one in move}
        for base in (before, *(before - {one} for one in order if one.table.oid in tables)):
            after = _evicted(problem, _with(base, move), move, order)
            if after == before or problem.size(after) > problem.budget or move <= before:
                continue
            gain = await problem.change(before, after) - price * (problem.size(after) - problem.size(before))
            if gain > least and await problem.notable(before, after):
                chosen[:] = [one for one in chosen if one in after]
                chosen += sorted(after - before, key=lambda one: one.definition.name)
                return True
    return False


def _evicted(problem: Problem, wanted: Set, move: Set, order: Sequence[Candidate]) -> Set:
    for one in order:
        if problem.size(wanted) <= problem.budget:
            break
        wanted -= {one} - move
    return wanted
