#!/usr/bin/python3
"""A client of the emulated accelerator, written from its datasheet (accel/README.md) alone.

It opens two queue pairs, one with doorbells in shared memory and one with doorbells by message, and has RSA operations of all sizes
computed through them. Every result is compared with a number that the device was never given. Then it makes the mistakes that the
datasheet lists, and expects the answers that it promises. Exit status: 0 all right, 1 the first wrong thing was printed.

    python3 client.py --socket PATH [--operations 1000] [--depth 16] [--seed N]

To read it, or to port it: vfio_user.py (messages), queue_pair.py (rings), this file (memory, traffic, mistakes).
"""

import argparse
import errno
import fcntl
import mmap
import os
import random
import secrets
import sys
import time
from collections import deque
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Callable

from queue_pair import (
    MAGIC, REGION_SIZES, Control, Error, QueueCommand, QueuePair, RegionNumber, Register, Result, SharedDoorbells, State, Submission,
    TrappedDoorbells)
from rsa_keys import Algorithm, RsaKey, generate_key
from vfio_user import REPLY_SECONDS_MAX, VERSION, Command, Connection, DmaAccess, ProtocolError, Refused, RegionFlag, expect

KEYS_PER_SIZE = 2

# How many of 36 operations are of each kind. Plain 4096-bit operations are slow on any device, so there are few.
MIXTURE = {
    (1024, Algorithm.CRT): 2, (1024, Algorithm.PLAIN): 2,
    (2048, Algorithm.CRT): 12, (2048, Algorithm.PLAIN): 6,
    (3072, Algorithm.CRT): 6, (3072, Algorithm.PLAIN): 3,
    (4096, Algorithm.CRT): 4, (4096, Algorithm.PLAIN): 1,
}
MIXTURE_SUM = sum(MIXTURE.values())

# One operation in this many is also computed by pow(cipher, d, n), which takes Python up to a quarter of a second.
RECOMPUTED_ONE_IN = 8

# One operation in this many goes through the second connection, which rings by message.
TRAPPED_ONE_IN = 4

TRIPS_MIN = 2

KeySet = dict[int, list[RsaKey]]  # by bits


# Memory for keys, inputs and outputs

PAGE = 4096
NUMBER_MAX = 512  # bytes of the largest input or output
KEY_BLOCK_MAX = 5 * NUMBER_MAX // 2

# Nothing needs to be aligned; the odd strides see to it that nothing is.
NUMBER_STRIDE = NUMBER_MAX + 3
KEY_BLOCK_STRIDE = KEY_BLOCK_MAX + 3

# Outputs are filled with this before each operation, to see whether they were written.
UNWRITTEN = 0xA5


@dataclass(frozen=True)
class Area:
    """A part of the memfd that is announced to the device as one DMA mapping."""

    file_offset: int
    iova: int
    size: int
    access: DmaAccess

    @property
    def end(self) -> int:
        return self.iova + self.size


class DmaMemory:
    """A sealed memfd with an area each for key blocks, inputs and outputs. All its addresses are IOVAs."""

    def __init__(self, connection: Connection, keys: KeySet, slots: int, base: int):
        self._connection = connection
        blocks = [(key, algorithm) for keys_of_size in keys.values() for key in keys_of_size for algorithm in Algorithm]
        keys_size = round_up(len(blocks) * KEY_BLOCK_STRIDE, PAGE)
        numbers_size = round_up(slots * NUMBER_STRIDE, PAGE)

        # A hole between the areas, so that a range that leaves one does not fall into the next.
        self.keys = Area(0, base, keys_size, DmaAccess.DEVICE_READS)
        self.inputs = Area(keys_size, self.keys.end + PAGE, numbers_size, DmaAccess.DEVICE_READS)
        self.outputs = Area(keys_size + numbers_size, self.inputs.end + PAGE, numbers_size, DmaAccess.DEVICE_WRITES)
        self._areas = (self.keys, self.inputs, self.outputs)

        size = keys_size + 2 * numbers_size
        self._memfd = os.memfd_create("datasheet-client", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        os.ftruncate(self._memfd, size)
        self._mapping = mmap.mmap(self._memfd, size)

        expect_refusal(errno.EINVAL, "DMA_MAP of an unsealed memfd", lambda: self.announce(self.keys))
        fcntl.fcntl(self._memfd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK)
        for area in self._areas:
            self.announce(area)

        self._blocks = {}
        for number, (key, algorithm) in enumerate(blocks):
            self._blocks[key, algorithm] = self.keys.iova + number * KEY_BLOCK_STRIDE
            self.write(self._blocks[key, algorithm], key.block(algorithm))

    def close(self) -> None:
        self._mapping.close()
        os.close(self._memfd)

    def announce(self, area: Area) -> None:
        self._connection.dma_map(self._memfd, area.file_offset, area.iova, area.size, area.access)

    def withdraw(self, area: Area) -> None:
        self._connection.dma_unmap(area.iova, area.size)

    def block(self, key: RsaKey, algorithm: Algorithm) -> int:
        return self._blocks[key, algorithm]

    def input(self, slot: int) -> int:
        return self.inputs.iova + slot * NUMBER_STRIDE

    def output(self, slot: int) -> int:
        return self.outputs.iova + slot * NUMBER_STRIDE

    def read(self, iova: int, size: int) -> bytes:
        offset = self._file_offset(iova)
        return self._mapping[offset:offset + size]

    def write(self, iova: int, data: bytes) -> None:
        offset = self._file_offset(iova)
        self._mapping[offset:offset + len(data)] = data

    def mark_unwritten(self, slot: int) -> None:
        self.write(self.output(slot), bytes([UNWRITTEN]) * NUMBER_STRIDE)

    def is_unwritten(self, slot: int, first: int = 0) -> bool:
        """Whether nothing was written from byte `first` of an output on, up to the next output."""
        return self.read(self.output(slot) + first, NUMBER_STRIDE - first).count(UNWRITTEN) == NUMBER_STRIDE - first

    def _file_offset(self, iova: int) -> int:
        area = next(area for area in self._areas if area.iova <= iova < area.end)
        return area.file_offset + iova - area.iova


def round_up(size: int, unit: int) -> int:
    return -(-size // unit) * unit


# Operations

@dataclass(frozen=True)
class Operation:
    """The private-key operation on a cipher made from a known message. The device sees the cipher and must find the message."""

    key: RsaKey
    algorithm: Algorithm
    message: int
    cipher: int
    slot: int


class Client:
    """One connection, with its memory: one queue pair of the device, put to work."""

    def __init__(self, path: str, keys: KeySet, depth: int, trapped: bool, rng: random.Random):
        self._keys = keys
        self._depth = depth
        self._rng = rng
        self.connection = Connection(path)
        self.limits = self.connection.version()
        self.control = Control(self.connection)
        self.number = self.control.read(Register.QUEUE_NUMBER)
        self.doorbells = TrappedDoorbells(self.connection, self.number) if trapped else SharedDoorbells(self.connection)
        self.queue = QueuePair(self.connection, self.doorbells)
        # Each client has its own IOVAs, only so that a wrong one of another client's can be tried.
        self.memory = DmaMemory(self.connection, keys, depth, base=(0x7000 + self.number) << 32)

        self._free_slots = list(range(depth))
        self._operations: dict[int, Operation] = {}  # in flight, by tag
        self.right = self.recomputed = 0

    def close(self) -> None:
        self.queue.close()
        self.memory.close()

    def start(self) -> None:
        self.queue.start(self._depth)

    def run(self, count: int) -> None:
        """Sends `count` operations of all kinds through the rings, one or many or as many as fit at a time, and checks each."""
        kinds = mixture(count, self._rng)
        while kinds or self.queue.in_flight:
            burst = self._rng.choice((1, self._rng.randrange(1, self._depth), self._depth - 1))
            while kinds and burst and not self.queue.is_full:
                self.post(*kinds.popleft())
                burst -= 1
            self.queue.ring()

            left_over = self._rng.randrange(self.queue.in_flight)
            while self.queue.in_flight > left_over:
                self._reap()

    def post(self, bits: int, algorithm: Algorithm) -> None:
        """Writes a submission for a random key and message, without ringing."""
        key = self._rng.choice(self._keys[bits])
        message = self._message(key)
        operation = Operation(key, algorithm, message, key.encrypt(message), self._free_slots.pop())
        submission = self.submission(operation)
        self._operations[submission.tag] = operation
        self.queue.post(submission)

    def submission(self, operation: Operation) -> Submission:
        """Writes the input and marks the output as unwritten; returns the SQE."""
        key, slot = operation.key, operation.slot
        self.memory.write(self.memory.input(slot), operation.cipher.to_bytes(key.size, "big"))
        self.memory.mark_unwritten(slot)
        return Submission(
            operation.algorithm, key.size, self.memory.block(key, operation.algorithm),
            self.memory.input(slot), self.memory.output(slot), tag=self._rng.getrandbits(64))

    def attempt(self, submission: Submission) -> Result:
        """Has one submission computed, right or wrong, with nothing else in flight."""
        self.queue.post(submission)
        self.queue.ring()
        self.queue.sleep()
        (result,) = self.queue.reap()
        expect("tag", result.tag, submission.tag)
        return result

    def settle(self) -> list[tuple[Operation, Result]]:
        """Waits for everything in flight and returns it unchecked."""
        settled = []
        while self.queue.in_flight:
            self.queue.sleep()
            settled += [(self._finish(result), result) for result in self.queue.reap()]
        return settled

    def forget(self) -> list[Operation]:
        """After a reset: nothing is in flight any more. Returns what was."""
        forgotten = list(self._operations.values())
        self._operations.clear()
        self._free_slots += [operation.slot for operation in forgotten]
        return forgotten

    def _message(self, key: RsaKey) -> int:
        """Mostly any number below n; sometimes a short one, whose left bytes must come out as zeros, or one at the edge."""
        if self._rng.randrange(16):
            return self._rng.randrange(key.n)
        return self._rng.choice((0, 1, key.n - 1, self._rng.getrandbits(64)))

    def _reap(self) -> None:
        results = self.queue.reap()
        if not results:
            self.queue.sleep()
        for result in results:
            self._check(self._finish(result), result)

    def _finish(self, result: Result) -> Operation:
        operation = self._operations.pop(result.tag)
        self._free_slots.append(operation.slot)
        return operation

    def _check(self, operation: Operation, result: Result) -> None:
        """message^e = cipher, and the private-key operation undoes that for no other number: so cipher^d is the message."""
        key, name = operation.key, f"{operation.key.size * 8}-bit {operation.algorithm.name} operation {self.right}"
        expect(f"errors of {name}", (result.error, result.second_error), (Error.NONE, 0))
        output = self.memory.read(self.memory.output(operation.slot), key.size)
        if output != operation.message.to_bytes(key.size, "big"):
            raise ProtocolError(f"{name}: the result of {operation.cipher:#x} is {output.hex()}, not {operation.message:#x}")
        expect(f"{name} wrote nothing behind its output", self.memory.is_unwritten(operation.slot, key.size), True)

        self.right += 1
        if self.right % RECOMPUTED_ONE_IN == 0:
            expect(f"{name} as Python computes it", operation.message, key.decrypt(operation.cipher))
            self.recomputed += 1


def mixture(count: int, rng: random.Random) -> deque[tuple[int, Algorithm]]:
    one_round = [kind for kind, share in MIXTURE.items() for _ in range(share)]
    kinds = (one_round * (count // MIXTURE_SUM + 1))[:count]
    rng.shuffle(kinds)
    return deque(kinds)


# What a client sees before it starts

def print_device(client: Client) -> None:
    regions, interrupts = client.connection.device_info()
    print(f"{regions} regions, {interrupts} interrupt index with {client.connection.interrupts(0)} interrupt, limits {client.limits}")
    for register in Register:
        if register != Register.COMMAND:
            value = client.control.read(register)
            print(f"  {register:#04x} {register.name.lower().replace('_', ' '):<22} {value:#x}")
    print(f"  engine name: {client.control.engine_name()}")


def check_first_values(client: Client) -> None:
    expect("regions and interrupt indices", client.connection.device_info(), (len(RegionNumber), 1))
    expect("interrupts", client.connection.interrupts(0), 1)
    for number, size in REGION_SIZES.items():
        region = client.connection.region(number)
        expect(f"size of region {number}", region.size, size)
        expect(f"region {number} can be mapped", RegionFlag.MAP in region.flags, region.descriptor is not None)
        if region.descriptor is not None:
            os.close(region.descriptor)

    for register, value in (
            (Register.MAGIC, MAGIC), (Register.VERSION, 1), (Register.QUEUE_MANAGER_VERSION, 2), (Register.QUEUE_TYPE, 0),
            (Register.DEPTH, 1024), (Register.MAXIMAL_DEPTH, 1024), (Register.STATE, State.INITIAL), (Register.IGNORED_DOORBELLS, 0)):
        expect(f"register {register.name} before the start", client.control.read(register), value)


# Mistakes, and what the datasheet promises for them

def expect_refusal(number: int, what: str, action: Callable[[], object]) -> None:
    try:
        action()
    except Refused as refused:
        expect(what, errno.errorcode[refused.errno], errno.errorcode[number])
    else:
        raise ProtocolError(f"{what} was taken; the datasheet says {errno.errorcode[number]}")


def check_versions(path: str) -> None:
    """Connections that begin wrongly."""
    with closing(Connection(path)) as early:
        expect_refusal(errno.EINVAL, "a question before VERSION", early.device_info)
        early.version()
        expect_refusal(errno.EINVAL, "a second VERSION", early.version)
    with closing(Connection(path)) as other:
        expect_refusal(errno.EINVAL, "major version 1", lambda: other.call(Command.VERSION, VERSION.pack(1, 0)))


def check_refusals(client: Client) -> None:
    """Messages that are answered with an error number and change nothing. The queue is started."""
    connection, control, outputs = client.connection, client.control, client.memory.outputs
    for number, what, action in (
            (errno.EBUSY, "another depth while started", lambda: control.write(Register.DEPTH, 2)),
            (errno.EINVAL, "a second start", lambda: control.write(Register.COMMAND, QueueCommand.START)),
            (errno.EINVAL, "command 3", lambda: control.write(Register.COMMAND, 3)),
            (errno.EINVAL, "a write to the magic", lambda: control.write(Register.MAGIC, 0)),
            (errno.EINVAL, "half a register", lambda: connection.region_read(RegionNumber.CONTROL, Register.MAGIC, 2)),
            (errno.EINVAL, "a register not aligned", lambda: connection.region_read(RegionNumber.CONTROL, Register.MAGIC + 2, 4)),
            (errno.EINVAL, "two registers", lambda: connection.region_read(RegionNumber.CONTROL, Register.MAGIC, 8)),
            (errno.EINVAL, "half a doorbell", lambda: connection.region_write(RegionNumber.MMIO, TrappedDoorbells.OFFSET, bytes(4))),
            (errno.EINVAL, "region 4", lambda: connection.region(4)),
            (errno.EINVAL, "interrupt index 1", lambda: connection.interrupts(1)),
            (errno.EINVAL, "message 99", lambda: connection.call(99, b"")),
            (errno.EEXIST, "a mapping over another", lambda: client.memory.announce(outputs)),
            (errno.EINVAL, "a mapping of nothing", lambda: client.memory.announce(replace(outputs, iova=PAGE, size=0))),
            (errno.EINVAL, "a mapping for no access", lambda: client.memory.announce(replace(outputs, iova=PAGE, access=DmaAccess(0)))),
            (errno.EINVAL, "a mapping not aligned", lambda: client.memory.announce(replace(outputs, iova=PAGE + 1))),
            (errno.EINVAL, "a mapping behind the file's end", lambda: client.memory.announce(
                replace(outputs, iova=PAGE, size=outputs.size + PAGE))),
            (errno.ENOENT, "a mapping and a page withdrawn", lambda: connection.dma_unmap(outputs.iova, outputs.size + PAGE)),
            (errno.ENOENT, "a mapping withdrawn that never was", lambda: connection.dma_unmap(PAGE, PAGE))):
        expect_refusal(number, what, action)


def check_depths(client: Client) -> None:
    """Before the start."""
    for depth in (0, 1, 3, 2048):
        expect_refusal(errno.EINVAL, f"depth {depth}", lambda: client.control.write(Register.DEPTH, depth))
    for depth in (2, 1024):
        client.control.write(Register.DEPTH, depth)
        expect("depth", client.control.read(Register.DEPTH), depth)


def check_errors(client: Client, key: RsaKey, foreign_iova: int) -> int:
    """Submissions with one mistake each: the error that the datasheet names, and the output untouched. Returns how many."""
    memory, slot = client.memory, 0
    right = client.submission(Operation(key, Algorithm.CRT, 2, key.encrypt(2), slot))
    k = key.size

    mistakes = [
        (Error.NOT_OFFERED, "algorithm 2", replace(right, algorithm=2)),
        (Error.NOT_OFFERED, "1536 bits", replace(right, key_bytes=192)),
        (Error.NOT_OFFERED, "done not 1", replace(right, done=0)),
        (Error.ADDRESS, "input not mapped", replace(right, input=memory.inputs.end)),
        (Error.ADDRESS, "input of another connection", replace(right, input=foreign_iova)),
        (Error.ADDRESS, "input that leaves its mapping", replace(right, input=memory.inputs.end - k + 1)),
        (Error.ADDRESS, "input at the end of all addresses", replace(right, input=2**64 - k // 2)),
        (Error.ADDRESS, "input that the device may not read", replace(right, input=memory.output(slot))),
        (Error.ADDRESS, "key not mapped", replace(right, key=memory.keys.iova - PAGE)),
        (Error.ADDRESS, "key that leaves its mapping", replace(right, key=memory.keys.end - 5 * k // 2 + 1)),
        (Error.ADDRESS, "output not mapped", replace(right, output=memory.outputs.end)),
        (Error.ADDRESS, "output that the device may not write", replace(right, output=memory.input(slot))),
    ]
    for error, what, submission in mistakes:
        attempt_mistake(client, what, submission, error)

    for algorithm in Algorithm:
        block = memory.block(key, algorithm)
        for what, cipher in (("modulus", key.n), ("modulus + 1", key.n + 1), ("largest number", 2 ** (8 * k) - 1)):
            submission = client.submission(Operation(key, algorithm, 0, cipher, slot))
            attempt_mistake(client, f"{what} as input, {algorithm.name}", submission, Error.INPUT_NOT_BELOW_MODULUS)

        submission = client.submission(Operation(key, algorithm, 2, key.encrypt(2), slot))
        for what, wrong in wrong_key_blocks(key, algorithm):
            memory.write(block, wrong)
            attempt_mistake(client, f"{what}, {algorithm.name}", submission, Error.KEY)
        memory.write(block, key.block(algorithm))
    return len(mistakes) + 2 * 5


def wrong_key_blocks(key: RsaKey, algorithm: Algorithm) -> list[tuple[str, bytes]]:
    """Modulus or prime p zero, then even. Source: the table of key blocks."""
    k, block = key.size, key.block(algorithm)
    first, end = (k, 2 * k) if algorithm == Algorithm.PLAIN else (3 * k // 2, 2 * k)
    even = block[end - 1] & 0xFE
    return [
        ("zero modulus or prime", block[:first] + bytes(end - first) + block[end:]),
        ("even modulus or prime", block[:end - 1] + bytes([even]) + block[end:])]


def attempt_mistake(client: Client, what: str, submission: Submission, error: Error) -> None:
    result = client.attempt(submission)
    expect(f"error of {what}", result.error, error)
    expect(f"output untouched after {what}", client.memory.is_unwritten(slot=0), True)


def check_ignored_doorbells(client: Client) -> None:
    """Wrong doorbells are counted and nothing else. Nothing is in flight; both ways to ring reach any queue pair."""
    word, depth = TrappedDoorbells.word, client.queue.depth
    before = client.control.read(Register.IGNORED_DOORBELLS)
    for wrong in (
            word(client.number ^ 1, TrappedDoorbells.SQ_DOORBELL, 1),
            word(client.number, 2, 1),
            word(client.number, TrappedDoorbells.SQ_DOORBELL, depth),
            word(client.number, TrappedDoorbells.CQ_DOORBELL, depth)):
        client.connection.region_write(RegionNumber.MMIO, TrappedDoorbells.OFFSET, wrong)
    expect("ignored doorbells", client.control.read(Register.IGNORED_DOORBELLS), before + 4)

    # The client's own way to ring has no reply, so the count says when the device has met the wrong tail.
    client.doorbells.ring(depth)
    deadline = time.monotonic() + REPLY_SECONDS_MAX
    while client.control.read(Register.IGNORED_DOORBELLS) == before + 4:
        if time.monotonic() > deadline:
            raise ProtocolError(f"SQ tail {depth} was not counted as ignored in {REPLY_SECONDS_MAX} s")
    expect("ignored doorbells", client.control.read(Register.IGNORED_DOORBELLS), before + 5)
    client.queue.ring()
    expect("state after wrong doorbells", client.control.read(Register.STATE), State.STARTED)


def check_unmap(client: Client) -> None:
    """Withdraws the outputs under operations in flight. What was not finished before ends with error 2."""
    while not client.queue.is_full:
        client.post(2048, Algorithm.CRT)
    client.queue.ring()
    client.memory.withdraw(client.memory.outputs)
    slots = range(client.queue.depth)
    for slot in slots:
        client.memory.mark_unwritten(slot)

    for _, result in client.settle():
        if (result.error, result.second_error) != (Error.NONE, 0):
            expect("error of an operation whose output was withdrawn", result.error, Error.ADDRESS)
    expect("outputs untouched after DMA_UNMAP", all(client.memory.is_unwritten(slot) for slot in slots), True)

    client.post(2048, Algorithm.CRT)
    client.queue.ring()
    ((_, result),) = client.settle()
    expect("error of an output withdrawn before", result.error, Error.ADDRESS)
    client.memory.announce(client.memory.outputs)


def check_stop(client: Client) -> None:
    client.control.write(Register.COMMAND, QueueCommand.STOP)
    expect("state after stop", client.control.read(Register.STATE), State.INITIAL)
    expect("stop words after stop", client.queue.stop_words, (1, 1))
    client.control.write(Register.COMMAND, QueueCommand.STOP)  # does nothing
    client.start()


def check_reset(client: Client, count: int) -> None:
    """Resets with a full ring, and starts again on what stays: mappings, interrupt, memory."""
    while not client.queue.is_full:
        client.post(4096, Algorithm.CRT)
    client.queue.ring()
    client.connection.reset()

    expect("state after reset", client.control.read(Register.STATE), State.INITIAL)
    expect("depth after reset", client.control.read(Register.DEPTH), 1024)
    expect("ignored doorbells after reset", client.control.read(Register.IGNORED_DOORBELLS), 0)
    expect("stop words after reset", client.queue.stop_words, (1, 1))

    # What was in flight writes nothing any more: the marks must outlast the operations that follow, all but those of their slots.
    forgotten = client.forget()
    for operation in forgotten:
        client.memory.mark_unwritten(operation.slot)
    client.start()
    used_again = client.attempt(client.submission(forgotten[0]))
    expect("error after the restart", used_again.error, Error.NONE)
    expect("outputs forgotten by the reset", [client.memory.is_unwritten(operation.slot) for operation in forgotten],
           [False] + [True] * (len(forgotten) - 1))
    client.run(count)


# The run

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

    mistakes = 0
    for client, other in ((shared, trapped), (trapped, shared)):
        check_refusals(client)
        mistakes += check_errors(client, keys[2048][0], foreign_iova=other.memory.inputs.iova)
        check_ignored_doorbells(client)
        check_unmap(client)
        check_stop(client)
        check_reset(client, count=MIXTURE_SUM)
        client.close()
    return f"{summary}, {mistakes} mistakes answered as promised, unmap, stop, reset and restart right"


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
