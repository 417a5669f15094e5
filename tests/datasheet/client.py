#!/usr/bin/python3
"""A client of the emulated accelerator, written from its datasheet (accel/README.md) alone.

It opens two queue pairs, one with doorbells in shared memory and one with doorbells by message, and has RSA operations of all sizes
computed through them. Every result is compared with a number that the device was never given. Then it makes the mistakes that the
datasheet lists, and expects the answers that it promises. Exit status: 0 all right, 1 the first wrong thing was printed.

    python3 client.py --socket PATH [--operations 1000] [--depth 16] [--seed N]

To read it, or to port it: vfio_user.py (messages), queue_pair.py (registers, entries, doorbells, memory order), dma_memory.py and
traffic.py (operations and what comes of them), promises.py (everything else that the datasheet says and that can be seen).
"""

import argparse
import random
import secrets
import sys
import time

from dma_memory import KeySet
from promises import (
    check_depths, check_errors, check_first_values, check_ignored_doorbells, check_key_generation, check_refusals, check_reset, check_stop, check_unmap,
    check_versions)
from queue_pair import Register
from rsa_keys import generate_key
from traffic import MIXTURE, MIXTURE_SUM, Client
from vfio_user import ProtocolError, Refused

KEYS_PER_SIZE = 2

# One operation in this many goes through the second connection, which rings by message.
TRAPPED_ONE_IN = 4

TRIPS_MIN = 2


def main() -> int:
    arguments = read_arguments()
    rng = random.Random(arguments.seed)
    print(f"seed {arguments.seed}")
    began = time.monotonic()
    keys = {bits: [generate_key(bits, rng) for _ in range(KEYS_PER_SIZE)] for bits in sorted({bits for bits, _ in MIXTURE})}
    print(f"{KEYS_PER_SIZE} keys each of {', '.join(map(str, keys))} bits in {time.monotonic() - began:.1f} s")

    began = time.monotonic()
    try:
        print(run(arguments, keys, rng) + f", {time.monotonic() - began:.1f} s")
    except (ProtocolError, Refused, OSError) as wrong:
        print(f"wrong: {wrong}", file=sys.stderr)
        return 1
    return 0


def run(arguments: argparse.Namespace, keys: KeySet, rng: random.Random) -> str:
    check_versions(arguments.socket)
    shared = Client(arguments.socket, keys, arguments.depth, trapped=False, rng=rng)
    trapped = Client(arguments.socket, keys, arguments.depth, trapped=True, rng=rng)
    print_device(shared)
    for client in (shared, trapped):
        check_first_values(client)
        check_depths(client)
        client.start()
    if shared.number == trapped.number:
        raise ProtocolError(f"two connections have the queue number {shared.number}")

    by_message = arguments.operations // TRAPPED_ONE_IN
    shared.run(arguments.operations - by_message)
    trapped.run(by_message)
    summary = summarize(shared, trapped)

    mistakes = made = 0
    for client, other in ((shared, trapped), (trapped, shared)):
        check_refusals(client)
        made += check_key_generation(client, keys)
        mistakes += check_errors(client, keys[2048][0], foreign_iova=other.memory.inputs.iova)
        check_ignored_doorbells(client)
        check_unmap(client)
        check_stop(client)
        check_reset(client, count=MIXTURE_SUM)
        client.close()
    return f"{summary}, {made} keys made, {mistakes} mistakes answered as promised, unmap, stop, reset and restart right"


def print_device(client: Client) -> None:
    regions, interrupts = client.connection.device_info()
    print(f"{regions} regions, {interrupts} interrupt index with {client.connection.interrupts(0)} interrupt, limits {client.limits}")
    for register in Register:
        if register != Register.COMMAND:
            value = client.control.read(register)
            print(f"  {register:#04x} {register.name.lower().replace('_', ' '):<22} {value:#x}")
    print(f"  engine name: {client.control.engine_name()}")


def summarize(shared: Client, trapped: Client) -> str:
    for client in (shared, trapped):
        queue = client.queue
        if min(queue.trips_submitting, queue.trips_completing) < TRIPS_MIN:
            raise ProtocolError(f"only {queue.trips_submitting} and {queue.trips_completing} trips round the rings")
        if queue.times_full == 0 or queue.times_slept == 0:
            raise ProtocolError(f"the ring was full {queue.times_full} times, the client slept {queue.times_slept} times; not tried")
    trips = f"{shared.queue.trips_completing} + {trapped.queue.trips_completing}"
    return (
        f"{shared.right + trapped.right} operations right ({trapped.right} by message, "
        f"{shared.recomputed + trapped.recomputed} recomputed), {trips} trips round the rings, "
        f"full {shared.queue.times_full + trapped.queue.times_full} times, "
        f"slept {shared.queue.times_slept + trapped.queue.times_slept} times")


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Tests the emulated accelerator against its datasheet.")
    parser.add_argument("--socket", required=True, help="the accelerator's Unix socket")
    parser.add_argument("--operations", type=int, default=1000, help="RSA operations (1000)")
    parser.add_argument("--depth", type=int, default=16, help="entries of the rings (16)")
    parser.add_argument("--seed", type=int, default=secrets.randbits(32), help="of keys, messages and bursts (random)")
    arguments = parser.parse_args()

    depth = arguments.depth
    if not 4 <= depth <= 1024 or depth & (depth - 1):
        parser.error(f"--depth is {depth}; it must be a power of two, 4 to 1024")
    enough = TRIPS_MIN * TRAPPED_ONE_IN * depth
    if arguments.operations < enough:
        parser.error(f"--operations is {arguments.operations}; with depth {depth}, {enough} go twice round the rings of both connections")
    return arguments


if __name__ == "__main__":
    sys.exit(main())
