"""What accel/README.md promises around the operations: first values, refusals, errors, unmap, stop and reset."""

import errno
import os
import time
from contextlib import closing
from dataclasses import replace

from dma_memory import PAGE, UNWRITTEN, KeySet
from queue_pair import (
    MAGIC, REGION_SIZES, Error, QueueCommand, RegionNumber, Register, State, Submission, TrappedDoorbells)
from rsa_keys import Algorithm, RsaKey
from traffic import Client, Operation
from vfio_user import (
    REPLY_SECONDS_MAX, VERSION, Command, Connection, DmaAccess, ProtocolError, RegionFlag, expect, expect_refusal)

SLOTS_OF_A_KEY = 4


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
        (Error.NOT_OFFERED, "algorithm 4", replace(right, algorithm=4)),
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


def check_key_generation(client: Client, keys: KeySet) -> int:
    """Has the device make a key of each size of its primes, in both ways. Nothing is in flight."""
    memory, made = client.memory, 0
    for key in (keys_of_size[0] for keys_of_size in keys.values()):
        k, block = key.size, memory.block(key, Algorithm.CRT)
        memory.write(block, key.primes_block())
        expected = key.made_block()
        for number, length in ((2, 2 * k), (3, 7 * k // 2)):
            # The result is longer than a slot; all of them are free.
            for slot in range(SLOTS_OF_A_KEY):
                memory.mark_unwritten(slot)
            result = client.attempt(Submission(number, k, block, 0, memory.output(0), tag=2**64 - number))
            expect(f"error of algorithm {number}, {8 * k} bits", (result.error, result.second_error), (Error.NONE, 0))
            expect(f"key of algorithm {number}, {8 * k} bits", memory.read(memory.output(0), length), expected[:length])
            behind = memory.read(memory.output(0) + length, memory.output(SLOTS_OF_A_KEY) - memory.output(0) - length)
            expect("bytes behind a made key", set(behind), {UNWRITTEN})
            made += 1
        memory.write(block, key.block(Algorithm.CRT))
    return made


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
